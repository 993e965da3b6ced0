import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { plainFormula } from "./cells.ts";
import { translated } from "./formula.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { type Area, areaName, askedArea, cellName, overlap } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { tablesOf } from "./tables.ts";
import { CHANGED, type Done, type EditLog, editBook, PATH, RANGE, SHEET } from "./workbooks.ts";
import {
  blank,
  requireFree,
  type Target,
  WRITTEN,
  type Written,
  writeCell,
} from "./write-cells.ts";

export function writeTools(world: World): Tool[] {
  return [writeRange(world), copyRange(world)];
}

function writeRange(world: World): Tool {
  return tool({
    name: "write_range",
    title: "Write cells",
    description:
      "Writes values and formulas from a first cell to the right and down. A text that begins with " +
      '"=" is a formula, "2026-03-02" a date; any other text stays text (007 keeps its zeros), null ' +
      "empties a cell. Formats stay. All formulas are recomputed; the answer tells the new values.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      cell: RANGE.describe('First cell: "B2"'),
      values: z
        .array(z.array(WRITTEN).max(MAX_COLUMN))
        .min(1)
        .max(LIMITS.writtenCells)
        .describe(
          'Rows of cells: [["Ana", 12.5, "2026-03-02", "=B2*2"]]. {"text": "=x"} is never a formula ' +
            "or date.",
        ),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true, idempotent: true },
    run: async ({ path, sheet, cell, values }) =>
      await editBook(world, path, (book, log) => writeAll(book, log, { sheet, cell, values })),
  });
}

interface Asked {
  readonly sheet: string | undefined;
  readonly cell: string;
  readonly values: readonly (readonly Written[])[];
}

function writeAll(book: Book, log: EditLog, { sheet: name, cell, values }: Asked): Done {
  const sheet = book.sheet(name);
  const { top, left } = askedArea(cell);
  const width = Math.max(...values.map((row) => row.length));
  const count = values.reduce((sum, row) => sum + row.length, 0);
  if (count > LIMITS.writtenCells) {
    throw new ToolError(`That is ${count} cells; write at most ${LIMITS.writtenCells} at a time.`);
  }
  const area = { top, left, bottom: top + values.length - 1, right: left + Math.max(width, 1) - 1 };
  requireOnSheet(area);
  const cells = values.flatMap((row, down) => {
    return row.map((_, right): [number, number] => [top + down, left + right]);
  });
  requireFree(sheet, cells);
  sheet.unshare();
  const target: Target = { book, sheet, tables: tablesOf(book), log };
  for (const [down, row] of values.entries()) {
    for (const [right, value] of row.entries()) writeCell(target, top + down, left + right, value);
  }
  const formulas = cells.filter(([r, c]) => sheet.data.cell(r, c)?.formula !== undefined);
  const range = areaName(area);
  const text = `Wrote ${count} cell${count === 1 ? "" : "s"}: "${sheet.name}" ${range} of ${book.path}.`;
  return { range, text, tell: { sheet, cells: formulas } };
}

function requireOnSheet({ bottom, right }: Area): void {
  if (bottom <= MAX_ROW && right <= MAX_COLUMN) return;
  throw new ToolError("That goes past the last cell of a sheet, XFD1048576. Nothing was written.");
}

function copyRange(world: World): Tool {
  return tool({
    name: "copy_range",
    title: "Copy cells",
    description:
      "Copies cells as copy and paste does: values, formats, and formulas whose references move along. " +
      "A larger target is filled by repeating: copy C2 to C2:C500 to fill a formula down.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      from: RANGE.describe('Cells to copy: "C2" or "A1:D1"'),
      to: RANGE.describe('Where to: a first cell, or an area to fill: "C3:C500"'),
      to_sheet: z.string().max(200).optional().describe("Sheet to copy to; the same if left out"),
      what: z
        .enum(["all", "values", "formats"])
        .default("all")
        .describe('"values" turns formulas into what they show'),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true },
    run: async (input) =>
      await editBook(world, input.path, (book, log) => copyAll(book, log, input)),
  });
}

interface CopyAsked {
  readonly sheet?: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly to_sheet?: string | undefined;
  readonly what: "all" | "values" | "formats";
}

function copyAll(book: Book, log: EditLog, asked: CopyAsked): Done {
  const source = book.sheet(asked.sheet);
  const sheet = asked.to_sheet === undefined ? source : book.sheet(asked.to_sheet);
  const from = clipped(source, askedArea(asked.from));
  const [height, width] = [from.bottom - from.top + 1, from.right - from.left + 1];
  const to = askedArea(asked.to);
  const single = to.top === to.bottom && to.left === to.right;
  const area = single ? { ...to, bottom: to.top + height - 1, right: to.left + width - 1 } : to;
  const [rows, columns] = [area.bottom - area.top + 1, area.right - area.left + 1];
  if (rows * columns > LIMITS.writtenCells) {
    throw new ToolError(
      `${areaName(area)} has ${rows * columns} cells; copy to at most ${LIMITS.writtenCells} at a time.`,
    );
  }
  requireOnSheet(area);
  requirePlain(source, from);
  source.unshare();
  sheet.unshare();
  const cells = Array.from({ length: rows * columns }, (_, n): [number, number] => {
    return [area.top + Math.floor(n / columns), area.left + (n % columns)];
  });
  requireFree(sheet, asked.what === "formats" ? [] : cells);
  const originals = grid(source, from);
  for (const [row, column] of cells) {
    const [down, right] = [(row - area.top) % height, (column - area.left) % width];
    const original = originals[down * width + right];
    const shift: [number, number] = [row - from.top - down, column - from.left - right];
    pasteCell({ book, sheet, tables: [], log }, [row, column], original, shift, asked.what);
  }
  const formulas = cells.filter(([r, c]) => sheet.data.cell(r, c)?.formula !== undefined);
  const range = areaName(area);
  const text = `Copied "${source.name}" ${areaName(from)} to "${sheet.name}" ${range} of ${book.path}.`;
  const tell = asked.what === "all" ? { tell: { sheet, cells: formulas } } : {};
  return { range, text, ...tell };
}

function grid(sheet: Sheet, { top, left, bottom, right }: Area) {
  const cells = [];
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) cells.push(sheet.data.cell(row, column));
  }
  return cells;
}

function pasteCell(
  { book, sheet, log }: Target,
  [row, column]: [number, number],
  original: ReturnType<Sheet["data"]["cell"]>,
  [down, right]: [number, number],
  what: CopyAsked["what"],
): void {
  const now = sheet.data.cell(row, column);
  const style =
    what === "values" ? (now?.style ?? sheet.styleFor(row, column)) : (original?.style ?? 0);
  if (what === "formats") {
    if (now !== undefined) sheet.data.put(row, { ...now, style });
    else if (style !== 0) sheet.data.put(row, blank(column, style));
    return;
  }
  const formula = what === "all" ? original?.formula : undefined;
  log.cell(sheet.name, row, column, formula !== undefined);
  if (original === undefined) {
    if (now === undefined) return;
    if (style === 0) sheet.data.remove(row, column);
    else sheet.data.put(row, blank(column, style));
    return;
  }
  const moved = formula && plainFormula(translated(formula.text, down, right));
  const empty = book.valueOf(original).type === "empty" && moved === undefined;
  const copy = { ...original, column, style, formula: moved, extra: "" };
  sheet.data.put(row, empty ? blank(column, style) : copy);
}

/** Whole columns and rows end where the sheet does. */
export function clipped(sheet: Sheet, area: Area): Area {
  if (area.bottom < MAX_ROW && area.right < MAX_COLUMN) return area;
  const { rows, columns } = sheet.data.used();
  const used = { top: 1, left: 1, bottom: Math.max(rows, 1), right: Math.max(columns, 1) };
  const inside = overlap(area, used);
  if (inside === undefined) throw new ToolError(`${areaName(area)} of "${sheet.name}" is empty.`);
  return inside;
}

/** @throws ToolError if the area cuts or holds what moves only as a whole. */
export function requirePlain(sheet: Sheet, area: Area): void {
  const array = sheet.blocks().find((block) => {
    const single = block.area.top === block.area.bottom && block.area.left === block.area.right;
    return !single && overlap(block.area, area) !== undefined;
  });
  if (array !== undefined) {
    throw new ToolError(
      `${areaName(area)} holds an array formula (${areaName(array.area)}), at ` +
        `${cellName(array.row, array.cell.column)}. Nothing was written. Leave it out.`,
    );
  }
}
