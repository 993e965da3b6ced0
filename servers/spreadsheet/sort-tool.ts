import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Book, CellValue } from "./book.ts";
import { type Cell, plainFormula } from "./cells.ts";
import { Columns } from "./columns.ts";
import { translated } from "./formula.ts";
import { LIMITS } from "./limits.ts";
import { notesOf } from "./notes.ts";
import { listOf } from "./query-tools.ts";
import { areaName, cellName, contains, overlap, readArea } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { CHANGED, type Done, type EditLog, editBook, PATH, RANGE, SHEET } from "./workbooks.ts";
import { requirePlain } from "./write-tools.ts";

export function sortTool(world: World): Tool {
  return tool({
    name: "sort_range",
    title: "Sort rows",
    description:
      "Sorts the rows of a list by one or more columns; whole rows of the range move together with " +
      "their formats and formulas. Numbers and dates come before texts, empty cells last.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.optional().describe("The list; all cells in use if left out"),
      table: z.string().max(255).optional().describe("Name of a table, instead of a range"),
      by: z
        .array(
          z.object({
            column: z.string().max(300).describe('Header or letter: "Amount" or "C"'),
            descending: z.boolean().default(false),
          }),
        )
        .min(1)
        .max(8),
      header: z.boolean().default(true).describe("Whether the first row is headers, which stay"),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true },
    run: async (input) =>
      await editBook(world, input.path, (book, log) => sortAll(book, log, input)),
  });
}

interface Asked {
  readonly sheet?: string | undefined;
  readonly range?: string | undefined;
  readonly table?: string | undefined;
  readonly by: readonly { readonly column: string; readonly descending: boolean }[];
  readonly header: boolean;
}

function sortAll(book: Book, log: EditLog, asked: Asked): Done {
  const { sheet, area: list } = listOf(book, asked);
  const columns = new Columns(book, sheet, list, asked.header);
  const keys = asked.by.map((key) => ({ ...key, at: columns.find(key.column) }));
  const area = { ...list, top: list.top + (asked.header ? 1 : 0) };
  if (area.top > area.bottom) throw new ToolError(`${areaName(list)} has no rows to sort.`);
  const count = (area.bottom - area.top + 1) * (area.right - area.left + 1);
  if (count > 4 * LIMITS.writtenCells) {
    throw new ToolError(`${areaName(area)} has ${count} cells; sort at most 200000 at a time.`);
  }
  requireMovable(book, sheet, area);
  sheet.unshare();
  const rows = Array.from({ length: area.bottom - area.top + 1 }, (_, n) => {
    const row = area.top + n;
    const values = keys.map(({ at }) => book.valueOf(sheet.data.cell(row, at)));
    const cells = sheet.data.cells(row).filter((cell) => contains(area, row, cell.column));
    return { row, values, cells };
  });
  const sorted = rows.toSorted((a, b) => {
    for (const [n, { descending }] of keys.entries()) {
      const order = compare(a.values[n], b.values[n], descending);
      if (order !== 0) return order;
    }
    return a.row - b.row;
  });
  const places = new Map<number, number>();
  for (const [n, { row, cells }] of sorted.entries()) {
    const next = area.top + n;
    places.set(row, next);
    for (let column = area.left; column <= area.right; column++) sheet.data.remove(next, column);
    for (const cell of cells) put(sheet, next, cell, log, next - row);
  }
  moveLinks(sheet, area, places);
  log.area(sheet.name, area);
  const said = keys.map(({ column, descending }) => `${column}${descending ? " descending" : ""}`);
  const text = `Sorted ${rows.length} rows of "${sheet.name}" ${areaName(area)} by ${said.join(", ")}.`;
  return { range: areaName(area), text };
}

function put(sheet: Sheet, row: number, cell: Cell, log: EditLog, down: number): void {
  const { formula } = cell;
  if (formula === undefined || down === 0) {
    sheet.data.put(row, cell);
    return;
  }
  // A formula that computes with lists, all in one cell, finds out anew that it does.
  if (formula.kind === "array") log.fresh.add(`${sheet.name}!${cellName(row, cell.column)}`);
  const moved = plainFormula(translated(formula.text, down, 0));
  sheet.data.put(row, { ...cell, extra: "", formula: moved });
}

function requireMovable(book: Book, sheet: Sheet, area: Parameters<typeof areaName>[0]): void {
  requirePlain(sheet, area);
  const merged = sheet.merged.find((one) => overlap(one, area) !== undefined);
  if (merged !== undefined) {
    throw new ToolError(
      `${areaName(area)} holds the merged area ${areaName(merged)}, so its rows cannot be sorted. ` +
        "Unmerge it with merge_cells first, or sort a smaller range.",
    );
  }
  const note = notesOf(book, sheet).find(({ row, column }) => contains(area, row, column));
  if (note !== undefined) {
    throw new ToolError(
      `${cellName(note.row, note.column)} has a note, which would not move with its row. Nothing was ` +
        "written. Write the rows in their new order with write_range instead.",
    );
  }
}

function moveLinks(
  sheet: Sheet,
  area: Parameters<typeof areaName>[0],
  places: ReadonlyMap<number, number>,
): void {
  for (const link of sheet.root.child("hyperlinks")?.elements ?? []) {
    const at = readArea(link.get("ref") ?? "");
    if (at === undefined || at.top !== at.bottom || !contains(area, at.top, at.left)) continue;
    const row = places.get(at.top) ?? at.top;
    link.set("ref", areaName({ ...at, top: row, bottom: row }));
  }
}

const RANKS = { number: 0, date: 0, text: 1, boolean: 2, error: 3, empty: 4 } as const;
const COLLATOR = new Intl.Collator("en", { sensitivity: "base" });

function compare(a: CellValue | undefined, b: CellValue | undefined, descending: boolean): number {
  const [left, right] = [RANKS[a?.type ?? "empty"], RANKS[b?.type ?? "empty"]];
  // Empty cells are last, whichever way.
  if (left === RANKS.empty || right === RANKS.empty) return left - right;
  const sign = descending ? -1 : 1;
  if (left !== right) return sign * (left - right);
  if (left === RANKS.number) {
    return sign * (Number(a?.serial ?? a?.value) - Number(b?.serial ?? b?.value));
  }
  return sign * COLLATOR.compare(String(a?.value), String(b?.value));
}
