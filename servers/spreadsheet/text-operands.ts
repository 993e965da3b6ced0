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
      if (only.token.kind === "string" || !isLong) return text;
    }
    if (only.kind === "list") return text;
  }
  if (text.trim() === "") return text;
  return `LET(v,${text},IF(ISNUMBER(v),IF(ABS(v)<1E-307,0,${IN_DIGITS}),v))`;
}

const SHORT_NUMBER = /^(?=.{1,16}$)\d+(?:\.\d+)?$/;

/** A number is written out if that takes twenty letters, its sign aside; else its digits are counted. */
const IN_DIGITS = [
  "LET(a,INT(LOG10(ABS(v)))",
  // With so many places Excel shows one digit less.
  "b,ROUND(v/10^a,IF(ABS(a)>98,13,14))",
  // 9.999… becomes 10.
  "c,IF(ABS(b)<10,0,1)",
  "e,a+c",
  "m,b/10^c",
  'd,SUBSTITUTE(ABS(m)&"",".","")',
  'IF(AND(e>=0,e<15),ROUND(v,14-e),IF(AND(e>0,e<20),ROUND(v/10^(e-14),0)&REPT("0",e-14)',
  'IF(AND(e<0,LEN(d)-e<20),IF(v<0,"-","")&"0."&REPT("0",-e-1)&d',
  'm&"E"&IF(e<0,"-","+")&IF(ABS(e)<10,"0","")&ABS(e)))))',
].join(",");

function signOf(part: Part): string {
  return part.kind === "token" && part.token.kind === "other" ? part.token.text : "";
}
