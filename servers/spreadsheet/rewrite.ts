import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import {
  type End,
  type Reference,
  referenceText,
  sheetOf,
  sheetPrefix,
  type Token,
  tokens,
} from "./formula.ts";
import { MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { type Area, type Shift, shiftedArea } from "./refs.ts";
import { tablesOf } from "./tables.ts";
import type { Element } from "./xml.ts";

/** Makes of a formula another; `sheet` is where it stands, undefined if on none. */
export type Rewrite = (formula: string, sheet: string | undefined) => string;

const FORMULAS = new Set(["formula", "formula1", "formula2", "f"]);

/** Rewrites every formula of the book: of cells, names, tables, rules, checks, charts. */
export function rewriteFormulas(book: Book, rewrite: Rewrite): void {
  for (const sheet of book.sheets) {
    rewriteTexts(sheet.root, (text) => rewrite(text, sheet.name));
    const all = sheet.formulas().map((one) => ({ ...one, next: rewrite(one.text, sheet.name) }));
    const changed = all.filter(({ text, next }) => text !== next);
    if (changed.some(({ cell }) => cell.formula?.kind === "shared")) sheet.unshare();
    for (const { row, cell, next } of changed) {
      const now = sheet.data.cell(row, cell.column);
      if (now?.formula === undefined) continue;
      sheet.data.put(row, { ...now, formula: { ...now.formula, text: next } });
    }
  }
  for (const name of book.root.child("definedNames")?.elements ?? []) {
    replaceText(name, (text) => rewrite(text, undefined));
  }
  for (const { root, sheet } of tablesOf(book)) {
    for (const element of root.walk()) {
      if (!/^(?:calculatedColumn|totalsRow)Formula$/.test(element.local)) continue;
      replaceText(element, (text) => rewrite(text, sheet));
    }
  }
  for (const part of chartParts(book)) {
    rewriteTexts(book.opc.xml(part).root, (text) => rewrite(text, undefined));
  }
}

function chartParts(book: Book): string[] {
  return book.opc.parts.filter((part) => /\/charts\/chart[^/]*\.xml$/i.test(part));
}

function rewriteTexts(root: Element, change: (text: string) => string): void {
  for (const element of root.walk()) {
    if (FORMULAS.has(element.local) && element.elements.length === 0) replaceText(element, change);
  }
}

function replaceText(element: Element, change: (text: string) => string): void {
  const { text } = element;
  const next = change(text);
  if (next !== text) element.text = next;
}

/** References to `sheet` as they are after the shift. */
export function shiftRewrite(sheet: string, shift: Shift): Rewrite {
  return (formula, at) => {
    const parts = tokens(formula).map((token) => {
      if (token.kind !== "reference") return token.text;
      if (several(token)) throw severalSheets(formula);
      return isSheet(token, sheet, at) ? shiftedReference(token, shift) : token.text;
    });
    return parts.join("");
  };
}

function several({ sheet }: Reference): boolean {
  return sheet?.includes(":") === true && !sheet.includes("[");
}

function severalSheets(formula: string): ToolError {
  return new ToolError(
    `The formula ${formula} reads several sheets at once, which this change cannot follow. ` +
      "Nothing was written. Replace that formula first.",
  );
}

function isSheet(token: Reference, sheet: string, at: string | undefined): boolean {
  return (token.sheet ?? at)?.toLowerCase() === sheet.toLowerCase();
}

function shiftedReference({ prefix, first, last, text }: Reference, shift: Shift): string {
  // A whole column does not care for rows, nor a whole row for columns.
  if (shift.axis === "row" ? first.row === 0 : first.column === 0) return text;
  const area = shiftedArea(areaOf(first, last ?? first), shift);
  if (area === undefined) return `${prefix}#REF!`;
  const low = (end: End, other: End | undefined, axis: "row" | "column") =>
    end[axis] === 0 || other === undefined || end[axis] <= other[axis];
  const placed = (end: End, other: End | undefined): End => ({
    ...end,
    row: end.row === 0 ? 0 : low(end, other, "row") ? area.top : area.bottom,
    column: end.column === 0 ? 0 : low(end, other, "column") ? area.left : area.right,
  });
  if (last === undefined) return referenceText(prefix, placed(first, undefined), undefined);
  // Of two ends with the same row the first is the low one.
  const end = placed(last, first);
  const same = {
    row: last.row !== 0 && last.row >= first.row ? area.bottom : end.row,
    column: last.column !== 0 && last.column >= first.column ? area.right : end.column,
  };
  return referenceText(prefix, placed(first, last), { ...end, ...same });
}

function areaOf(first: End, last: End): Area {
  return {
    top: Math.min(first.row || 1, last.row || MAX_ROW),
    bottom: Math.max(first.row || 1, last.row || MAX_ROW),
    left: Math.min(first.column || 1, last.column || MAX_COLUMN),
    right: Math.max(first.column || 1, last.column || MAX_COLUMN),
  };
}

/** References to `sheet` under its new name; to nothing, if that is undefined. */
export function renameRewrite(sheet: string, name: string | undefined): Rewrite {
  return (formula) => {
    const parts = tokens(formula).map((token) => {
      const prefix = prefixOf(token);
      if (prefix === "") return token.text;
      const said = sheetOf(prefix);
      const each = said.toLowerCase().split(":");
      if (each.length > 1 && each.includes(sheet.toLowerCase())) throw severalSheets(formula);
      if (said.toLowerCase() !== sheet.toLowerCase()) return token.text;
      if (name === undefined) return "#REF!";
      return sheetPrefix(name) + token.text.slice(prefix.length);
    });
    return parts.join("");
  };
}

function prefixOf(token: Token): string {
  if (token.kind === "reference") return token.prefix;
  if (token.kind !== "name" && token.kind !== "error" && token.kind !== "function") return "";
  // The sign ends some errors, too.
  const bang = token.text.search(/!(?=[\p{L}_\\#])/u);
  return bang < 0 ? "" : token.text.slice(0, bang + 1);
}
