import * as z from "zod";
import { loadPeople, type People } from "../kit/people/people.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { homeOf } from "./calendar-file.ts";
import { findEvent } from "./calendar-store.ts";
import { cancelSeries, type Edited, updateSeries } from "./edit-series.ts";
import { endAt, isRecurring } from "./event.ts";
import {
  END,
  endOf,
  FIELDS,
  fieldsOf,
  GUESTS,
  guestsOf,
  requireWritable,
  START,
  uidFor,
} from "./event-input.ts";
import { type EventFields, withAnswers, withGuests, withoutGuests } from "./event-text.ts";
import type { Component } from "./lines.ts";
import { inZone, later, type Moment, movedTo } from "./moment.ts";
import type { CalendarParts } from "./parts.ts";
import { checkedRule } from "./rule-text.ts";
import { finish, OUTCOME } from "./settle.ts";
import { type Target, targetOf } from "./target.ts";
import { EVENT_ID } from "./tools-read.ts";
import { spanText, whenOf, zoneOr } from "./when.ts";
import type { Zone } from "./zones.ts";

export const SCOPE = z
  .enum(["this", "this_and_following", "all"])
  .optional()
  .describe("Which occurrences of a repeating event; required for those");
export const OCCURRENCE = z
  .string()
  .max(60)
  .optional()
  .describe("Occurrence as list_events gives it; needed unless scope is all");

const UPDATE_INPUT = z.object({
  event_id: EVENT_ID,
  scope: SCOPE,
  occurrence: OCCURRENCE,
  title: z.string().max(500).optional(),
  start: START.optional(),
  end: END,
  add_attendees: GUESTS.default([]),
  remove_attendees: GUESTS.default([]),
  ...FIELDS,
});
type UpdateInput = z.output<typeof UPDATE_INPUT>;

export function updateTools(parts: CalendarParts): Tool[] {
  return [updateEvent(parts), cancelEvent(parts)];
}

function updateEvent(parts: CalendarParts): Tool {
  return tool({
    name: "update_event",
    title: "Update event",
    description:
      "Changes an event that the user organizes; only what is given changes. A new start keeps the duration. " +
      "Attendees are told by mail and asked again if the time changes. An empty recurrence ends the repeating.",
    input: UPDATE_INPUT,
    output: OUTCOME,
    hints: { readOnly: false, destructive: true },
    run: async (input) => {
      return await parts.lock.run(async () => {
        const people = await loadPeople(parts.world);
        const zone = zoneOr(input.time_zone, homeOf(people.me));
        const found = await findEvent(parts.store, people, input.event_id);
        requireOrganizer(people, found);
        const target = targetOf(found, input, zone);
        const fields = { ...fieldsOf(input), ...timesAfter(target, input, zone) };
        const rule = ruleAfter(target, fields, input);
        const touch = touchOf(people, input, fields, rule !== undefined);
        if (
          Object.values({ ...fields, rule }).every((one) => one === undefined) &&
          touch === undefined
        ) {
          throw new ToolError("Nothing is to be changed. Give at least one field to change.");
        }
        const newUid = uidFor(target.calendar, [target.series.uid, String(target.start.utc)]);
        const edited = updateSeries(
          target,
          { ...fields, rule },
          touch ?? ((event) => event),
          newUid,
        );
        return await finish(parts, people, changes(target, edited), { zone, done: "Updated" });
      });
    },
  });
}

function cancelEvent(parts: CalendarParts): Tool {
  return tool({
    name: "cancel_event",
    title: "Cancel event",
    description:
      "Cancels an event that the user organizes, or some of its occurrences. Attendees are told by mail and rooms are freed. " +
      "To leave an event of someone else use respond_to_invitation.",
    input: z.object({
      event_id: EVENT_ID,
      scope: SCOPE,
      occurrence: OCCURRENCE,
    }),
    output: OUTCOME,
    hints: { readOnly: false, destructive: true, idempotent: true },
    run: async (input) => {
      return await parts.lock.run(async () => {
        const people = await loadPeople(parts.world);
        const zone = homeOf(people.me);
        const found = await findEvent(parts.store, people, input.event_id);
        requireOrganizer(people, found);
        const target = targetOf(found, input, zone);
        if (target.event.isCancelled) throw new ToolError("The event is cancelled already.");
        return await finish(parts, people, changes(target, [cancelSeries(target)]), {
          zone,
          done: `Cancelled ${partOf(target, zone)}`,
        });
      });
    },
  });
}

function partOf({ scope, original, start, end }: Target, zone: Zone): string {
  if (original === undefined || scope === "all") return "the whole event";
  const when = spanText(start, end, zone);
  return scope === "this" ? `the occurrence of ${when}` : `all occurrences from ${when} on`;
}

function changes({ calendar }: Target, edited: readonly Edited[]) {
  return edited.map(({ uid, events, told }) => ({ calendar, uid, events, told }));
}

function requireOrganizer(
  people: People,
  { calendar, series }: Pick<Target, "calendar" | "series">,
): void {
  requireWritable(calendar, people.me);
  const event = series.master ?? [...series.overrides.values()][0];
  const organizer = event?.organizer;
  if (organizer === undefined || people.isMe(organizer)) return;
  throw new ToolError(
    `${organizer} organizes this event; only they can change or cancel it. ` +
      "Answer with respond_to_invitation, or write to them.",
  );
}

/** The new start and end. A time without a zone of its own stays in the event's zone. */
function timesAfter(
  target: Target,
  input: UpdateInput,
  zone: Zone,
): Pick<EventFields, "start" | "end"> {
  const { start: asked, end: until, time_zone } = input;
  const {
    series: { master },
    start: old,
    end: oldEnd,
  } = target;
  if (asked === undefined && until === undefined) return {};
  const own = target.scope === "this" ? old : (master?.start ?? old);
  const placed = (moment: Moment): Moment => {
    if (moment.isDate || time_zone !== undefined || own.isDate) return moment;
    return { ...inZone(moment, own.zone), floating: own.floating };
  };
  const start = asked === undefined ? old : placed(whenOf("start", asked, zone));
  if (start.isDate !== old.isDate && master !== undefined && isRecurring(master)) {
    throw new ToolError(
      "A repeating event can't change between whole days and times. Create a new event instead.",
    );
  }
  const kept =
    start.isDate === old.isDate
      ? endAt({ start: old, end: oldEnd }, start)
      : start.isDate
        ? movedTo(start, start.wall + 86_400_000)
        : later(start, 3_600_000);
  const end = until === undefined ? kept : placed(endOf(start, until, zone));
  return asked === undefined ? { end } : { start, end };
}

function ruleAfter(target: Target, { start }: EventFields, input: UpdateInput): string | undefined {
  if (input.recurrence === undefined) return undefined;
  if (input.recurrence.trim() === "") return "";
  const {
    scope,
    series: { master },
    start: old,
  } = target;
  const first = scope === "all" && target.original !== undefined ? master?.start : old;
  return checkedRule(input.recurrence, start ?? first ?? old);
}

/** What happens to the attendees of each VEVENT that changes; undefined if nothing. */
function touchOf(
  people: People,
  { add_attendees, remove_attendees }: UpdateInput,
  { start, end }: EventFields,
  hasRule: boolean,
): ((event: Component) => Component) | undefined {
  const guests = guestsOf(people, add_attendees, []);
  const left = new Set(
    remove_attendees.map((one) => (people.find(one) ?? { email: one }).email.toLowerCase()),
  );
  const isMoved = start !== undefined || end !== undefined || hasRule;
  if (guests.length + left.size === 0 && !isMoved) return undefined;
  return (event) => {
    const asked = isMoved
      ? withAnswers(event, ({ email }) => (people.isMe(email) ? undefined : "NEEDS-ACTION"))
      : event;
    const fewer = left.size > 0 ? withoutGuests(asked, left) : asked;
    return guests.length > 0 ? withGuests(fewer, people.me, guests) : fewer;
  };
}
