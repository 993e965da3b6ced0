import type { Person } from "../kit/people/people.ts";
import { addressOf } from "./event.ts";
import {
  type Component,
  component,
  escaped,
  type Line,
  line,
  properties,
  property,
  withLines,
} from "./lines.ts";
import { basicOf, type Moment } from "./moment.ts";
import { UTC, wallToUtc } from "./zones.ts";

/** What a caller may say of an event; what is undefined stays as it is. */
export interface EventFields {
  readonly title?: string | undefined;
  readonly location?: string | undefined;
  readonly description?: string | undefined;
  readonly start?: Moment | undefined;
  readonly end?: Moment | undefined;
  /** Empty: it no longer recurs. */
  readonly rule?: string | undefined;
  readonly reminderMinutes?: number | undefined;
  readonly isFree?: boolean | undefined;
  readonly isPrivate?: boolean | undefined;
}

/** A VEVENT without anyone but its owner. */
export function newEvent(uid: string, fields: EventFields): Component {
  const now = utcText(new Date());
  const bare = component("VEVENT", [
    line("UID", escaped(uid)),
    line("DTSTAMP", now),
    line("CREATED", now),
    line("LAST-MODIFIED", now),
    line("SEQUENCE", "0"),
    line("STATUS", "CONFIRMED"),
  ]);
  return withFields(bare, fields);
}

export function withFields(event: Component, fields: EventFields): Component {
  const { start, end, title, location, description, rule, isFree, isPrivate } = fields;
  const text = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [name]: value === "" ? [] : [line(name, escaped(value))] };
  const changed = withLines(event, {
    ...(start === undefined ? {} : { DTSTART: [momentLine("DTSTART", start)] }),
    ...(end === undefined ? {} : { DTEND: [momentLine("DTEND", end)], DURATION: [] }),
    ...(rule === undefined ? {} : { RRULE: rule === "" ? [] : [line("RRULE", rule)] }),
    ...(rule === "" ? { RDATE: [], EXDATE: [] } : {}),
    ...text("SUMMARY", title),
    ...text("LOCATION", location),
    ...text("DESCRIPTION", description),
    ...(description === undefined ? {} : { "X-ALT-DESC": [] }),
    ...(isFree === undefined
      ? {}
      : { TRANSP: [line("TRANSP", isFree ? "TRANSPARENT" : "OPAQUE")] }),
    ...(isPrivate === undefined
      ? {}
      : { CLASS: [line("CLASS", isPrivate ? "PRIVATE" : "PUBLIC")] }),
  });
  return fields.reminderMinutes === undefined ? changed : withReminder(changed, fields);
}

/** A later version: what everyone who holds an older one takes over. */
export function stamped(event: Component, sequence: number): Component {
  const now = utcText(new Date());
  return withLines(event, {
    DTSTAMP: [line("DTSTAMP", now)],
    "LAST-MODIFIED": [line("LAST-MODIFIED", now)],
    SEQUENCE: [line("SEQUENCE", String(sequence))],
  });
}

/** The version after this one. */
export function nextVersion(event: Component): Component {
  const sequence = Number(property(event, "SEQUENCE")?.value ?? 0);
  return stamped(event, (Number.isSafeInteger(sequence) ? sequence : 0) + 1);
}

/** One occurrence of a series as a VEVENT of its own. */
export function ownOccurrence(
  series: Component,
  {
    original,
    start,
    end,
  }: { readonly original: Moment; readonly start: Moment; readonly end: Moment },
): Component {
  const bare = withLines(series, { RRULE: [], RDATE: [], EXDATE: [] });
  const own = withFields(bare, { start, end });
  return withLines(own, { "RECURRENCE-ID": [momentLine("RECURRENCE-ID", original)] });
}

export function cancelled(event: Component): Component {
  return withLines(event, { STATUS: [line("STATUS", "CANCELLED")] });
}

export function momentLine(name: string, moment: Moment): Line {
  if (moment.isDate) return line(name, basicOf(moment), { VALUE: "DATE" });
  const { utc, wall, zone: own } = moment;
  // The second of two hours of one name is said in UTC: with its zone it would be the first.
  if (!moment.floating && wallToUtc(own, wall) !== utc) return line(name, utcText(new Date(utc)));
  const zone = moment.floating || own === UTC ? undefined : own.id;
  return line(name, basicOf(moment), { TZID: zone });
}

/** Lines of these moments, one each, as other calendars write them. */
export function momentLines(name: string, moments: readonly Moment[]): Line[] {
  return moments.map((moment) => momentLine(name, moment));
}

export interface Guest {
  readonly person: Person;
  readonly isOptional: boolean;
}

/** The event with more people and rooms, who have not answered yet, and a person who asks them. */
export function withGuests(
  event: Component,
  organizer: Person,
  guests: readonly Guest[],
): Component {
  const there = new Set(properties(event, "ATTENDEE").map(addressOf));
  const all = [...properties(event, "ATTENDEE")];
  const self = organizer.email.toLowerCase();
  if (!there.has(self) && guests.length > 0) {
    all.unshift(attendeeLine(organizer, { PARTSTAT: "ACCEPTED", ROLE: "CHAIR" }));
  }
  for (const { person, isOptional } of guests) {
    if (there.has(person.email.toLowerCase()) || person.email.toLowerCase() === self) continue;
    const kind = person.kind === "room" ? "ROOM" : undefined;
    const role = isOptional ? "OPT-PARTICIPANT" : "REQ-PARTICIPANT";
    const status = { PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" };
    all.push(attendeeLine(person, { CUTYPE: kind, ROLE: role, ...status }));
  }
  const host = line("ORGANIZER", `mailto:${organizer.email}`, { CN: organizer.name });
  const isAsked = all.length > 0;
  return withLines(event, {
    ...(isAsked && property(event, "ORGANIZER") === undefined ? { ORGANIZER: [host] } : {}),
    ATTENDEE: all,
  });
}

export function withoutGuests(event: Component, emails: ReadonlySet<string>): Component {
  const left = properties(event, "ATTENDEE").filter((each) => !emails.has(addressOf(each)));
  return withLines(event, { ATTENDEE: left });
}

/** The event with another answer of some of its attendees. */
export function withAnswers(
  event: Component,
  answerOf: (attendee: { readonly email: string }) => string | undefined,
): Component {
  const lines = properties(event, "ATTENDEE").map((each) => {
    const status = answerOf({ email: addressOf(each) });
    if (status === undefined || each.params.get("PARTSTAT")?.toUpperCase() === status) return each;
    const params = { ...Object.fromEntries(each.params), PARTSTAT: status };
    const isAsked = status === "NEEDS-ACTION";
    return line("ATTENDEE", each.value, { ...params, RSVP: isAsked ? "TRUE" : undefined });
  });
  return withLines(event, { ATTENDEE: lines });
}

/** As others get it: without the alarms of its organizer. */
export function withoutAlarms(event: Component): Component {
  return { ...event, items: event.items.filter((item) => "raw" in item || item.name !== "VALARM") };
}

function withReminder(event: Component, { reminderMinutes = 0, title }: EventFields): Component {
  const alarm = component("VALARM", [
    line("ACTION", "DISPLAY"),
    line("DESCRIPTION", escaped(title ?? "Reminder")),
    line("TRIGGER", reminderMinutes === 0 ? "PT0S" : `-PT${reminderMinutes}M`),
  ]);
  const { items } = withoutAlarms(event);
  return { ...event, items: [...items, alarm] };
}

function attendeeLine(person: Person, params: Record<string, string | undefined>): Line {
  const { CUTYPE, ...rest } = params;
  return line("ATTENDEE", `mailto:${person.email}`, { CUTYPE, CN: person.name, ...rest });
}

export function utcText(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}
