import * as z from "zod";
import { loadPeople } from "../kit/people/people.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { homeOf } from "./calendar-file.ts";
import {
  END,
  endOf,
  FIELDS,
  fieldsOf,
  GUESTS,
  guestsOf,
  ownCalendar,
  START,
  uidFor,
} from "./event-input.ts";
import { newEvent, withGuests } from "./event-text.ts";
import { DAY, later, movedTo } from "./moment.ts";
import type { CalendarParts } from "./parts.ts";
import { checkedRule } from "./rule-text.ts";
import { finish, OUTCOME } from "./settle.ts";
import { CALENDAR } from "./tools-read.ts";
import { whenOf, zoneOr } from "./when.ts";
import type { Zone } from "./zones.ts";

export function createTools(parts: CalendarParts): Tool[] {
  return [createEvent(parts)];
}

const CREATE_INPUT = z.object({
  title: z.string().min(1).max(500),
  start: START,
  end: END,
  duration_minutes: z
    .number()
    .int()
    .min(0)
    .max(20_160)
    .optional()
    .describe("Instead of end; default 60"),
  attendees: GUESTS.default([]).describe("Addresses of people and rooms to invite"),
  optional_attendees: GUESTS.default([]),
  calendar: CALENDAR,
  ...FIELDS,
});

function createEvent(parts: CalendarParts): Tool {
  return tool({
    name: "create_event",
    title: "Create event",
    description:
      "Creates an event in one of the user's calendars. People invited get it into their calendars and by mail; " +
      "a room invited accepts if it is free and declines if not. The answer tells conflicts.",
    input: CREATE_INPUT,
    output: OUTCOME,
    hints: { readOnly: false },
    run: async (input) => {
      return await parts.lock.run(async () => {
        const people = await loadPeople(parts.world);
        const calendar = await ownCalendar(parts, people, input.calendar);
        const zone = zoneOr(input.time_zone, homeOf(people.me));
        const fields = fieldsOf(input);
        const { start, end } = timesOf(input, zone);
        const asked = input.recurrence?.trim() ?? "";
        const rule = asked === "" ? undefined : checkedRule(asked, start);
        const guests = guestsOf(people, input.attendees, input.optional_attendees);
        const uid = uidFor(calendar, [fields.title ?? "", String(start.utc), String(end.utc)]);
        const bare = newEvent(uid, { ...fields, start, end, rule });
        const event = guests.length > 0 ? withGuests(bare, people.me, guests) : bare;
        const change = { calendar, uid, events: [event], told: [event] };
        return await finish(parts, people, [change], { zone, done: "Created" });
      });
    },
  });
}

/** The length of an event in words of a caller. */
interface AskedTimes {
  readonly start: string;
  readonly end?: string | undefined;
  readonly duration_minutes?: number | undefined;
}

function timesOf({ start: from, end: to, duration_minutes }: AskedTimes, zone: Zone) {
  const start = whenOf("start", from, zone);
  if (to !== undefined && duration_minutes !== undefined) {
    throw new ToolError("Give end or duration_minutes, not both.");
  }
  if (to !== undefined) return { start, end: endOf(start, to, zone) };
  if (start.isDate && duration_minutes !== undefined) {
    throw new ToolError(
      "An event of whole days has no duration_minutes. Give a start with a time, or an end day.",
    );
  }
  const end = start.isDate
    ? movedTo(start, start.wall + DAY)
    : later(start, (duration_minutes ?? 60) * 60_000);
  return { start, end };
}
