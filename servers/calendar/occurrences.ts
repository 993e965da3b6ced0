// Wall times of a rule's occurrences. Every period looked at costs one step of a budget, so a rule
// that never matches (30 February, each second) ends, which no library at hand promises.
import { type Rule, WEEKDAYS } from "./rule.ts";

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const LAST = Date.UTC(9998, 0, 1);
const SPANS = { DAILY: DAY, HOURLY: HOUR, MINUTELY: MINUTE, SECONDLY: SECOND } as const;

/** Shared by all that one call expands. */
export interface Budget {
  steps: number;
}

/**
 * Wall times from `start` on, in order. `from`: what lies before it may be left out.
 * Returns true if all were given, false if the budget ended first.
 */
export function* occurrences(
  rule: Rule,
  start: number,
  budget: Budget,
  from = start,
): Generator<number, boolean> {
  const full = withDefaults(rule, start);
  let left = rule.count ?? Number.POSITIVE_INFINITY;
  // The nth occurrence is known only to who counted from the first.
  for (const period of periods(full, start, rule.count === undefined ? from : start)) {
    if (period > LAST) return true;
    const candidates = positioned(timesOf(full, start, period, budget), rule.bySetPos);
    for (const wall of candidates) {
      if (wall < start) continue;
      yield wall;
      if (--left === 0) return true;
    }
    if (--budget.steps < 0) return false;
  }
  return true;
}

/** What a rule leaves out, its start says (RFC 5545: "information missing from the rule"). */
function withDefaults(rule: Rule, start: number): Rule {
  const { freq, byWeekNo, byYearDay, byMonthDay, byDay, byMonth } = rule;
  const date = new Date(start);
  const weekday = { nth: 0, weekday: (date.getUTCDay() + 6) % 7 };
  const day = date.getUTCDate();
  const hasDay = byWeekNo.length + byYearDay.length + byMonthDay.length + byDay.length > 0;
  if (freq === "WEEKLY" && byDay.length === 0) return { ...rule, byDay: [weekday] };
  if (freq === "MONTHLY" && !hasDay) return { ...rule, byMonthDay: [day] };
  if (freq !== "YEARLY") return rule;
  if (byWeekNo.length > 0 && byDay.length + byMonthDay.length + byYearDay.length === 0) {
    return { ...rule, byDay: [weekday] };
  }
  if (hasDay) return rule;
  const month = byMonth.length > 0 ? byMonth : [date.getUTCMonth() + 1];
  return { ...rule, byMonth: month, byMonthDay: [day] };
}

/** Beginnings of the periods that the rule looks into, endless. */
function* periods(rule: Rule, start: number, from: number): Generator<number> {
  const { freq, interval } = rule;
  const date = new Date(start);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const later = new Date(Math.max(from, start));
  if (freq === "YEARLY" || freq === "MONTHLY") {
    const unit = freq === "YEARLY" ? 12 : 1;
    const first = freq === "YEARLY" ? 0 : month;
    const passed = (later.getUTCFullYear() - year) * 12 + later.getUTCMonth() - first;
    const skip = Math.max(0, Math.floor(passed / (unit * interval)) - 1);
    for (let index = skip; ; index++) yield Date.UTC(year, first + index * interval * unit, 1);
  }
  if (freq === "WEEKLY") {
    const day = Math.floor(start / DAY) * DAY;
    const back = ((date.getUTCDay() + 6 - rule.weekStart + 7) % 7) * DAY;
    yield* stepping(day - back, 7 * DAY * interval, later.getTime());
  } else if (freq in SPANS) {
    const span = SPANS[freq as keyof typeof SPANS];
    yield* stepping(Math.floor(start / span) * span, span * interval, later.getTime(), (at) => {
      // A day that does not fit is passed over whole.
      const day = Math.floor(at / DAY) * DAY;
      return span === DAY || dayFits(rule, day) ? at : day + DAY;
    });
  }
}

function* stepping(
  first: number,
  step: number,
  from: number,
  past: (at: number) => number = (at) => at,
): Generator<number> {
  const skip = Math.max(0, Math.floor((from - first) / step) - 1);
  for (let at = first + skip * step; ; at += step) {
    yield at;
    const next = past(at + step);
    if (next > at + step) at = first + Math.ceil((next - first) / step) * step - step;
  }
}

function timesOf(rule: Rule, start: number, period: number, budget: Budget): number[] {
  const { freq } = rule;
  const date = new Date(start);
  const or = (given: readonly number[], own: number) => (given.length > 0 ? given : [own]);
  const seconds = or(rule.bySecond, date.getUTCSeconds());
  const minutes = or(rule.byMinute, date.getUTCMinutes());
  const hours = or(rule.byHour, date.getUTCHours());
  const at = new Date(period);
  const fits = (given: readonly number[], value: number) =>
    given.length === 0 || given.includes(value);
  const day = Math.floor(period / DAY) * DAY;
  if (freq === "HOURLY" || freq === "MINUTELY" || freq === "SECONDLY") {
    if (!dayFits(rule, day) || !fits(rule.byHour, at.getUTCHours())) return [];
    const hour = [at.getUTCHours()];
    if (freq === "HOURLY") return timesIn([day], hour, minutes, seconds);
    if (!fits(rule.byMinute, at.getUTCMinutes())) return [];
    if (freq === "MINUTELY") return timesIn([day], hour, [at.getUTCMinutes()], seconds);
    return fits(rule.bySecond, at.getUTCSeconds()) ? [period] : [];
  }
  const days: number[] = [];
  const end = endOf(freq, period);
  for (let one = period; one < end; one += DAY) if (dayFits(rule, one)) days.push(one);
  budget.steps -= (end - period) / DAY / 8;
  return timesIn(days, hours, minutes, seconds);
}

function timesIn(
  days: readonly number[],
  hours: readonly number[],
  minutes: readonly number[],
  seconds: readonly number[],
): number[] {
  const times: number[] = [];
  for (const day of days) {
    for (const hour of hours) {
      for (const minute of minutes) {
        for (const second of seconds) {
          times.push(day + hour * HOUR + minute * MINUTE + second * SECOND);
          if (times.length >= 100_000) return times;
        }
      }
    }
  }
  return times;
}

function positioned(times: readonly number[], positions: readonly number[]): readonly number[] {
  if (positions.length === 0) return times;
  const found = positions.map((position) => times.at(position > 0 ? position - 1 : position));
  return [...new Set(found)].filter((one) => one !== undefined).sort((a, b) => a - b);
}

function endOf(freq: Rule["freq"], period: number): number {
  const date = new Date(period);
  if (freq === "YEARLY") return Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  if (freq === "MONTHLY") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return period + (freq === "WEEKLY" ? 7 : 1) * DAY;
}

function dayFits(rule: Rule, day: number): boolean {
  const date = new Date(day);
  const month = date.getUTCMonth() + 1;
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(month)) return false;
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  const yearEnd = Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  const monthStart = Date.UTC(date.getUTCFullYear(), month - 1, 1);
  const monthEnd = Date.UTC(date.getUTCFullYear(), month, 1);
  if (!inList(rule.byMonthDay, day, monthStart, monthEnd, DAY)) return false;
  if (!inList(rule.byYearDay, day, yearStart, yearEnd, DAY)) return false;
  if (rule.byWeekNo.length > 0 && !weekFits(rule, day)) return false;
  if (rule.byDay.length === 0) return true;
  const weekday = (date.getUTCDay() + 6) % 7;
  const inMonth = rule.freq === "MONTHLY" || rule.byMonth.length > 0;
  const [first, end] = inMonth ? [monthStart, monthEnd] : [yearStart, yearEnd];
  return rule.byDay.some((one) => {
    return (
      one.weekday === weekday && (one.nth === 0 || inList([one.nth], day, first, end, 7 * DAY))
    );
  });
}

/** Whether the day is the nth of its span, counted from the front or, below 0, from the end. */
function inList(list: readonly number[], day: number, first: number, end: number, step: number) {
  if (list.length === 0) return true;
  const front = Math.floor((day - first) / step) + 1;
  const back = -Math.floor((end - DAY - day) / step) - 1;
  return list.includes(front) || list.includes(back);
}

function weekFits({ byWeekNo, weekStart }: Rule, day: number): boolean {
  const weekday = (new Date(day).getUTCDay() + 6) % 7;
  const begin = day - ((weekday - weekStart + 7) % 7) * DAY;
  // A week belongs to the year that holds its fourth day.
  const year = new Date(begin + 3 * DAY).getUTCFullYear();
  const number = Math.round((begin - firstWeek(year, weekStart)) / (7 * DAY)) + 1;
  const total = Math.round(
    (firstWeek(year + 1, weekStart) - firstWeek(year, weekStart)) / (7 * DAY),
  );
  return byWeekNo.includes(number) || byWeekNo.includes(number - total - 1);
}

function firstWeek(year: number, weekStart: number): number {
  const fourth = Date.UTC(year, 0, 4);
  const weekday = (new Date(fourth).getUTCDay() + 6) % 7;
  return fourth - ((weekday - weekStart + 7) % 7) * DAY;
}

/** MO … SU of a wall time. */
export function weekdayOf(wall: number): string {
  return WEEKDAYS[(new Date(wall).getUTCDay() + 6) % 7] ?? "";
}
