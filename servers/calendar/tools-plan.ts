import * as z from "zod";
import { loadPeople, type People, type Person } from "../kit/people/people.ts";
import { counted } from "../kit/people/words.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { busyTimes, merged } from "./busy.ts";
import { homeOf } from "./calendar-file.ts";
import type { CalendarParts } from "./parts.ts";
import { freeSlots, type Slot, type WorkingHours } from "./slots.ts";
import { TIME_ZONE } from "./tools-read.ts";
import { momentAt, shownIn, spanOf, spanText, zoneOr } from "./when.ts";
import type { Zone } from "./zones.ts";

const STEPS = 400_000;
const MOST_ROWS = 200;
const START = z.string().max(60).describe("From, e.g. 2026-03-02 or 2026-03-02T09:00");
const END = z.string().max(60).describe("To, e.g. 2026-03-06 (that day included)");

export function planTools(parts: CalendarParts): Tool[] {
  return [checkAvailability(parts), findFreeTime(parts)];
}

function checkAvailability({ world, store }: CalendarParts): Tool {
  return tool({
    name: "check_availability",
    title: "Check availability",
    description:
      "Tells when people and rooms are busy between two times, without saying with what. " +
      "Use it before inviting; to search for a common slot use find_free_time.",
    input: z.object({
      people: z.array(z.string().max(300)).min(1).max(50).describe("Addresses of people and rooms"),
      start: START,
      end: END,
      time_zone: TIME_ZONE,
    }),
    output: z.object({
      availability: z.array(
        z.object({
          email: z.string(),
          free_throughout: z.boolean(),
          busy: z.array(z.object({ start: z.string(), end: z.string(), tentative: z.boolean() })),
        }),
      ),
      problems: z.array(z.string()),
    }),
    hints: { readOnly: true },
    run: async (input) => {
      const people = await loadPeople(world);
      const zone = zoneOr(input.time_zone, homeOf(people.me));
      const span = spanOf(input, zone, { days: 1, mostDays: 62 });
      const asked = distinct(input.people.map((one) => people.require(one)));
      const budget = { steps: STEPS };
      const problems: string[] = [];
      let rows = MOST_ROWS;
      const found = [];
      for (const person of asked) {
        const times = busyTimes(person, await store.of(person), span, budget);
        problems.push(...times.problems);
        const all = merged(times.busy);
        const shown = all.slice(0, rows);
        rows -= shown.length;
        if (shown.length < all.length)
          problems.push(`not all of ${person.email} is shown; ask for a shorter span`);
        found.push({ person, isFree: all.length === 0, shown });
      }
      const lines = found.map(({ person, isFree, shown }) => {
        const spans = shown.map(({ from, to, isTentative }) => {
          return `  ${spanText(momentAt(from, zone), momentAt(to, zone), zone)}${isTentative ? " (tentative)" : ""}`;
        });
        return [
          `${person.name} <${person.email}>: ${isFree ? "free throughout" : "busy"}`,
          ...spans,
        ].join("\n");
      });
      const notes = problems.map((problem) => `Note: ${problem}`);
      const availability = found.map(({ person, isFree, shown }) => ({
        email: person.email,
        free_throughout: isFree,
        busy: shown.map(({ from, to, isTentative }) => ({
          ...written({ from, to }, zone),
          tentative: isTentative,
        })),
      }));
      return {
        text: [`Times in ${zone.id}.`, ...lines, ...notes].join("\n"),
        data: { availability, problems },
      };
    },
  });
}

const FREE_TIME_INPUT = z.object({
  duration_minutes: z.number().int().min(5).max(1_440),
  attendees: z
    .array(z.string().max(300))
    .max(50)
    .default([])
    .describe("Addresses of those who must be free; the user is always among them"),
  rooms: z
    .array(z.string().max(300))
    .max(50)
    .default([])
    .describe('Rooms of which one must be free, by address, or ["any"] for all rooms'),
  seats: z.number().int().min(1).optional().describe("Seats that the room must have"),
  start: START,
  end: END,
  working_hours: z.string().max(20).default("09:00-17:00").describe("E.g. 09:00-17:00"),
  everyones_hours: z
    .boolean()
    .default(false)
    .describe("Whether the slot must be in the working hours of each attendee's own time zone"),
  weekends: z.boolean().default(false),
  time_zone: TIME_ZONE,
  limit: z.number().int().min(1).max(50).default(5),
});

function findFreeTime({ world, store }: CalendarParts): Tool {
  return tool({
    name: "find_free_time",
    title: "Find free time",
    description:
      "Finds the earliest slots in which the user and all attendees are free, and a room if asked for. " +
      "Slots begin on the quarter hour, within working hours. Tentative events count as busy.",
    input: FREE_TIME_INPUT,
    output: z.object({
      slots: z.array(
        z.object({ start: z.string(), end: z.string(), free_rooms: z.array(z.string()) }),
      ),
      time_zone: z.string(),
      problems: z.array(z.string()),
    }),
    hints: { readOnly: true },
    run: async (input) => {
      const people = await loadPeople(world);
      const zone = zoneOr(input.time_zone, homeOf(people.me));
      const span = spanOf(input, zone, { days: 7, mostDays: 62 });
      // A meeting can't begin in the past.
      const now = Date.now();
      if (span.to <= now) throw new ToolError("That span is over. Give an end that lies ahead.");
      const from = Math.max(span.from, now);
      const who = distinct([people.me, ...input.attendees.map((one) => people.require(one))]);
      const rooms = roomsOf(people, input);
      const problems: string[] = [];
      const budget = { steps: STEPS };
      const busyOf = async (person: Person) => {
        const times = busyTimes(person, await store.of(person), { from, to: span.to }, budget);
        problems.push(...times.problems);
        return times.busy;
      };
      const taken = (await Promise.all(who.map(busyOf))).flat();
      const roomTimes = await Promise.all(
        rooms.map(async (room) => ({ room, busy: await busyOf(room) })),
      );
      const freeRooms = (slot: Slot) => {
        const free = roomTimes.filter(({ busy }) =>
          busy.every((one) => one.to <= slot.from || one.from >= slot.to),
        );
        return free.map(({ room }) => room.email);
      };
      const slots = freeSlots(
        {
          ...{ from, to: span.to, taken, most: input.limit },
          durationMs: input.duration_minutes * 60_000,
          stepMs: 15 * 60_000,
          zones: input.everyones_hours ? [zone, ...who.map(homeOf)] : [zone],
          hours: hoursOf(input.working_hours, input.weekends),
        },
        (slot) => rooms.length === 0 || freeRooms(slot).length > 0,
      );
      const shown = slots.map((slot) => ({ ...written(slot, zone), free_rooms: freeRooms(slot) }));
      const lines = slots.map((slot, at) => {
        const free = shown[at]?.free_rooms ?? [];
        const where = free.length === 0 ? "" : `  free rooms: ${free.join(", ")}`;
        return `${spanText(momentAt(slot.from, zone), momentAt(slot.to, zone), zone)}${where}`;
      });
      const head =
        slots.length === 0
          ? "No slot suits everyone. Try a longer span, other hours, a shorter duration, or fewer people."
          : `${counted(slots.length, "slot")}, earliest first, times in ${zone.id}:`;
      const notes = problems.map((problem) => `Note: ${problem}`);
      return {
        text: [head, ...lines, ...notes].join("\n"),
        data: { slots: shown, time_zone: zone.id, problems },
      };
    },
  });
}

function roomsOf(
  people: People,
  { rooms, seats = 1 }: { readonly rooms: readonly string[]; readonly seats?: number | undefined },
): Person[] {
  const isAny = rooms.some((one) => one.trim().toLowerCase() === "any");
  const all = isAny
    ? people.all.filter(({ kind }) => kind === "room")
    : rooms.map((one) => people.require(one));
  const person = all.find(({ kind }) => kind !== "room");
  if (person !== undefined)
    throw new ToolError(`${person.email} is a person. Name them among attendees.`);
  const found = distinct(all).filter(
    ({ capacity }) => (capacity ?? Number.POSITIVE_INFINITY) >= seats,
  );
  if (rooms.length > 0 && found.length === 0)
    throw new ToolError(`No room here has ${counted(seats, "seat")}.`);
  return found;
}

function hoursOf(text: string, weekendsToo: boolean): WorkingHours {
  const parts = /^(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)$/.exec(text.trim());
  const [hour = 99, minute = 0, endHour = 99, endMinute = 0] = (parts ?? []).slice(1).map(Number);
  const [from, to] = [hour * 60 + minute, endHour * 60 + endMinute];
  if (parts === null || from >= to || to > 1_440 || minute > 59 || endMinute > 59) {
    throw new ToolError(`working_hours is ${JSON.stringify(text)}; write it like 09:00-17:00.`);
  }
  return { from, to, weekendsToo };
}

function written({ from, to }: Slot, zone: Zone): { start: string; end: string } {
  return { start: shownIn(momentAt(from, zone), zone), end: shownIn(momentAt(to, zone), zone) };
}

function distinct(all: readonly Person[]): Person[] {
  return [...new Map(all.map((one) => [one.email, one])).values()];
}
