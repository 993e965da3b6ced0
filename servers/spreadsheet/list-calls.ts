import { type Part, type Parts, referenceShape } from "./formula-tree.ts";
import { takesListsOnly } from "./function-arguments.ts";
import type { At } from "./lift-tools.ts";
import { isText, NotComputable, onlyReference } from "./list-parts.ts";
import type { Place } from "./stored-formula.ts";

/** They count an argument that is left empty as 0. */
const COUNTS_EMPTY = new Set("SUM COUNT COUNTA AVERAGE AVERAGEA MAX MAXA MIN MINA".split(" "));
const SEARCHES = new Set("MATCH VLOOKUP HLOOKUP SEARCH XLOOKUP XMATCH".split(" "));

/** The engine has them for columns alone. */
const FITS = new Set("LINEST LOGEST TREND GROWTH".split(" "));

/**
 * The arguments of a call as the engine takes them rightly: one that is left empty is 0, a text
 * that is no truth value is an error to AND and OR. @throws NotComputable
 */
export function plainArguments(name: string, args: readonly Parts[]): readonly Parts[] {
  if (FITS.has(name) && args.some(isRow))
    throw new NotComputable(`it gives ${name} a row of numbers`);
  if (name === "TYPE" && args.some(isList))
    throw new NotComputable("it asks for the TYPE of a list");
  if (SEARCHES.has(name) && args[0] !== undefined) refuseTilde(args[0]);
  if (name === "AND" || name === "OR" || name === "XOR") return args.map(truthOnly);
  if (args.length < 2 || !takesListsOnly(name)) return args;
  return args.map((arg) => {
    if (arg.length > 0) return arg;
    if (!COUNTS_EMPTY.has(name)) throw new NotComputable(`it leaves an argument of ${name} empty`);
    return word("0");
  });
}

/** The engine takes "~~" for two tildes, where others take it for one. */
export function refuseTilde(pattern: Parts): void {
  const [only] = pattern;
  if (only?.kind !== "token" || only.token.kind !== "string" || !only.token.text.includes("~~"))
    return;
  throw new NotComputable("it looks for a tilde");
}

function isList([only, ...more]: Parts): boolean {
  if (only === undefined || more.length > 0) return false;
  return only.kind === "list" || onlyReference([only]) !== undefined;
}

function isRow([only, ...more]: Parts): boolean {
  if (only === undefined || more.length > 0) return false;
  if (only.kind === "list") return only.rows.length === 1 && (only.rows[0]?.length ?? 0) > 1;
  if (only.kind !== "token" || only.token.kind !== "reference") return false;
  const { height, width } = referenceShape(only.token);
  return height === 1 && width > 1;
}

function truthOnly(arg: Parts): Parts {
  const [only] = arg;
  if (!isText(arg) || only?.kind !== "token") return arg;
  const text = only.token.text.slice(1, -1);
  return /^(?:true|false)$/i.test(text) ? word(text.toUpperCase()) : word("#VALUE!");
}

/** AND and OR as calls that come to an error wherever an argument is one. */
export function truthCall(name: string, args: readonly string[]): string | undefined {
  if ((name !== "AND" && name !== "OR") || args.length === 0) return undefined;
  // A cell has to stay one: its text counts for nothing, that of a value is an error.
  const isCell = (arg: string) => /^(?:'[^']*'!|[\w.]+!)?\$?[A-Z]{1,3}\$?\d+/i.test(arg);
  const said = args.map((arg, n) => (isCell(arg) ? arg : `p_${n}`));
  const values = args.flatMap((arg, n) => (isCell(arg) ? [] : [`p_${n},${arg}`]));
  const list = said.join(",");
  const tested = `IF(0*SUM(${list}),FALSE,${name}(${list}))`;
  return values.length === 0 ? tested : `LET(${values.join(",")},${tested})`;
}

/** The range that CHOOSE chooses, where its number is written out. @throws NotComputable */
export function chosen({ name, args }: Extract<Part, { kind: "call" }>): Parts | undefined {
  if (name !== "CHOOSE" || !args.slice(1).some((arg) => onlyReference(arg))) return undefined;
  const [index] = args[0] ?? [];
  const number = index?.kind === "token" ? Number(index.token.text) : Number.NaN;
  const found = args[0]?.length === 1 && number >= 1 ? args[Math.trunc(number)] : undefined;
  if (found === undefined) throw new NotComputable("it chooses between ranges by what it computes");
  return found;
}

/** ROW and COLUMN of the formula itself, or of a range that stands for its first cell. */
export function placeCall(
  name: string,
  args: readonly Parts[],
  at: At | undefined,
  place: Place,
): string | undefined {
  if (name !== "ROW" && name !== "COLUMN") return undefined;
  const key = name === "ROW" ? "row" : "column";
  if (args.length === 0) return String(place[key]);
  const range = at === "here" ? onlyReference(args[0] ?? []) : undefined;
  const ends = range?.last === undefined ? [] : [range.first[key] || 1, range.last[key] || 1];
  return ends.length === 0 ? undefined : String(Math.min(...ends));
}

function word(text: string): Parts {
  return [{ kind: "token", token: { kind: "other", text } }];
}
