import { NOT_COMPUTED } from "./engine-numbers.ts";
import type { Part, Parts } from "./formula-tree.ts";

/** They make a text of their first argument, of all of them, or of some. */
const TEXT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  ...each([0], "LEN LEFT RIGHT MID UPPER LOWER PROPER TRIM REPT REPLACE CLEAN"),
  ...each([0, 1], "EXACT FIND SEARCH TEXTBEFORE TEXTAFTER"),
  ...each([0, 1, 2], "SUBSTITUTE"),
};
const GIVES_TEXT = new Set(
  (
    "TEXT LEFT RIGHT MID UPPER LOWER PROPER TRIM SUBSTITUTE REPLACE CONCATENATE CONCAT TEXTJOIN CHAR " +
    "UNICHAR REPT CLEAN FIXED DOLLAR ADDRESS BASE ROMAN T TEXTBEFORE TEXTAFTER LEN ROW COLUMN ROWS " +
    "COLUMNS COUNT COUNTA COUNTIF COUNTIFS YEAR MONTH DAY INT"
  ).split(" "),
);

const GIVES_NUMBER = new Set(
  "LEN ROW COLUMN ROWS COLUMNS COUNT COUNTA COUNTIF COUNTIFS YEAR MONTH DAY INT".split(" "),
);

function each(places: readonly number[], names: string): Record<string, readonly number[]> {
  return Object.fromEntries(names.split(" ").map((name) => [name, places]));
}

/** Whether a function gives a text that may be meant as a number. */
export function givesText(name: string): boolean {
  return GIVES_TEXT.has(name) && !GIVES_NUMBER.has(name);
}

/** Whether a function makes a text of this argument if it is a number. */
export function isTextArgument(name: string, index: number): boolean {
  return (
    name === "CONCATENATE" || name === "CONCAT" || TEXT_ARGUMENTS[name]?.includes(index) === true
  );
}

/** Whether "&" stands in an expression, outside of its brackets. */
export function joins(parts: Parts): boolean {
  return parts.some((part) => signOf(part) === "&");
}

/** The pieces of an expression between "&" and comparisons, each with the sign before it. */
export function pieces(
  parts: Parts,
): readonly { readonly sign: string; readonly parts: Parts; readonly joined: boolean }[] {
  const found: { sign: string; parts: Part[]; joined: boolean }[] = [];
  let current: Part[] = [];
  let sign = "";
  const close = (next: string) => {
    const empty = current.length === 0 && found.length > 0 && !/[&]/.test(sign + next);
    if (empty && /^[<>=]/.test(sign)) sign += next;
    else {
      found.push({ sign, parts: current, joined: sign === "&" || next === "&" });
      sign = next;
    }
    current = [];
  };
  for (const part of parts) {
    const its = signOf(part);
    if (/^[&<>=]$/.test(its)) close(its);
    else current.push(part);
  }
  close("");
  return found;
}

/**
 * An operand as it is put in a text: a number with the fifteen digits that spreadsheets show of it,
 * where the engine would give all that it has.
 */
export function asText(parts: Parts, text: string): string {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    if (only.kind === "call" && GIVES_TEXT.has(only.name)) return text;
    if (only.kind === "token" && !["reference", "name"].includes(only.token.kind)) {
      const isLong = /^[\d.]/.test(only.token.text) && !SHORT_NUMBER.test(only.token.text);
      return isLong && only.token.kind !== "string" ? written(Number(only.token.text)) : text;
    }
    if (only.kind === "list") return text;
  }
  const [sign, literal] = parts;
  if (
    parts.length === 2 &&
    sign !== undefined &&
    signOf(sign) === "-" &&
    literal?.kind === "token"
  ) {
    const number = Number(literal.token.text);
    if (literal.token.kind === "other" && Number.isFinite(number)) return written(-number);
  }
  if (text.trim() === "") return text;
  const usual = "ROUND(v,14-INT(LOG10(ABS(v))))";
  const number = `IF(ABS(LOG10(ABS(v))-5.5)<9.5,${usual},${NOT_COMPUTED})`;
  return `LET(v,${text},IF(ISNUMBER(v),IF(v=0,0,${number}),v))`;
}

const SHORT_NUMBER = /^(?:\d{1,15}|(?=.{1,16}$)\d+\.\d+)$/;

/** A number is written out if that takes twenty letters, its sign aside; else its digits are counted. */
function written(value: number): string {
  if (Math.abs(value) < 2 ** -1022) return "0";
  const size = Math.abs(value);
  // With so many places Excel shows one digit less.
  const [digits = "", power = "0"] = size
    .toExponential(size >= 1e99 || size < 1e-98 ? 13 : 14)
    .split("e");
  const places = Number(power);
  const significant = digits.replace(".", "").replace(/0+$/, "");
  const sign = value < 0 ? "-" : "";
  if (places >= 0 && places < 20) {
    const whole = significant.padEnd(places + 1, "0");
    const part = whole.slice(places + 1);
    return `"${sign}${whole.slice(0, places + 1)}${part === "" ? "" : `.${part}`}"`;
  }
  if (places < 0 && significant.length - places < 20)
    return `"${sign}0.${"0".repeat(-places - 1)}${significant}"`;
  const mantissa =
    significant.length > 1 ? `${significant[0]}.${significant.slice(1)}` : significant;
  const exponent = `${places < 0 ? "-" : "+"}${String(Math.abs(places)).padStart(2, "0")}`;
  return `"${sign}${mantissa}E${exponent}"`;
}

function signOf(part: Part): string {
  return part.kind === "token" && part.token.kind === "other" ? part.token.text : "";
}
