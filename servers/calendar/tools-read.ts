import * as z from "zod";
import { loadPeople, type People } from "../kit/people/people.ts";
import { counted, inLine } from "../kit/people/words.ts";
import { plainHint } from "../kit/plain-search.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Calendar } from "./calendar-file.ts";
import { homeOf } from "./calendar-file.ts";
import { findEvent, pickCalendar, referenceOf, visibleCalendars } from "./calendar-store.ts";
import { isRecurring } from "./event.ts";
import type { CalendarParts } from "./parts.ts";
import { expand, type Occurrence } from "./series.ts";
import { targetOf } from "./target.ts";
import { EVENT_ROW, EVENT_WHOLE, rowOf, rowText, type Seen, wholeOf, wholeText } from "./view.ts";
import { spanOf, zoneOr } from "./when.ts";

export const TIME_ZONE = z
  .string()
  .max(80)
  .optional()
  .describe("IANA time zone of times in the question and the answer; default: the user's own");
export const EVENT_ID = z.string().min(1).max(1_000).describe("event_id from list_events");
export const CALENDAR = z
  .string()
  .max(300)
  .optional()
  .describe("Calendar as list_calendars names it");

export function readTools(parts: CalendarParts): Tool[] {
  return [listCalendars(parts), listPeople(parts), listEvents(parts), getEvent(parts)];
}

function listCalendars({ world, store }: CalendarParts): Tool {
  return tool({
    name: "list_calendars",
    title: "List calendars",
    description:
      "Lists the user's own calendars and those that others share with them (read only), and the current time.",
    input: z.object({}),
    output: z.object({
      now: z.string(),
      time_zone: z.string(),
      calendars: z.array(
        z.object({
          calendar: z.string(),
          name: z.string(),
          owner: z.string(),
          events: z.number(),
          writable: z.boolean(),
          default: z.boolean(),
          problems: z.array(z.string()),
        }),
      ),
    }),
    hints: { readOnly: true },
    run: async () => {
      const people = await loadPeople(world);
      const all = await visibleCalendars(store, people);
      const usual = await store.defaultOf(people.me);
      const calendars = all.slice(0, 200).map((one) => ({
        calendar: referenceOf(one, people),
        name: inLine(one.name),
        owner: one.owner.email,
        events: one.series.size,
        writable: people.isMe(one.owner.email) && !one.isBroken,
        default: one.path === usual.path,
        problems: one.problems.slice(0, 5).map((problem) => inLine(problem)),
      }));
      const home = homeOf(people.me);
      const now = new Date().toISOString();
      const lines = calendars.map((one) => {
        const notes = [
          `${counted(one.events, "event")}`,
          one.default ? "default" : "",
          one.writable ? "" : "read only",
          ...one.problems,
        ];
        return `${one.calendar}: "${one.name}" of ${one.owner} (${notes.filter(Boolean).join("; ")})`;
      });
      const head = `${people.me.name} <${people.me.email}>, time zone ${home.id}; it is ${now} now.`;
      const text = [head, ...(lines.length > 0 ? lines : ["There are no calendars yet."])].join(
        "\n",
      );
      return { text, data: { now, time_zone: home.id, calendars } };
    },
  });
}

function listPeople({ world }: CalendarParts): Tool {
  return tool({
    name: "list_people_and_rooms",
    title: "List people and rooms",
    description:
      "Lists the addresses of colleagues and of meeting rooms, for invitations and availability. Filter by a part of name or address.",
    input: z.object({
      query: z.string().max(100).default("").describe('Part of a name or address, e.g. "ruiz"'),
      kind: z.enum(["person", "room", "any"]).default("any"),
      offset: z.number().int().min(0).default(0),
    }),
    output: z.object({
      total: z.number(),
      people: z.array(
        z.object({
          name: z.string(),
          email: z.string(),
          kind: z.string(),
          time_zone: z.string(),
          seats: z.number().optional(),
        }),
      ),
      next_offset: z.number().optional(),
    }),
    hints: { readOnly: true },
    run: async ({ query, kind, offset }) => {
      const people = await loadPeople(world);
      const wanted = query.trim().toLowerCase();
      const all = people.all.filter((one) => {
        const fits = `${one.name} ${one.email}`.toLowerCase().includes(wanted);
        return fits && (kind === "any" || one.kind === kind);
      });
      const page = all.slice(offset, offset + 100).map((one) => ({
        name: one.name,
        email: one.email,
        kind: one.kind,
        time_zone: homeOf(one).id,
        ...(one.capacity === undefined ? {} : { seats: one.capacity }),
      }));
      const lines = page.map((one) => {
        const seats = one.seats === undefined ? "" : `, ${one.seats} seats`;
        return `${one.name} <${one.email}> (${one.kind}${seats}, ${one.time_zone})`;
      });
      const next = offset + page.length < all.length ? offset + page.length : undefined;
      const more = next === undefined ? [] : [`More with offset ${next}.`];
      const none = lines.length === 0 ? [`Nobody fits.${plainHint(query)}`] : [];
      return {
        text: [...lines, ...none, ...more].join("\n"),
        data: {
          total: all.length,
          people: page,
          ...(next === undefined ? {} : { next_offset: next }),
        },
      };
    },
  });
}

function listEvents({ world, store }: CalendarParts): Tool {
  return tool({
    name: "list_events",
    title: "List events",
    description:
      "Lists events between two dates, each occurrence of a repeating event on its own, earliest first. " +
      "Covers the user's own and shared calendars; default: the next 7 days.",
    input: z.object({
      start: z
        .string()
        .max(60)
        .optional()
        .describe("From, e.g. 2026-03-02 or 2026-03-02T09:00; default: now"),
      end: z
        .string()
        .max(60)
        .optional()
        .describe("To, e.g. 2026-03-06 (that day included); default: 7 days on"),
      query: z
        .string()
        .max(200)
        .default("")
        .describe("Words in title, location, description or attendees"),
      calendar: CALENDAR,
      include_cancelled: z.boolean().default(false),
      time_zone: TIME_ZONE,
      limit: z.number().int().min(1).max(100).default(50),
      offset: z.number().int().min(0).max(100_000).default(0),
    }),
    output: z.object({
      total: z.number(),
      events: z.array(EVENT_ROW),
      next_offset: z.number().optional(),
      problems: z.array(z.string()),
    }),
    hints: { readOnly: true },
    run: async (input) => {
      const people = await loadPeople(world);
      const zone = zoneOr(input.time_zone, homeOf(people.me));
      const visible = await visibleCalendars(store, people);
      const places =
        input.calendar === undefined ? visible : [pickCalendar(visible, people, input.calendar)];
      const { from, to } = spanOf(input, zone, { days: 7, mostDays: 400 });
      const { seen, problems } = eventsIn(places, people, { from, to, ...input });
      const sight = { people, zone };
      const page = seen.slice(input.offset, input.offset + input.limit);
      const next =
        input.offset + page.length < seen.length ? input.offset + page.length : undefined;
      const hint = seen.length === 0 ? plainHint(input.query) : "";
      const head = `${counted(seen.length, "event")}, times in ${zone.id}.${hint}`;
      const more = next === undefined ? [] : [`More with offset ${next}.`];
      const notes = problems.map((problem) => `Note: ${problem}`);
      return {
        text: [head, ...page.map((one) => rowText(one, sight)), ...more, ...notes].join("\n"),
        data: {
          total: seen.length,
          events: page.map((one) => rowOf(one, sight)),
          ...(next === undefined ? {} : { next_offset: next }),
          problems,
        },
      };
    },
  });
}

function getEvent({ world, store }: CalendarParts): Tool {
  return tool({
    name: "get_event",
    title: "Get event",
    description:
      "Reads one event whole: description, attendees and their answers, recurrence, reminder. " +
      "For one occurrence of a repeating event give occurrence too.",
    input: z.object({
      event_id: EVENT_ID,
      occurrence: z.string().max(60).optional().describe("Occurrence as list_events gives it"),
      calendar: CALENDAR,
      time_zone: TIME_ZONE,
    }),
    output: z.object({ event: EVENT_WHOLE, next_occurrences: z.array(z.string()) }),
    hints: { readOnly: true },
    run: async (input) => {
      const people = await loadPeople(world);
      const zone = zoneOr(input.time_zone, homeOf(people.me));
      const found = await findEvent(store, people, input.event_id);
      const scope = input.occurrence === undefined ? "all" : "this";
      const { event, original, start, end } = targetOf(found, { ...input, scope }, zone);
      const occurrence: Occurrence = { event, original, start, end };
      const seen = { calendar: found.calendar, occurrence };
      const sight = { people, zone };
      const { master } = found.series;
      const now = Date.now();
      const later =
        master === undefined || !isRecurring(master) || original !== undefined
          ? []
          : expand(found.series, now, now + 400 * 86_400_000, { steps: 50_000 }).occurrences;
      const next = later.filter((one) => !one.event.isCancelled).slice(0, 5);
      const spans = next.map((one) => rowOf({ calendar: found.calendar, occurrence: one }, sight));
      const text = wholeText(seen, sight);
      const tail = spans.length === 0 ? "" : `\nNext: ${spans.map((one) => one.start).join(", ")}`;
      return {
        text: `${text}${tail}`,
        data: { event: wholeOf(seen, sight), next_occurrences: spans.map((one) => one.start) },
      };
    },
  });
}

interface EventSearch {
  readonly from: number;
  readonly to: number;
  readonly query: string;
  readonly include_cancelled: boolean;
}

function eventsIn(
  places: readonly Calendar[],
  people: People,
  { from, to, query, include_cancelled }: EventSearch,
): { seen: Seen[]; problems: string[] } {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const budget = { steps: 400_000 };
  const problems: string[] = [];
  const seen: Seen[] = [];
  for (const calendar of places) {
    const named = `calendar ${referenceOf(calendar, people)}`;
    problems.push(...calendar.problems.slice(0, 5).map((one) => inLine(`${named}: ${one}`)));
    for (const series of calendar.series.values()) {
      const { occurrences, isWhole } = expand(series, from, to, budget);
      if (!isWhole)
        problems.push(inLine(`${named}: event ${series.uid} recurs too often; not all is listed`));
      for (const occurrence of occurrences) {
        if (occurrence.event.isCancelled && !include_cancelled) continue;
        if (!words.every((word) => haystack(occurrence, calendar, people).includes(word))) continue;
        seen.push({ calendar, occurrence });
        if (seen.length > 20_000)
          throw new ToolError("More than 20,000 events. Ask for a shorter span.");
      }
    }
  }
  seen.sort((a, b) => a.occurrence.start.utc - b.occurrence.start.utc);
  return { seen, problems: problems.slice(0, 20) };
}

function haystack({ event }: Occurrence, calendar: Calendar, people: People): string {
  if (event.isPrivate && !people.isMe(calendar.owner.email)) return "busy";
  const guests = event.attendees.map(({ email, name }) => `${email} ${name}`);
  return [event.title, event.location, event.description, ...guests].join("\n").toLowerCase();
}
