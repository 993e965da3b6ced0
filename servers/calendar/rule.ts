/** A recurrence rule (RFC 5545, section 3.3.10), read. */
export interface Rule {
  readonly freq: (typeof FREQUENCIES)[number];
  readonly interval: number;
  readonly count?: number;
  /** As written: a date, a local time or a UTC time. */
  readonly until?: string;
  /** 0 is Monday. */
  readonly weekStart: number;
  readonly byMonth: readonly number[];
  readonly byWeekNo: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byMonthDay: readonly number[];
  /** The nth (0: each) Monday (0) … Sunday (6). */
  readonly byDay: readonly { readonly nth: number; readonly weekday: number }[];
  readonly byHour: readonly number[];
  readonly byMinute: readonly number[];
  readonly bySecond: readonly number[];
  readonly bySetPos: readonly number[];
}

export const FREQUENCIES = [
  "YEARLY",
  "MONTHLY",
  "WEEKLY",
  "DAILY",
  "HOURLY",
  "MINUTELY",
  "SECONDLY",
] as const;
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/** Throws an error that says what is wrong with it. */
export function parseRule(text: string): Rule {
  const parts = partsOf(text);
  const frequency = parts.get("FREQ");
  const freq = FREQUENCIES.find((one) => one === frequency);
  if (freq === undefined) throw new Error(`FREQ must be one of ${FREQUENCIES.join(", ")}`);
  const list = (name: string, from: number, to: number) => numbers(parts.get(name), name, from, to);
  const [interval = 1] = list("INTERVAL", 1, 100_000);
  const [count] = list("COUNT", 1, 1e9);
  const until = parts.get("UNTIL");
  if (until !== undefined && !/^\d{8}(T\d{6}Z?)?$/.test(until)) {
    throw new Error("UNTIL must be like 20261231 or 20261231T225959Z");
  }
  const weekStart = WEEKDAYS.indexOf(parts.get("WKST") ?? "MO");
  if (weekStart === -1) throw new Error("WKST must be a day such as MO");
  const rule: Rule = {
    freq,
    interval,
    ...(count === undefined ? {} : { count }),
    ...(until === undefined ? {} : { until }),
    weekStart,
    byMonth: list("BYMONTH", 1, 12),
    byWeekNo: list("BYWEEKNO", -53, 53),
    byYearDay: list("BYYEARDAY", -366, 366),
    byMonthDay: list("BYMONTHDAY", -31, 31),
    byDay: weekdays(parts.get("BYDAY")),
    byHour: list("BYHOUR", 0, 23),
    byMinute: list("BYMINUTE", 0, 59),
    bySecond: list("BYSECOND", 0, 60).map((second) => Math.min(second, 59)),
    bySetPos: list("BYSETPOS", -366, 366),
  };
  requireSense(rule);
  return rule;
}

const PARTS = new Set(
  "FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYHOUR BYMINUTE BYSECOND BYSETPOS".split(
    " ",
  ),
);

function partsOf(text: string): Map<string, string> {
  if (text.length > 2_000) throw new Error("it is longer than 2,000 characters");
  const parts = new Map<string, string>();
  for (const part of text.trim().toUpperCase().replace(/;$/, "").split(";")) {
    const [name = "", value = ""] = part.split("=", 2);
    if (!PARTS.has(name)) {
      if (name.startsWith("X-")) continue;
      throw new Error(`${JSON.stringify(part.slice(0, 40))} is no part of a rule`);
    }
    if (parts.has(name)) throw new Error(`${name} is given twice`);
    parts.set(name, value);
  }
  return parts;
}

function numbers(text: string | undefined, name: string, from: number, to: number): number[] {
  if (text === undefined) return [];
  const found = text.split(",").map((one) => {
    const value = /^[+-]?\d{1,10}$/.test(one) ? Number(one) : Number.NaN;
    if (!(value >= from && value <= to) || (from < 0 && value === 0)) {
      throw new Error(
        `${name} holds ${JSON.stringify(one.slice(0, 20))}; it goes from ${from} to ${to}`,
      );
    }
    return value;
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

function weekdays(text: string | undefined): Rule["byDay"] {
  if (text === undefined) return [];
  return text.split(",").map((one) => {
    const parts = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(one);
    if (parts === null || Number(parts[1] ?? 1) === 0) {
      throw new Error(
        `BYDAY holds ${JSON.stringify(one.slice(0, 20))}; it takes days like MO or -1FR`,
      );
    }
    return { nth: Number(parts[1] ?? 0), weekday: WEEKDAYS.indexOf(parts[2] ?? "") };
  });
}

function requireSense(rule: Rule): void {
  const { freq, byDay, byWeekNo, byYearDay, byMonthDay } = rule;
  if (rule.count !== undefined && rule.until !== undefined) {
    throw new Error("COUNT and UNTIL exclude each other");
  }
  if (byDay.some(({ nth }) => nth !== 0) && freq !== "MONTHLY" && freq !== "YEARLY") {
    throw new Error("BYDAY with a number, such as 1MO, needs FREQ=MONTHLY or YEARLY");
  }
  if (byWeekNo.length > 0 && freq !== "YEARLY") throw new Error("BYWEEKNO needs FREQ=YEARLY");
  if (byYearDay.length > 0 && ["DAILY", "WEEKLY", "MONTHLY"].includes(freq)) {
    throw new Error(`BYYEARDAY does not go with FREQ=${freq}`);
  }
  if (byMonthDay.length > 0 && freq === "WEEKLY") {
    throw new Error("BYMONTHDAY does not go with FREQ=WEEKLY");
  }
}
