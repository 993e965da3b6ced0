import * as z from "zod";
import { ToolError } from "../kit/tool-error.ts";
import { type Book, cellOf } from "./book.ts";
import { type Cell, plainFormula } from "./cells.ts";
import { LIMITS } from "./limits.ts";
import { serialOfIso } from "./number-formats.ts";
import { type Area, areaName, cellName, contains } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { storedFormula } from "./stored-formula.ts";
import type { Table } from "./tables.ts";
import type { EditLog } from "./workbooks.ts";

/** What may be written into a cell. */
export const WRITTEN = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.object({ text: z.string() }),
]);
export type Written = z.infer<typeof WRITTEN>;

/** A cell that is to be written: where it is and all that it takes to write there. */
export interface Target {
  readonly book: Book;
  readonly sheet: Sheet;
  readonly tables: readonly Table[];
  readonly log: EditLog;
}

/** Puts a value or a formula into a cell; how it looks stays. */
export function writeCell(target: Target, row: number, column: number, written: Written): void {
  const { sheet, log } = target;
  const now = sheet.data.cell(row, column);
  const style = now?.style ?? sheet.styleFor(row, column);
  const cell = madeCell(target, row, column, style, written);
  log.cell(sheet.name, row, column, cell?.formula !== undefined);
  if (cell !== undefined) sheet.data.put(row, cell);
  else if (now !== undefined && style !== 0) sheet.data.put(row, blank(column, style));
  else sheet.data.remove(row, column);
}

export function blank(column: number, style: number): Cell {
  const none = { value: undefined, formula: undefined, inline: undefined };
  return { column, style, type: "n", ...none, extra: "" };
}

function madeCell(
  { book, sheet, tables }: Target,
  row: number,
  column: number,
  style: number,
  written: Written,
): Cell | undefined {
  if (written === null || written === "") return undefined;
  if (typeof written === "boolean") return cellOf(column, style, written);
  if (typeof written === "number") return numberCell(book, row, column, style, written);
  if (typeof written === "object") return textCell(row, column, style, written.text);
  if (written.startsWith("=") && written.length > 1) {
    const place = { sheet: sheet.name, row, column };
    const text = storedFormula(requireFormula(written.slice(1), row, column), place, tables);
    return { ...blank(column, style), formula: plainFormula(text) };
  }
  const date = book.kindOf(style) === "text" ? undefined : serialOfIso(written, book.from1904);
  if (date === undefined) return textCell(row, column, style, written);
  const dated = ["date", "datetime"].includes(book.kindOf(style));
  const numberFormat = date.kind === "date" ? "yyyy-mm-dd" : "yyyy-mm-dd hh:mm:ss";
  const looks = dated ? style : book.styles.changed(style, { numberFormat });
  return cellOf(column, looks, date.serial);
}

/** A number in a cell that is formatted as a date stays a number that shows as a date. */
function numberCell(book: Book, row: number, column: number, style: number, value: number): Cell {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new ToolError(
      `${cellName(row, column)}: ${value} has more digits than a spreadsheet keeps (15). ` +
        'Write it as a text, "9780306406157…" in quotes.',
    );
  }
  const text = book.kindOf(style) === "text";
  return cellOf(
    column,
    text ? book.styles.changed(style, { numberFormat: "General" }) : style,
    value,
  );
}

function textCell(row: number, column: number, style: number, text: string): Cell {
  if (text.length > LIMITS.cellText) {
    throw new ToolError(
      `${cellName(row, column)}: the text has ${text.length} characters; a cell holds 32767. ` +
        "Split it over several cells, or write it to a text file.",
    );
  }
  return cellOf(column, style, text.replace(/\r\n?/g, "\n"));
}

function requireFormula(text: string, row: number, column: number): string {
  if (text.length <= LIMITS.formulaText) return text.replace(/\r\n?/g, "\n");
  throw new ToolError(
    `${cellName(row, column)}: the formula has ${text.length} characters, over 8192. ` +
      "Compute parts of it in other cells.",
  );
}

/** @throws ToolError if a cell belongs to what can only be changed as a whole. */
export function requireFree(sheet: Sheet, cells: readonly [number, number][]): void {
  const blocks = sheet.blocks();
  const { merged } = sheet;
  const given = new Set(cells.map(([row, column]) => cellName(row, column)));
  for (const [row, column] of cells) {
    const block = blocks.find(({ area }) => contains(area, row, column));
    if (block !== undefined && !given.has(cellName(block.row, block.cell.column))) {
      throw new ToolError(
        `${cellName(row, column)} belongs to the array formula of ${cellName(block.row, block.cell.column)} ` +
          `(${areaName(block.area)}). Nothing was written. Write to its first cell, or clear it whole.`,
      );
    }
    const hidden = merged.find((area) => contains(area, row, column));
    if (hidden !== undefined && (row !== hidden.top || column !== hidden.left)) {
      throw new ToolError(
        `${cellName(row, column)} is hidden in the merged area ${areaName(hidden)}. Nothing was ` +
          `written. Write to ${cellName(hidden.top, hidden.left)}, or unmerge with merge_cells first.`,
      );
    }
  }
  for (const { area, row, cell } of blocks) {
    if (!given.has(cellName(row, cell.column))) continue;
    clearBlock(sheet, area, row, cell.column);
  }
}

/** What an array formula filled beside its own cell goes with it. */
function clearBlock(sheet: Sheet, area: Area, row: number, column: number): void {
  for (let r = area.top; r <= area.bottom; r++) {
    for (let c = area.left; c <= area.right; c++) {
      const cell = sheet.data.cell(r, c);
      if (cell === undefined || (r === row && c === column)) continue;
      sheet.data.put(r, blank(c, cell.style));
    }
  }
}
