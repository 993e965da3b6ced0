import { type CalendarEvent, endAt } from "./event.ts";
import { type Moment, momentOf, movedTo } from "./moment.ts";
import { type Budget, occurrences } from "./occurrences.ts";
import type { Rule } from "./rule.ts";
import { UTC, utcToWall } from "./zones.ts";

/** All VEVENTs of one UID in one calendar. */
export interface Series {
  readonly uid: string;
  /** Missing where only changed occurrences of a series were sent to its owner. */
  readonly master: CalendarEvent | undefined;
  /** By the moment (UTC) of the occurrence that each stands for. */
  readonly overrides: ReadonlyMap<number, CalendarEvent>;
}

export interface Occurrence {
  /** Says what is on: the master, or the override. */
  readonly event: CalendarEvent;
  readonly start: Moment;
  readonly end: Moment;
  /** When it was to begin by the rule; undefined for what does not recur. */
  readonly original: Moment | undefined;
}

export interface Expansion {
  readonly occurrences: readonly Occurrence[];
  /** False if the rule is too dense to be followed through: some may be missing. */
  readonly isWhole: boolean;
}

const LONGEST = 5_000;
const MOST_STEPS = 40_000;
const LEAST_STEPS = 500;
/** By more than this no change of clocks moves anything. */
const HOURS = 3 * 3_600_000;

/** The occurrences that touch the span from..to (UTC), by start. Those cancelled are there too. */
export function expand(series: Series, from: number, to: number, budget: Budget): Expansion {
  const { master, overrides } = series;
  const found: Occurrence[] = [];
  const touches = (start: Moment, end: Moment) => {
    return start.utc < to && (end.utc > from || (end.utc === start.utc && start.utc >= from));
  };
  for (const event of overrides.values()) {
    if (!touches(event.start, event.end)) continue;
    found.push({ event, start: event.start, end: event.end, original: event.replaces });
  }
  let isWhole = true;
  if (master !== undefined) {
    const length = Math.max(0, master.end.utc - master.start.utc);
    // One event that recurs each second must not cost the others their occurrences.
    const own = { steps: Math.max(LEAST_STEPS, Math.min(MOST_STEPS, budget.steps)) };
    const { steps } = own;
    const starts = startsOf(master, from - length - HOURS, to, own);
    budget.steps -= steps - own.steps;
    isWhole = starts.isWhole;
    for (const start of starts.found) {
      const end = endAt(master, start);
      if (overrides.has(start.utc) || !touches(start, end)) continue;
      found.push({ event: master, start, end, original: recurs(master) ? start : undefined });
    }
  }
  found.sort((a, b) => a.start.utc - b.start.utc);
  return { occurrences: found, isWhole };
}

/** When the series' occurrences begin, those changed included, from..to (UTC). */
export function startsOf(
  master: CalendarEvent,
  from: number,
  to: number,
  budget: Budget,
): { readonly found: readonly Moment[]; readonly isWhole: boolean } {
  const left = new Set(master.exceptDates.map(({ utc }) => utc));
  const found = new Map<number, Moment>();
  const add = (moment: Moment) => {
    if (moment.utc >= from && moment.utc < to && !left.has(moment.utc))
      found.set(moment.utc, moment);
  };
  add(master.start);
  for (const date of master.extraDates) add(date);
  let isWhole = true;
  const { zone } = master.start;
  const [low, high] = [utcToWall(zone, from) - HOURS, utcToWall(zone, to) + HOURS];
  for (const rule of master.rules) {
    const until = untilOf(rule, master.start);
    const walls = occurrences(rule, master.start.wall, budget, low);
    for (;;) {
      const next = walls.next();
      if (next.done) {
        isWhole &&= next.value;
        break;
      }
      if (next.value > high || next.value > until) break;
      add(movedTo(master.start, next.value));
      if (found.size >= LONGEST) {
        isWhole = false;
        break;
      }
    }
  }
  return { found: [...found.values()].sort((a, b) => a.utc - b.utc), isWhole };
}

/** The last wall time at which the rule may still apply. */
export function untilOf(rule: Rule, start: Moment): number {
  if (rule.until === undefined) return Number.POSITIVE_INFINITY;
  const line = { raw: "", name: "UNTIL", params: new Map<string, string>(), value: rule.until };
  const until = momentOf(line, { home: start.zone, find: () => UTC });
  // A day, with a start that has a time: that day is still in it.
  if (until.isDate) return until.wall + (start.isDate ? 0 : 86_399_000);
  return start.isDate || until.zone !== UTC ? until.wall : utcToWall(start.zone, until.utc);
}

function recurs({ rules, extraDates }: CalendarEvent): boolean {
  return rules.length + extraDates.length > 0;
}
