import type { Book, CellValue } from "./book.ts";
import type { Result, ResultValue } from "./calculation.ts";
import type { Cell } from "./cells.ts";
import { dynamicMark } from "./dynamic-arrays.ts";
import { formatKind } from "./number-formats.ts";
import { type Area, areaName, contains, readArea } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { isBlank } from "./sheet-data.ts";

export interface FormulaCell {
  readonly book: Book;
  readonly sheet: Sheet;
  readonly row: number;
  readonly cell: Cell;
}

/** Stores what a formula came to. The answer is the area whose values changed, if any did. */
export function applyResult(
  { book, sheet, row, cell }: FormulaCell,
  result: Result,
  { fresh, asArray }: { readonly fresh: boolean; readonly asArray: boolean },
): Area | undefined {
  const [first] = result.values;
  if (first === undefined || cell.formula === undefined) return undefined;
  const { column, formula } = cell;
  const lists = result.values.length > 1 || (fresh && asArray);
  const array = formula.kind === "array" || lists;
  const same = sameValue(book.valueOf(cell), first);
  if (!array) {
    if (same && !fresh) return undefined;
    const style = fresh ? dateStyle(book, cell.style, first, result.format) : cell.style;
    sheet.data.put(row, withValue({ ...cell, style }, first));
    return { top: row, bottom: row, left: column, right: column };
  }
  const bottom = row + result.height - 1;
  const right = column + result.width - 1;
  const area = { top: row, left: column, bottom, right };
  const old = readArea(formula.attributes["ref"] ?? "") ?? area;
  const attributes = { ...formula.attributes, ref: areaName(area) };
  const extra = formula.kind === "array" ? cell.extra : `${cell.extra}${dynamicMark(book)}`;
  const anchor: Cell = { ...cell, formula: { ...formula, kind: "array", attributes }, extra };
  const changed = spill(book, sheet, area, result.values.slice(1));
  const cleared = clearOutside(sheet, old, area);
  const resized = areaName(old) !== areaName(area);
  if (!same || fresh || resized) sheet.data.put(row, withValue(anchor, first));
  if (same && !changed && !cleared && !resized) return undefined;
  return {
    top: row,
    left: column,
    bottom: Math.max(bottom, old.bottom),
    right: Math.max(right, old.right),
  };
}

/** Values of the cells beside the one with the formula, row by row. */
function spill(book: Book, sheet: Sheet, area: Area, values: readonly ResultValue[]): boolean {
  const width = area.right - area.left + 1;
  let changed = false;
  for (const [n, value] of values.entries()) {
    const row = area.top + Math.floor((n + 1) / width);
    const column = area.left + ((n + 1) % width);
    const now = sheet.data.cell(row, column);
    if (now !== undefined && sameValue(book.valueOf(now), value)) continue;
    const style = now?.style ?? sheet.styleFor(row, column);
    const plain = { column, style, formula: undefined, inline: undefined, extra: "" };
    sheet.data.put(row, withValue({ ...plain, type: "n", value: undefined }, value));
    changed = true;
  }
  return changed;
}

function clearOutside(sheet: Sheet, old: Area, area: Area): boolean {
  let cleared = false;
  for (let row = old.top; row <= old.bottom; row++) {
    for (let column = old.left; column <= old.right; column++) {
      const cell = sheet.data.cell(row, column);
      if (contains(area, row, column) || cell === undefined || isBlank(cell)) continue;
      sheet.data.put(row, { ...cell, type: "n", value: undefined, inline: undefined });
      cleared = true;
    }
  }
  return cleared;
}

const TYPES = { number: "n", text: "str", boolean: "b", error: "e" } as const;

function withValue(cell: Cell, { kind, text }: ResultValue): Cell {
  return { ...cell, type: TYPES[kind], value: fileText(kind, text), inline: undefined };
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  "#SPILL!": "#VALUE!",
  "#CALC!": "#VALUE!",
  "#ERROR!": "#REF!",
};

function fileText(kind: ResultValue["kind"], text: string): string {
  if (kind === "boolean") return text === "TRUE" ? "1" : "0";
  if (kind === "number") return String(Number(text)).replace("e", "E");
  if (kind === "error") return fileError(text);
  return text;
}

/** Files know the seven old errors; programs show the younger ones after computing. */
export function fileError(text: string): string {
  return FILE_ERRORS[text] ?? text;
}

/** Whether a cell shows this value already, rounding in the last digits aside. */
export function sameValue(now: CellValue, { kind, text }: ResultValue): boolean {
  if (kind === "number") {
    const shown = now.serial ?? now.value;
    if (typeof shown !== "number") return false;
    const value = Number(text);
    return Math.abs(shown - value) <= 1e-14 * Math.max(Math.abs(shown), Math.abs(value));
  }
  if (kind === "boolean") return now.type === "boolean" && now.value === (text === "TRUE");
  return now.type === kind && now.value === fileText(kind, text);
}

/** A formula that gives a date shows a date, unless the cell has a format of its own. */
function dateStyle(book: Book, style: number, { kind }: ResultValue, format: string): number {
  if (kind !== "number" || book.styles.format(style) !== "General") return style;
  const made = formatKind(format);
  const numberFormat = { date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss", time: "hh:mm:ss" };
  if (made === "number" || made === "text") return style;
  return book.styles.changed(style, { numberFormat: numberFormat[made] });
}
