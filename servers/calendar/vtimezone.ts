import { type Component, component, line } from "./lines.ts";
import { WEEKDAYS } from "./rule.ts";
import type { Zone } from "./zones.ts";

interface Change {
  readonly utc: number;
  readonly before: number;
  readonly after: number;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;

/**
 * A VTIMEZONE for readers that do not know the zone by its name. Where clocks change by the same
 * rule every year it says that rule; else it lists the changes of the years around.
 */
export function timeZoneOf(zone: Zone, around: number): Component {
  const year = new Date(around).getUTCFullYear();
  const head = [line("TZID", zone.id), line("X-LIC-LOCATION", zone.id)];
  const yearly = yearlyRules(zone, year);
  if (yearly !== undefined) return component("VTIMEZONE", [...head, ...yearly]);
  const changes = changesIn(zone, year - 2, year + 10);
  const first = zone.offsetAt(Date.UTC(year - 2, 0, 1));
  const start = observance({ utc: -first, before: first, after: first }, 0);
  const listed = changes.map((change) => observance(change, baseOf(changes, first)));
  return component("VTIMEZONE", [...head, start, ...listed]);
}

/** One STANDARD, or a STANDARD and a DAYLIGHT with rules; undefined if no such rules hold. */
function yearlyRules(zone: Zone, year: number): Component[] | undefined {
  const years = [0, 1, 2, 3, 4, 5].map((more) => changesIn(zone, year + more, year + more));
  const [now = []] = years;
  if (years.every((changes) => changes.length === 0)) {
    const offset = zone.offsetAt(Date.UTC(year, 0, 1));
    return [observance({ utc: -offset, before: offset, after: offset }, 0)];
  }
  const rules = now.map((change) => ruleOf(change, years.flat()));
  if (now.length !== 2 || years.some(({ length }) => length !== 2)) return undefined;
  if (rules.some((rule) => rule === undefined)) return undefined;
  let first = now;
  for (let back = year - 1; back >= 1970; back--) {
    const earlier = changesIn(zone, back, back);
    const same =
      earlier.length === 2 &&
      earlier.every((one, at) => ruleOf(one, [one]) !== undefined && follows(one, rules[at]));
    if (!same) break;
    first = earlier;
  }
  const base = Math.min(...now.map(({ after }) => after));
  return first.map((change, at) => observance(change, base, rules[at]));
}

interface YearlyRule {
  readonly month: number;
  readonly weekday: number;
  /** 1 … 4, or -1 for the last. */
  readonly nth: number;
  readonly clock: number;
  readonly after: number;
}

/** The rule that all changes like this one follow. */
function ruleOf(change: Change, all: readonly Change[]): YearlyRule | undefined {
  const wall = new Date(change.utc + change.before);
  const day = wall.getUTCDate();
  const base = {
    month: wall.getUTCMonth(),
    weekday: (wall.getUTCDay() + 6) % 7,
    clock: wall.getTime() % DAY,
    after: change.after,
  };
  const alike = all.filter(({ after }) => after === change.after);
  const forms = [-1, Math.ceil(day / 7)].map((nth) => ({ ...base, nth }));
  return forms.find((rule) => alike.every((one) => follows(one, rule)));
}

function follows(change: Change, rule: YearlyRule | undefined): boolean {
  if (rule === undefined) return false;
  const wall = new Date(change.utc + change.before);
  const day = wall.getUTCDate();
  const days = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate();
  const nth = rule.nth === -1 ? day > days - 7 : Math.ceil(day / 7) === rule.nth;
  return (
    nth &&
    wall.getUTCMonth() === rule.month &&
    (wall.getUTCDay() + 6) % 7 === rule.weekday &&
    wall.getTime() % DAY === rule.clock &&
    change.after === rule.after
  );
}

function observance(change: Change, base: number, rule?: YearlyRule): Component {
  const wall = new Date(change.utc + change.before).toISOString().replace(/[-:]|\.\d+Z/g, "");
  const by = rule === undefined ? "" : `${rule.nth}${WEEKDAYS[rule.weekday] ?? ""}`;
  return component(
    change.after > base && change.before !== change.after ? "DAYLIGHT" : "STANDARD",
    [
      line("TZOFFSETFROM", offsetText(change.before)),
      line("TZOFFSETTO", offsetText(change.after)),
      line("DTSTART", wall),
      ...(rule === undefined
        ? []
        : [line("RRULE", `FREQ=YEARLY;BYMONTH=${rule.month + 1};BYDAY=${by}`)]),
    ],
  );
}

function baseOf(changes: readonly Change[], first: number): number {
  return Math.min(first, ...changes.map(({ after }) => after));
}

function changesIn(zone: Zone, from: number, to: number): Change[] {
  const changes: Change[] = [];
  const end = Date.UTC(to + 1, 0, 1);
  const begin = Date.UTC(from, 0, 1);
  for (let week = begin; week < end; week += 7 * DAY) {
    const next = Math.min(week + 7 * DAY, end);
    const [before, after] = [zone.offsetAt(week), zone.offsetAt(next)];
    if (before === after) continue;
    let [low, high] = [week, next];
    while (high - low > HOUR / 4) {
      const middle = low + Math.floor((high - low) / (HOUR / 2)) * (HOUR / 4);
      if (zone.offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ utc: high, before, after });
  }
  return changes;
}

function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${ms < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}
