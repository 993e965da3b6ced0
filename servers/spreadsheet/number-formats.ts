/** What the numbers of built-in formats mean, as the standard lists them. */
const BUILT_IN: Readonly<Record<number, string>> = {
  0: "General",
  1: "0",
  2: "0.00",
  3: "#,##0",
  4: "#,##0.00",
  9: "0%",
  10: "0.00%",
  11: "0.00E+00",
  12: "# ?/?",
  13: "# ??/??",
  14: "mm-dd-yy",
  15: "d-mmm-yy",
  16: "d-mmm",
  17: "mmm-yy",
  18: "h:mm AM/PM",
  19: "h:mm:ss AM/PM",
  20: "h:mm",
  21: "h:mm:ss",
  22: "m/d/yy h:mm",
  37: "#,##0 ;(#,##0)",
  38: "#,##0 ;[Red](#,##0)",
  39: "#,##0.00;(#,##0.00)",
  40: "#,##0.00;[Red](#,##0.00)",
  45: "mm:ss",
  46: "[h]:mm:ss",
  47: "mmss.0",
  48: "##0.0E+0",
  49: "@",
};

const FIRST_CUSTOM = 164;

export function builtInFormat(id: number): string | undefined {
  return BUILT_IN[id];
}

export function builtInId(code: string): number | undefined {
  const found = Object.entries(BUILT_IN).find(([, known]) => known === code);
  return found === undefined ? undefined : Number(found[0]);
}

export { FIRST_CUSTOM };

export type FormatKind = "date" | "datetime" | "time" | "text" | "number";

/** What a number under this format means to a reader. */
export function formatKind(code: string): FormatKind {
  if (code === "@") return "text";
  const [first = ""] = code.split(";");
  const signs = first
    .replace(/"[^"]*"|\\.|_.|\*./g, "")
    .replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "")
    .toLowerCase();
  if (/general|[#?0]/.test(signs.replace(/s\.0+/g, "s"))) return "number";
  if (/\[[hms]+\]/.test(signs)) return "number"; // A length of time, in days.
  const day = /[dy]|mmm/.test(signs) || (/m/.test(signs) && !/[hs]/.test(signs));
  const hour = /[hs]/.test(signs);
  if (day) return hour ? "datetime" : "date";
  return hour ? "time" : "number";
}

const DAY_MS = 86_400_000;
const EPOCH_1900 = Date.UTC(1899, 11, 30);
const EPOCH_1904 = Date.UTC(1904, 0, 1);
const LAST_SERIAL = 2_958_465;

/** A serial number as ISO 8601; undefined where the calendar has no such day. */
export function isoOfSerial(
  serial: number,
  kind: FormatKind,
  from1904: boolean,
): string | undefined {
  if (!(serial >= 0) || serial > LAST_SERIAL + 1) return undefined;
  // The 1900 system counts a 29th of February 1900 that never was.
  const lost = !from1904 && serial < 60 ? 1 : 0;
  if (!from1904 && Math.floor(serial) === 60) return undefined;
  const whole = Math.floor(serial);
  const ms = Math.round((serial - whole) * 86_400) * 1000;
  const time = new Date(ms % DAY_MS).toISOString().slice(11, 19);
  if (kind === "time" && serial < 1) return time;
  const days = (whole + lost) * DAY_MS + (ms >= DAY_MS ? DAY_MS : 0);
  const day = new Date((from1904 ? EPOCH_1904 : EPOCH_1900) + days).toISOString().slice(0, 10);
  return kind === "date" && ms % DAY_MS === 0 ? day : `${day}T${time}`;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?Z?$/;

/** The serial number of "2026-03-02" or "2026-03-02T14:30:00"; undefined for no such day. */
export function serialOfIso(
  text: string,
  from1904: boolean,
): { readonly serial: number; readonly kind: "date" | "datetime" } | undefined {
  const found = ISO.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0));
  const midnight = Date.UTC(year, month - 1, day);
  const real = new Date(midnight).toISOString().startsWith(text.slice(0, 10));
  if (!real || hour > 23 || minute > 59 || second > 59) return undefined;
  const days = (midnight - (from1904 ? EPOCH_1904 : EPOCH_1900)) / DAY_MS;
  if (days < (from1904 ? 0 : 1)) return undefined;
  const whole = !from1904 && days < 61 ? days - 1 : days;
  const part = (hour * 3600 + minute * 60 + second + milli / 1000) / 86_400;
  return { serial: whole + part, kind: found[4] === undefined ? "date" : "datetime" };
}
