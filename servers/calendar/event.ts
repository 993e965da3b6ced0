import { type Component, children, type Line, properties, property, unescaped } from "./lines.ts";
import {
  DAY,
  durationOf,
  isShownOnce,
  later,
  type Moment,
  momentOf,
  movedTo,
  type ZoneFinder,
} from "./moment.ts";
import { parseRule, type Rule } from "./rule.ts";
import { wallToUtc } from "./zones.ts";

export interface Attendee {
  /** In small letters. */
  readonly email: string;
  readonly name: string;
  /** NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, … */
  readonly status: string;
  readonly isOptional: boolean;
}

/** One VEVENT: an event, a series, or the one occurrence of a series that differs. */
export interface CalendarEvent {
  readonly component: Component;
  readonly uid: string;
  readonly start: Moment;
  readonly end: Moment;
  readonly title: string;
  readonly location: string;
  readonly description: string;
  /** Address in small letters. */
  readonly organizer: string | undefined;
  readonly attendees: readonly Attendee[];
  readonly isCancelled: boolean;
  readonly isTentative: boolean;
  /** It takes no time: others may plan over it. */
  readonly isFree: boolean;
  readonly isPrivate: boolean;
  readonly sequence: number;
  readonly rules: readonly Rule[];
  /** Added and left out, besides the rules. */
  readonly extraDates: readonly Moment[];
  readonly exceptDates: readonly Moment[];
  /** Which occurrence of the series this one stands for. */
  readonly replaces: Moment | undefined;
}

/** Throws an error that says what is wrong with it. */
export function readEvent(component: Component, zones: ZoneFinder): CalendarEvent {
  const text = (name: string) => unescaped(property(component, name)?.value ?? "");
  const startLine = property(component, "DTSTART");
  if (startLine === undefined) throw new Error("it has no DTSTART");
  const uid = text("UID").trim();
  if (uid === "") throw new Error("it has no UID");
  const start = momentOf(startLine, zones);
  const replaced = property(component, "RECURRENCE-ID");
  const status = text("STATUS").toUpperCase();
  const organizer = property(component, "ORGANIZER");
  return {
    component,
    uid,
    start,
    end: endOf(component, start, zones),
    title: text("SUMMARY"),
    location: text("LOCATION"),
    description: text("DESCRIPTION"),
    organizer: organizer === undefined ? undefined : addressOf(organizer),
    attendees: properties(component, "ATTENDEE").slice(0, 1_000).map(attendeeOf),
    isCancelled: status === "CANCELLED",
    isTentative: status === "TENTATIVE",
    isFree: text("TRANSP").toUpperCase() === "TRANSPARENT",
    isPrivate: /^(PRIVATE|CONFIDENTIAL)$/i.test(text("CLASS").trim()),
    sequence: Number(/^\d{1,9}$/.exec(text("SEQUENCE").trim())?.[0] ?? 0),
    rules: properties(component, "RRULE").map(({ value }) => parseRule(value)),
    extraDates: datesOf(properties(component, "RDATE"), start, zones),
    exceptDates: datesOf(properties(component, "EXDATE"), start, zones),
    replaces: replaced === undefined ? undefined : momentOf(replaced, zones),
  };
}

/**
 * The end of an occurrence that begins then: the same time on the clock as in the event itself,
 * or, where a change of clocks skips or repeats that time, as long after the start.
 */
export function endAt(
  { start: first, end }: Pick<CalendarEvent, "start" | "end">,
  start: Moment,
): Moment {
  const length = end.utc - first.utc;
  if (end.zone !== first.zone) return later({ ...end, utc: start.utc }, length);
  const onClock = movedTo(start, start.wall + end.wall - first.wall);
  const isPlain = start.isDate || (isShownOnce(start) && isShownOnce(onClock));
  return isPlain ? onClock : later(start, length);
}

export function isRecurring(event: CalendarEvent): boolean {
  return event.rules.length > 0 || event.extraDates.length > 0;
}

function attendeeOf(line: Line): Attendee {
  return {
    email: addressOf(line),
    name: line.params.get("CN") ?? "",
    status: (line.params.get("PARTSTAT") ?? "NEEDS-ACTION").toUpperCase(),
    isOptional: line.params.get("ROLE")?.toUpperCase() === "OPT-PARTICIPANT",
  };
}

/** "mailto:Ana@example.test" is ana@example.test. */
export function addressOf({ value }: Line): string {
  return value
    .trim()
    .replace(/^mailto:/i, "")
    .toLowerCase();
}

function endOf(component: Component, start: Moment, zones: ZoneFinder): Moment {
  const end = property(component, "DTEND");
  if (end !== undefined) {
    const moment = momentOf(end, zones);
    return moment.utc >= start.utc ? moment : start;
  }
  const duration = property(component, "DURATION");
  if (duration === undefined) return start.isDate ? movedTo(start, start.wall + DAY) : start;
  const { days, ms } = durationOf(duration.value);
  const wall = start.wall + days * DAY;
  const utc = wallToUtc(start.zone, wall) + ms;
  return { ...start, utc, wall: utc + start.zone.offsetAt(utc) };
}

/** Those that name no zone are in that of the event's start, as are all that its rule gives. */
function datesOf(lines: readonly Line[], event: Moment, zones: ZoneFinder): Moment[] {
  const dates: Moment[] = [];
  for (const line of lines) {
    for (const text of line.value.split(",")) {
      // A period's own length is left aside: it begins when it begins.
      const [start = ""] = text.split("/");
      if (dates.length < 10_000) dates.push(likeStart(momentOf(line, zones, start), event));
    }
  }
  return dates;
}

/** A moment without a zone, on the clock of the event's start. */
export function likeStart(moment: Moment, start: Moment): Moment {
  const isOther = moment.floating && !moment.isDate && !start.isDate;
  return isOther ? movedTo(start, moment.wall) : moment;
}

/** The first alarm that says so many minutes before, if any. */
export function reminderOf(component: Component): number | undefined {
  for (const alarm of children(component, "VALARM")) {
    const trigger = property(alarm, "TRIGGER")?.value ?? "";
    try {
      const { days, ms } = durationOf(trigger);
      return -Math.round((days * DAY + ms) / 60_000) || 0;
    } catch {
      // An alarm at a fixed moment.
    }
  }
  return undefined;
}
