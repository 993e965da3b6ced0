import { textDays } from "./engine-epoch.ts";
import {
  calendarDay,
  keepsDoubt,
  NOT_COMPUTED,
  numberCall,
  numberOfText,
} from "./engine-numbers.ts";
import { truthCall } from "./list-calls.ts";
import { NotComputable } from "./list-parts.ts";
import { asText } from "./text-operands.ts";
import { type TypedNumber, typedNumber } from "./typed-numbers.ts";

/**
 * Calls that the engine answers otherwise than the programs that people use, put so that it
 * answers like them. The arguments are in its words already.
 */
export function likeOthers(name: string, args: readonly string[]): string {
  const [first = "", second = ""] = args;
  const call = `${name}(${args.join(",")})`;
  const other = keepsDoubt(name, args) ?? truthCall(name, args) ?? numberCall(name, args);
  if (other !== undefined) return other;
  switch (name) {
    case "ROUND":
      // It rounds 1.005 * 100, a little less than 100.5, where others round what stands there.
      if (args.length !== 2) return call;
      return rounded(first, second);
    case "HOUR":
    case "MINUTE":
      return args.length === 1 ? `${name}((${first})+5E-9)` : call;
    case "SECOND":
      // It cuts parts of a second off, others round them.
      return args.length === 1 ? `SECOND((${first})+0.5/86400)` : call;
    case "VALUE":
      if (spelled(first) !== undefined) return String(spelled(first));
      return `LET(u,${first},IF(ISLOGICAL(u),VALUE("-"),${numberOfText("u")}))`;
    case "DATEVALUE":
      return spelledDay(first) ?? call;
    case "TIMEVALUE":
      return spelled(first) === undefined ? call : String((spelled(first) ?? 0) % 1);
    case "TEXT":
      return args.length === 2 ? formatted(first, second) : call;
    case "EDATE":
    case "EOMONTH":
      return bounded(second, 120_000, (n) => `${name}(${first},${n})`);
    case "WORKDAY":
      return bounded(
        second,
        3_000_000,
        (n) => `WORKDAY(${[first, n, ...args.slice(2)].join(",")})`,
      );
    case "FACT":
    case "FACTDOUBLE":
      return bounded(first, 300, (n) => `${name}(${n})`);
    case "DATE":
      return bounded(args[2] ?? "", 4_000_000, (n) => day(first, second, n));
    case "BASE":
      return bounded(
        args[2] ?? "",
        255,
        (n) => `BASE(${[first, second, ...(n ? [n] : [])].join(",")})`,
      );
    case "REPT":
      // A cell holds no longer text.
      return `LET(t,${first},n,${second},IF(LEN(t)*n>32767,VALUE("-"),REPT(t,IF(t="",0,n))))`;
    default:
      return call;
  }
}

/** The number in a text that is written out and names no day. */
function spelled(text: string): number | undefined {
  const found = typedIn(text);
  return found?.day === false ? found.number : undefined;
}

function spelledDay(text: string): string | undefined {
  const found = typedIn(text);
  return found?.day === true ? String(Math.floor(found.number)) : undefined;
}

function typedIn(text: string): TypedNumber | undefined {
  const inside = /^"((?:[^"]|"")*)"$/.exec(text)?.[1];
  const found = inside === undefined ? undefined : typedNumber(inside.replaceAll('""', '"'));
  return typeof found === "object" ? found : undefined;
}

function rounded(number: string, places: string): string {
  const said = /^-?\d{1,2}$/.test(places);
  const value = `VALUE(${ROUNDED}&"E"&(0-d))`;
  const bounded = said ? value : `IF(d>300,r,IF(d<-308,0*r,${value}))`;
  return `LET(r,1*(${number}),d,TRUNC(${places}),${bounded})`;
}

const FRACTION = /[#?0] *\/ *[#?\d]/;

/** The engine rounds halves to even numbers, and takes no number from a text. */
function formatted(value: string, format: string): string {
  const said = /^"(?:[^"]|"")*"$/.test(format);
  if (said && FRACTION.test(format)) throw new NotComputable("it uses TEXT with fractions");
  if (/^"general"$/i.test(format)) return `(${asText([], value)}&"")`;
  const number = "IFERROR(VALUE(y),y)";
  const up = `IF(ISTEXT(y),${number},IF(ABS(y)>=1E15,${NOT_COMPUTED},y*(1+5E-16)))`;
  const days = said && !/[#0?]/.test(format);
  const day =
    days && textDays(format) !== undefined ? calendarDay("y", `IF(s<1,${NOT_COMPUTED},s+1)`) : "y";
  return `LET(y,${value},IF(ISLOGICAL(y),y&"",TEXT(${days ? day : up},${format})))`;
}

/** Before March 1900 Excel counts one day less than the calendar. */
function day(year: string, month: string, inMonth: string): string {
  const call = `DATE(${yearOf(year)},${month},${inMonth})`;
  return /^(?:19[1-9]|[2-9]\d\d)\d$/.test(year) && /^\d+$/.test(month)
    ? call
    : `LET(g,${call},IF(g<61,g-1,g))`;
}

/** Years before 1900 are counted from there. */
function yearOf(year: string): string {
  return /^(?:19|[2-9]\d)\d\d$/.test(year) ? year : `LET(y,${year},IF(y<0,y,IF(y<1900,y+1900,y)))`;
}

/** The engine breaks at numbers of this size, where others answer with an error. */
function bounded(number: string, most: number, call: (n: string) => string): string {
  if (number === "" || /^\d{1,4}$/.test(number)) return call(number);
  return `LET(n,${number},IF(ABS(n)>${most},SQRT(-1),${call("n")}))`;
}

const ROUNDED = 'ROUND(VALUE(r&"E"&d),0)';

/** Whether an error may be the engine's own. */
export function isDoubtful(formula: string, kind: string, text: string): boolean {
  if (kind !== "error") return false;
  if (text === "#NUM!") return formula.includes("HYPGEOM");
  return text === "#VALUE!" && /\b(?:TEXT|HOUR|MINUTE|SECOND)\(/.test(formula);
}

/** Why a result is not to be believed; undefined if it is. */
export function doubt(formula: string, kind: string, text: string): string | undefined {
  if (kind === "text" && formula.includes("&")) {
    const long = text.match(/\d*\.\d+/g)?.some((n) => digits(n) > 15);
    if (long)
      return "it joins a number with very many digits to a text; put TEXT or ROUND around it";
  }
  return undefined;
}

function digits(number: string): number {
  return number.replace(".", "").replace(/^0+/, "").length;
}
