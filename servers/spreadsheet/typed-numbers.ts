/** A number that Excel makes of a text where it needs one. */
export interface TypedNumber {
  readonly number: number;
  /** It names a day. */
  readonly day: boolean;
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const LONG_MONTHS =
  "january february march april may june july august september october november december".split(
    " ",
  );
const AMOUNT = /^([-+]?)\$?([-+]?)(\d{1,3}(?:,\d{3})+|\d+)?(\.\d*)?(e[-+]?\d{1,3})?(%*)$/i;
const FRACTION = /^(-?)(\d+) (\d{1,5})\/(\d{1,5})$/;
const CLOCK = /^(\d{1,4}):(\d{1,4})(?::(\d{1,4}(?:\.\d*)?))?(?: ?([ap])m?)?$/i;

/**
 * The number that a text stands for in arithmetic, as Excel has it in the United States; "this
 * year" for a day without a year; undefined if it is none.
 */
export function typedNumber(typed: string): TypedNumber | "this year" | undefined {
  const text = typed.trim();
  const amount = amountOf(text);
  if (amount !== undefined) return { number: amount, day: false };
  const fraction = FRACTION.exec(text);
  if (fraction !== null) {
    const [, sign = "", whole = "", over = "", under = ""] = fraction;
    if (Number(under) === 0) return undefined;
    const number = Number(whole) + Number(over) / Number(under);
    return { number: sign === "-" ? -number : number, day: false };
  }
  const time = timeOf(text);
  if (time !== undefined) return { number: time, day: false };
  const [, before = text, after] = /^(.*?)(?: +(\d{1,4}:.*))?$/.exec(text) ?? [];
  const rest = after === undefined ? 0 : timeOf(after);
  const day = dayOf(
    before
      .replace(/,(?= |$)/g, " ")
      .replace(/ +/g, " ")
      .trim(),
  );
  if (day === undefined || rest === undefined) return undefined;
  return day === "this year" ? day : { number: day + rest, day: true };
}

function amountOf(text: string): number | undefined {
  const inside = /^\((.*)\)$/.exec(text)?.[1];
  const found = AMOUNT.exec(inside ?? text);
  if (found === null) return undefined;
  const [, first = "", second = "", whole = "", part = "", power = "", percents = ""] = found;
  if (whole === "" && part.length < 2) return undefined;
  if (first !== "" && second !== "") return undefined;
  const sign = `${first}${second}` === "-" ? -1 : 1;
  if (inside !== undefined && (sign < 0 || `${first}${second}` !== "")) return undefined;
  const number = Number(`${whole.replaceAll(",", "") || "0"}${part}${power}`);
  if (!Number.isFinite(number)) return undefined;
  return (inside === undefined ? sign : -1) * number * 0.01 ** percents.length;
}

function timeOf(text: string): number | undefined {
  const hour = /^(\d{1,2}) ?([ap])m?$/i.exec(text);
  const found = hour === null ? CLOCK.exec(text) : [text, hour[1], "0", "0", hour[2]];
  if (found === null) return undefined;
  const [, hours = "", minutes = "", seconds = "0", half] = found;
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (m > 59 || s >= 60) return undefined;
  if (half !== undefined && (h < 1 || h > 12)) return undefined;
  const later = half?.toLowerCase() === "p" ? 12 : 0;
  return ((half === undefined ? h : (h % 12) + later) * 3600 + m * 60 + s) / 86_400;
}

function dayOf(text: string): number | "this year" | undefined {
  const parts = text.split(/[-/ ]/);
  const [a = "", b = "", c] = parts;
  if (parts.length < 2 || parts.length > 3) return undefined;
  const [named, other] = [monthOf(a) ?? 0, monthOf(b) ?? 0];
  if (named > 0 && other > 0) return undefined;
  if (named > 0) return c === undefined ? monthAlone(named, b) : serial(c, named, b);
  if (other > 0) return c === undefined ? monthAlone(other, a) : serial(c, other, a);
  if (!/[-/]/.test(text) || / /.test(text)) return undefined;
  if (c === undefined) {
    const isYear = (part: string) => /^\d{4}$/.test(part);
    if (isYear(a)) return serial(a, Number(b), "1");
    if (isYear(b)) return serial(b, Number(a), "1");
    const isDay = Number(a) <= 12 && Number(b) <= 31 && /^\d{1,2}[-/]\d{1,2}$/.test(text);
    return isDay ? "this year" : undefined;
  }
  return /^\d{4}$/.test(a) ? serial(a, Number(b), c) : serial(c, Number(a), b);
}

/** "Mar 2026" is its first day, "2 Mar" and "Mar 40" lie in years that are not said. */
function monthAlone(month: number, other: string): number | "this year" | undefined {
  if (!/^\d+$/.test(other)) return undefined;
  return /^\d{4}$/.test(other) ? serial(other, month, "1") : "this year";
}

function monthOf(word: string): number | undefined {
  const small = word.toLowerCase();
  const at = MONTHS.indexOf(small) + LONG_MONTHS.indexOf(small);
  if (at === -2) return undefined;
  return Math.max(MONTHS.indexOf(small), LONG_MONTHS.indexOf(small)) + 1;
}

function serial(yearText: string, month: number, dayText: string): number | undefined {
  if (!/^(?:\d{1,2}|\d{4})$/.test(yearText) || !/^\d{1,2}$/.test(dayText)) return undefined;
  const short = Number(yearText);
  const year = yearText.length === 4 ? short : short + (short < 30 ? 2000 : 1900);
  const day = Number(dayText);
  const date = new Date(Date.UTC(year, month - 1, day));
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!real || year < 1900) return undefined;
  const days = (date.getTime() - Date.UTC(1899, 11, 30)) / 86_400_000;
  return days < 61 ? days - 1 : days;
}
