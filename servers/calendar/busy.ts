import type { Person } from "../kit/people/people.ts";
import { type Calendar, homeOf } from "./calendar-file.ts";
import type { CalendarEvent } from "./event.ts";
import { inZone } from "./moment.ts";
import type { Budget } from "./occurrences.ts";
import { expand, type Occurrence } from "./series.ts";

/** A span (UTC) in which someone is not free. */
export interface Busy {
  readonly from: number;
  readonly to: number;
  /** An answer is missing, or is "maybe". */
  readonly isTentative: boolean;
  readonly occurrence: Occurrence;
  readonly calendar: Calendar;
}

export interface BusyTimes {
  readonly busy: readonly Busy[];
  /** What may be missing, in words. */
  readonly problems: readonly string[];
}

/** When the owner of these calendars has no time, by start. `except`: UID of an event to leave out. */
export function busyTimes(
  owner: Person,
  calendars: readonly Calendar[],
  span: { readonly from: number; readonly to: number },
  budget: Budget,
  except?: string,
): BusyTimes {
  const busy: Busy[] = [];
  const problems: string[] = [];
  const home = homeOf(owner);
  for (const calendar of calendars) {
    if (calendar.problems.length > 0) problems.push(unread(calendar));
    for (const series of calendar.series.values()) {
      if (series.uid === except) continue;
      const { occurrences, isWhole } = expand(series, span.from, span.to, budget);
      if (!isWhole) problems.push(`an event of ${owner.email} recurs too often to be followed`);
      for (const occurrence of occurrences) {
        const { event } = occurrence;
        if (!takesTime(event, owner)) continue;
        const [from, to] = [inZone(occurrence.start, home).utc, inZone(occurrence.end, home).utc];
        if (to <= from) continue;
        busy.push({ from, to, isTentative: isTentative(event, owner), occurrence, calendar });
      }
    }
  }
  busy.sort((a, b) => a.from - b.from || a.to - b.to);
  return { busy, problems: [...new Set(problems)] };
}

/** Spans that touch or overlap are one; it is tentative where all of it is. */
export function merged(
  busy: readonly Busy[],
): { from: number; to: number; isTentative: boolean }[] {
  const firm = joined(busy.filter(({ isTentative: maybe }) => !maybe));
  const maybe = joined(busy.filter(({ isTentative: one }) => one)).flatMap((span) =>
    without(span, firm),
  );
  return [
    ...firm.map((span) => ({ ...span, isTentative: false })),
    ...maybe.map((span) => ({ ...span, isTentative: true })),
  ].sort((a, b) => a.from - b.from);
}

interface Span {
  from: number;
  to: number;
}

/** By start, none touching another. */
export function joined(spans: readonly { readonly from: number; readonly to: number }[]): Span[] {
  const found: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

function without(span: Span, taken: readonly Span[]): Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const one of taken) {
    if (one.to <= from || one.from >= span.to) continue;
    if (one.from > from) left.push({ from, to: one.from });
    from = Math.max(from, one.to);
  }
  if (from < span.to) left.push({ from, to: span.to });
  return left;
}

function takesTime(event: CalendarEvent, owner: Person): boolean {
  return !event.isCancelled && !event.isFree && answerOf(event, owner) !== "DECLINED";
}

function isTentative(event: CalendarEvent, owner: Person): boolean {
  const answer = answerOf(event, owner);
  return event.isTentative || answer === "TENTATIVE" || answer === "NEEDS-ACTION";
}

/** What this person said to the invitation; undefined where they were not asked. */
export function answerOf(event: CalendarEvent, { email }: Person): string | undefined {
  return event.attendees.find((one) => one.email === email.toLowerCase())?.status;
}

function unread(calendar: Calendar): string {
  return `a calendar of ${calendar.owner.email} can't be read whole; they may have less time than shown`;
}
