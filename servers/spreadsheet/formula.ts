import { MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { columnName, columnNumber } from "./refs.ts";

export interface End {
  /** 0: whole column. */
  readonly row: number;
  /** 0: whole row. */
  readonly column: number;
  readonly fixedRow: boolean;
  readonly fixedColumn: boolean;
}

export interface Reference {
  readonly kind: "reference";
  readonly text: string;
  /** Sheet as written, with quotes and "!"; "" for none. */
  readonly prefix: string;
  /** Sheet's name, without quotes; undefined for none. */
  readonly sheet: string | undefined;
  readonly first: End;
  readonly last: End | undefined;
}

export interface Word {
  readonly kind: "string" | "function" | "name" | "table" | "error" | "other";
  readonly text: string;
}

export type Token = Reference | Word;

const PREFIX =
  /(?:'(?:[^']|'')+'|(?:\[\d+\])?[\p{L}_\\][\p{L}\p{N}_.]*(?::[\p{L}_\\][\p{L}\p{N}_.]*)?|\[\d+\])!/uy;
const CELLS =
  /\$?[A-Za-z]{1,3}\$?\d{1,7}(?::\$?[A-Za-z]{1,3}\$?\d{1,7})?|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d{1,7}:\$?\d{1,7}/y;
const STRING = /"(?:[^"]|"")*"/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const ERROR = /#(?:REF!|DIV\/0!|N\/A|NAME\?|NULL!|NUM!|VALUE!|SPILL!|CALC!|GETTING_DATA)/iy;
const WORD = /[\p{L}_\\][\p{L}\p{N}_.?\\]*/uy;

/** The parts of a formula (without its "="), whose texts joined are the formula again. */
export function tokens(formula: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < formula.length; ) {
    const token = tokenAt(formula, at);
    found.push(token);
    at += token.text.length;
  }
  return found;
}

function tokenAt(formula: string, at: number): Token {
  const string = match(STRING, formula, at);
  if (string !== undefined) return { kind: "string", text: string };
  const prefix = match(PREFIX, formula, at) ?? "";
  const reference = referenceAt(formula, at, prefix);
  if (reference !== undefined) return reference;
  const inside = at + prefix.length;
  const error = match(ERROR, formula, inside);
  if (error !== undefined) return { kind: "error", text: prefix + error };
  const word = match(WORD, formula, inside);
  if (word !== undefined) return wordAt(formula, at, prefix + word);
  if (formula[at] === "[") return { kind: "table", text: bracketed(formula, at) };
  const number = match(NUMBER, formula, at);
  return { kind: "other", text: number ?? formula.slice(at, at + 1) };
}

function wordAt(formula: string, at: number, text: string): Word {
  const next = formula[at + text.length];
  if (next === "(") return { kind: "function", text };
  if (next !== "[") return { kind: "name", text };
  return { kind: "table", text: text + bracketed(formula, at + text.length) };
}

/** From "[" to its "]"; an apostrophe takes away the meaning of what follows it. */
function bracketed(formula: string, start: number): string {
  let depth = 0;
  for (let at = start; at < formula.length; at++) {
    const sign = formula[at];
    if (sign === "'") at++;
    else if (sign === "[") depth++;
    else if (sign === "]" && --depth === 0) return formula.slice(start, at + 1);
  }
  return formula.slice(start);
}

function referenceAt(formula: string, at: number, prefix: string): Reference | undefined {
  const start = at + prefix.length;
  const cells = match(CELLS, formula, start);
  if (cells === undefined) return undefined;
  const next = formula.slice(start + cells.length, start + cells.length + 1);
  if (/[\p{L}\p{N}_.(\\[!]/u.test(next)) {
    // "A1:LOG10(2)" begins with a cell all the same.
    const [single = ""] = cells.split(":");
    if (single === cells || !/\d/.test(single) || !/[A-Za-z]/.test(single)) return undefined;
    return reference(prefix, single);
  }
  return reference(prefix, cells);
}

function reference(prefix: string, cells: string): Reference | undefined {
  const [a = "", b] = cells.split(":");
  const first = end(a);
  const last = b === undefined ? undefined : end(b);
  if (first === undefined || (b !== undefined && last === undefined)) return undefined;
  const sheet = prefix === "" ? undefined : sheetOf(prefix);
  return { kind: "reference", text: prefix + cells, prefix, sheet, first, last };
}

function end(text: string): End | undefined {
  const found = /^(\$?)([A-Za-z]{0,3})(\$?)(\d{0,7})$/.exec(text);
  if (found === null) return undefined;
  const [, before = "", letters = "", between = "", digits = ""] = found;
  const column = letters === "" ? 0 : columnNumber(letters);
  const row = Number(digits);
  if ((letters !== "" && column === 0) || row > MAX_ROW || (digits !== "" && row === 0)) {
    return undefined;
  }
  const fixedRow = letters === "" ? before === "$" : between === "$";
  return { row, column, fixedRow, fixedColumn: letters !== "" && before === "$" };
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** "'Bob''s data'!" is "Bob's data". */
export function sheetOf(prefix: string): string {
  const name = prefix.slice(0, -1);
  return name.startsWith("'") ? name.slice(1, -1).replaceAll("''", "'") : name;
}

/** A sheet's name as a formula says it, with "!". */
export function sheetPrefix(sheet: string): string {
  const plain = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(sheet) && !/^[a-z]{1,3}\d+$/i.test(sheet);
  const cellLike = /^(?:r|c|r\d*c\d*|true|false)$/i.test(sheet);
  return plain && !cellLike ? `${sheet}!` : `'${sheet.replaceAll("'", "''")}'!`;
}

/** The formula with each reference replaced by what `change` makes of it. */
export function mapReferences(
  formula: string,
  change: (reference: Reference) => string | undefined,
): string {
  const parts = tokens(formula).map((token) => {
    return token.kind === "reference" ? (change(token) ?? token.text) : token.text;
  });
  return parts.join("");
}

function endText({ row, column, fixedRow, fixedColumn }: End): string {
  const letters = column === 0 ? "" : `${fixedColumn ? "$" : ""}${columnName(column)}`;
  return `${letters}${row === 0 ? "" : `${fixedRow ? "$" : ""}${row}`}`;
}

export function referenceText(prefix: string, first: End, last: End | undefined): string {
  return `${prefix}${endText(first)}${last === undefined ? "" : `:${endText(last)}`}`;
}

/** The formula as it is when copied so many rows down and columns right. */
export function translated(formula: string, rows: number, columns: number): string {
  return mapReferences(formula, ({ prefix, first, last }) => {
    const [a, b] = [moved(first, rows, columns), last && moved(last, rows, columns)];
    if (a === undefined || (last !== undefined && b === undefined)) return `${prefix}#REF!`;
    return referenceText(prefix, a, b);
  });
}

function moved(end: End, rows: number, columns: number): End | undefined {
  const row = end.row === 0 || end.fixedRow ? end.row : end.row + rows;
  const column = end.column === 0 || end.fixedColumn ? end.column : end.column + columns;
  const lost = (end.row !== 0 && row < 1) || (end.column !== 0 && column < 1);
  if (lost || row > MAX_ROW || column > MAX_COLUMN) return undefined;
  return { ...end, row, column };
}
