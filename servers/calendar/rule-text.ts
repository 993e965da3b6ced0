import { ToolError } from "../kit/tool-error.ts";
import type { CalendarEvent } from "./event.ts";
import { utcText } from "./event-text.ts";
import { basicOf, isoOf, type Moment, movedTo } from "./moment.ts";
import { occurrences, weekdayOf } from "./occurrences.ts";
import { parseRule, type Rule } from "./rule.ts";
import { untilOf } from "./series.ts";
import { wallToUtc } from "./zones.ts";

/**
 * A caller's rule, as it is written into an event that begins then. Throws `ToolError` if it is
 * none, never ends up anywhere, or does not begin with the event.
 */
export function checkedRule(asked: string, start: Moment): string {
  const text = asked
    .trim()
    .replace(/^RRULE:/i, "")
    .toUpperCase()
    .replace(/;$/, "");
  const rule = ruleOr(text);
  if (!start.isDate && wallToUtc(start.zone, start.wall) !== start.utc) {
    throw new ToolError(
      `${isoOf(start)} is the second hour of that name, when clocks are put back. ` +
        "An event that repeats can't begin in it: give another start.",
    );
  }
  if (["HOURLY", "MINUTELY", "SECONDLY"].includes(rule.freq)) {
    throw new ToolError("An event can repeat DAILY, WEEKLY, MONTHLY or YEARLY, not more often.");
  }
  if ((rule.count ?? 1) > 5_000)
    throw new ToolError("COUNT is above 5000. Use UNTIL, or leave it out.");
  const { value: first } = occurrences(rule, start.wall, { steps: 20_000 }).next();
  if (typeof first !== "number" || first > untilOf(rule, start)) {
    throw new ToolError(
      `The recurrence ${asked.slice(0, 200)} has no occurrence at all. Check its parts.`,
    );
  }
  if (first !== start.wall) {
    throw new ToolError(
      `The event starts on ${isoOf(start)}, which is no occurrence of ${asked.slice(0, 200)}. ` +
        `The first one is ${isoOf(movedTo(start, first))}: start there, or change the recurrence.`,
    );
  }
  return withUntil(text, rule, start);
}

/** The rule that ends before this occurrence. */
export function endedBefore(text: string, occurrence: Moment): string {
  const rest = text.split(";").filter((part) => part !== "" && !/^(COUNT|UNTIL)=/i.test(part));
  const day = { ...occurrence, wall: occurrence.wall - 86_400_000 };
  const until = occurrence.isDate ? basicOf(day) : utcText(new Date(occurrence.utc - 1_000));
  return [...rest, `UNTIL=${until}`].join(";");
}

/** The rule from this occurrence on, `passed` occurrences of it being over. */
export function continuedFrom(text: string, passed: number): string {
  return text.replace(
    /COUNT=(\d+)/i,
    (_, count: string) => `COUNT=${Math.max(1, Number(count) - passed)}`,
  );
}

/**
 * The rule of a series that is moved to another day: where it names the one day that the series
 * began on, it names the new one.
 */
export function movedRule(text: string, from: Moment, to: Moment): string {
  const [old, now] = [weekdayOf(from.wall), weekdayOf(to.wall)];
  const [oldDay, nowDay] = [from, to].map(({ wall }) => new Date(wall).getUTCDate());
  const [oldMonth, nowMonth] = [from, to].map(({ wall }) => new Date(wall).getUTCMonth() + 1);
  return text
    .split(";")
    .map((part) => {
      if (part === `BYDAY=${old}`) return `BYDAY=${now}`;
      if (part === `BYMONTHDAY=${oldDay}`) return `BYMONTHDAY=${nowDay}`;
      return part === `BYMONTH=${oldMonth}` ? `BYMONTH=${nowMonth}` : part;
    })
    .join(";");
}

/** "every 2 weeks on MO, WE, 10 times". */
export function ruleWords({ rules, extraDates }: CalendarEvent): string {
  const words = rules.map(wordsOf);
  if (extraDates.length > 0) words.push(`${extraDates.length} further dates`);
  return words.join(" and ");
}

const UNITS = {
  YEARLY: "year",
  MONTHLY: "month",
  WEEKLY: "week",
  DAILY: "day",
  HOURLY: "hour",
  MINUTELY: "minute",
  SECONDLY: "second",
} as const;
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function wordsOf(rule: Rule): string {
  const unit = UNITS[rule.freq];
  const every = rule.interval === 1 ? `every ${unit}` : `every ${rule.interval} ${unit}s`;
  const days = rule.byDay.map(({ nth, weekday }) => {
    const place = nth === 0 ? "" : nth === -1 ? "last " : `${nth}. `;
    return `${place}${DAYS[weekday]}`;
  });
  const parts = [
    every,
    days.length > 0 ? `on ${days.join(", ")}` : "",
    rule.byMonthDay.length > 0 ? `on day ${rule.byMonthDay.join(", ")}` : "",
    rule.byMonth.length > 0 ? `in month ${rule.byMonth.join(", ")}` : "",
    rule.count === undefined ? "" : `${rule.count} times`,
    rule.until === undefined ? "" : `until ${rule.until}`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function ruleOr(text: string): Rule {
  try {
    return parseRule(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError(
      `The recurrence can't be read: ${why}. Write it like FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10 ` +
        "or FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231.",
      { cause },
    );
  }
}

/** UNTIL as the standard wants it: a day for days, else a moment in UTC, that day included. */
function withUntil(text: string, rule: Rule, start: Moment): string {
  if (rule.until === undefined) return text;
  const wall = untilOf(rule, start);
  const until = start.isDate
    ? basicOf({ ...start, wall })
    : start.floating
      ? basicOf({ ...start, wall })
      : utcText(new Date(movedTo(start, wall).utc));
  return text.replace(/UNTIL=[^;]*/, `UNTIL=${until}`);
}
