import { NotComputable } from "./list-parts.ts";

/** The days by which the system of 1904 counts less. */
const LATER = 1462;

/** Arguments that are days. */
const TAKES: Readonly<Record<string, readonly number[]>> = {
  ...each([0], "YEAR MONTH DAY WEEKDAY WEEKNUM ISOWEEKNUM EDATE EOMONTH WORKDAY WORKDAY.INTL"),
  ...each([0, 1], "YEARFRAC DATEDIF DAYS360 NETWORKDAYS NETWORKDAYS.INTL"),
};
const GIVES = new Set("DATE DATEVALUE TODAY NOW EDATE EOMONTH WORKDAY WORKDAY.INTL".split(" "));
/** Where lists of holidays begin. */
const HOLIDAYS: Readonly<Record<string, number>> = {
  NETWORKDAYS: 2,
  WORKDAY: 2,
  "NETWORKDAYS.INTL": 3,
  "WORKDAY.INTL": 3,
};

function each(places: readonly number[], names: string): Record<string, readonly number[]> {
  return Object.fromEntries(names.split(" ").map((name) => [name, places]));
}

/**
 * The arguments of a function for an engine that counts days from 1900, in a workbook that counts
 * them from 1904. @throws NotComputable
 */
export function argumentsFrom1904(name: string, args: readonly string[]): readonly string[] {
  const holidays = HOLIDAYS[name];
  if (holidays !== undefined && args.length > holidays) throw refused(`${name} with holidays`);
  const days = name === "TEXT" ? textDays(args[1] ?? "") : TAKES[name];
  if (days === undefined) return args;
  return args.map((arg, n) => {
    // A text is read as a day by the engine itself.
    return days.includes(n) ? `LET(w,${arg},IF(ISTEXT(w),w,w+${LATER}))` : arg;
  });
}

/** The same for what it gives. */
export function resultFrom1904(name: string, call: string): string {
  return GIVES.has(name) ? `(${call}-${LATER})` : call;
}

/** Which arguments of TEXT are days under this format: the first one, or none. */
export function textDays(format: string): readonly number[] | undefined {
  if (!/^"(?:[^"]|"")*"$/.test(format)) throw refused("TEXT with a format that is computed");
  const signs = format
    .slice(1, -1)
    .replace(/""[^"]*""|\\./g, "")
    .replace(/\[[hms]+\]/gi, "h")
    .toLowerCase();
  const day = /[yd]|mmm/.test(signs) || (/m/.test(signs) && !/[hs]/.test(signs));
  return day && !/[#0?]/.test(signs) ? [0] : undefined;
}

function refused(what: string): NotComputable {
  return new NotComputable(`it uses ${what} in a workbook that counts days from 1904`);
}
