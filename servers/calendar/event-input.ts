import { createHash } from "node:crypto";
import * as z from "zod";
import type { People, Person } from "../kit/people/people.ts";
import { manyLines, oneLine } from "../kit/people/words.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Calendar } from "./calendar-file.ts";
import { pickCalendar, visibleCalendars } from "./calendar-store.ts";
import type { EventFields, Guest } from "./event-text.ts";
import { DAY, type Moment, movedTo } from "./moment.ts";
import type { CalendarParts } from "./parts.ts";
import { TIME_ZONE } from "./tools-read.ts";
import { whenOf } from "./when.ts";
import type { Zone } from "./zones.ts";

export const FIELDS = {
  location: z.string().max(500).optional().describe("Place in words; a room is invited besides"),
  description: z.string().max(20_000).optional(),
  recurrence: z
    .string()
    .max(500)
    .optional()
    .describe(
      "RFC 5545 rule, e.g. FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10 or FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231",
    ),
  reminder_minutes: z
    .number()
    .int()
    .min(0)
    .max(40_320)
    .optional()
    .describe("Minutes before the start"),
  show_as: z.enum(["busy", "free"]).optional(),
  private: z.boolean().optional().describe("Hide its details from those who see the calendar"),
  time_zone: TIME_ZONE,
};
export const GUESTS = z.array(z.string().max(300)).max(100);
export const START = z
  .string()
  .max(60)
  .describe(
    "E.g. 2026-03-02T09:00 (in time_zone), 2026-03-02T09:00+01:00, or 2026-03-02 for all day",
  );
export const END = z
  .string()
  .max(60)
  .optional()
  .describe("Same form as start; for all-day events the last day, included");

/** What a caller says of an event, checked; texts can't bring lines of their own. */
export function fieldsOf(input: {
  readonly title?: string | undefined;
  readonly location?: string | undefined;
  readonly description?: string | undefined;
  readonly reminder_minutes?: number | undefined;
  readonly show_as?: "busy" | "free" | undefined;
  readonly private?: boolean | undefined;
}): EventFields {
  const { title, location, description } = input;
  const named = title === undefined ? undefined : oneLine("title", title);
  if (named === "") throw new ToolError("title is empty. Give the event a title.");
  return {
    title: named,
    location: location === undefined ? undefined : oneLine("location", location),
    description: description === undefined ? undefined : manyLines(description),
    reminderMinutes: input.reminder_minutes,
    isFree: input.show_as === undefined ? undefined : input.show_as === "free",
    isPrivate: input.private,
  };
}

export function guestsOf(
  people: People,
  attendees: readonly string[],
  optional: readonly string[],
): Guest[] {
  const asked = (names: readonly string[], isOptional: boolean) =>
    names.map((name) => ({ person: people.require(name), isOptional }));
  const all = [...asked(attendees, false), ...asked(optional, true)];
  const once = new Map(all.toReversed().map((guest) => [guest.person.email, guest]));
  return all.filter(
    (guest) => once.get(guest.person.email) === guest && !people.isMe(guest.person.email),
  );
}

/** A calendar of the user's that can be written. */
export async function ownCalendar(
  { store }: CalendarParts,
  people: People,
  asked: string | undefined,
): Promise<Calendar> {
  if (asked === undefined) return await store.defaultOf(people.me);
  const found = pickCalendar(await visibleCalendars(store, people), people, asked);
  requireWritable(found, people.me);
  return found;
}

export function requireWritable(calendar: Calendar, me: Person): void {
  if (calendar.owner.email !== me.email) {
    throw new ToolError(
      `This calendar is ${calendar.owner.email}'s and read only. Use one of the user's own.`,
    );
  }
  if (calendar.isBroken) throw new ToolError(`${calendar.problems[0]}. Nothing was changed.`);
}

/** The end that a caller names; a last day is included. */
export function endOf(start: Moment, text: string, zone: Zone): Moment {
  const asked = whenOf("end", text, zone);
  if (asked.isDate !== start.isDate) {
    throw new ToolError("start and end must both have a time of day, or both be days.");
  }
  const end = asked.isDate ? movedTo(asked, asked.wall + DAY) : asked;
  if (end.utc < start.utc || (end.isDate && end.utc === start.utc)) {
    throw new ToolError(`The end (${text}) lies before the start. Give a later end.`);
  }
  if (end.utc - start.utc > 366 * DAY) throw new ToolError("An event can last a year at the most.");
  return end;
}

/** The same event in the same calendar gets the same id; another one never does. */
export function uidFor(calendar: Calendar, parts: readonly string[]): string {
  const { owner, id, series } = calendar;
  for (let number = series.size; ; number++) {
    const hash = createHash("sha256").update(JSON.stringify([owner.email, id, number, ...parts]));
    const domain = owner.email.slice(owner.email.lastIndexOf("@") + 1);
    const uid = `${hash.digest("hex").slice(0, 20)}@${domain}`;
    if (!series.has(uid)) return uid;
  }
}
