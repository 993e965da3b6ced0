import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { type Area, areaName, askedArea, cellName, columnName, overlap } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { placeInOrder } from "./sheet-order.ts";
import { shiftSheet } from "./structure.ts";
import type { StyleChange } from "./styles.ts";
import { tablesOf } from "./tables.ts";
import { CHANGED, type Done, type EditLog, editBook, PATH, RANGE, SHEET } from "./workbooks.ts";
import { blank } from "./write-cells.ts";
import { Element } from "./xml.ts";

export function layoutTools(world: World): Tool[] {
  return [shifter(world, "insert"), shifter(world, "delete"), formatter(world), merger(world)];
}

function shifter(world: World, verb: "insert" | "delete"): Tool {
  const inserts = verb === "insert";
  return tool({
    name: `${verb}_rows_or_columns`,
    title: inserts ? "Insert rows or columns" : "Delete rows or columns",
    description: inserts
      ? "Inserts empty rows or columns; what is below or right moves on, and formulas, names, tables, " +
        "rules and charts follow. New ones look like those before them."
      : "Deletes whole rows or columns; what is below or right moves up, and formulas, names, tables, " +
        "rules and charts follow. Formulas that read deleted cells alone come to #REF!.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      at: z
        .string()
        .max(20)
        .describe(
          inserts
            ? 'Row number or column letter that the first new one takes: "5" or "C"'
            : 'First row number or column letter to delete: "5" or "C"',
        ),
      count: z.int().min(1).max(100_000).default(1),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: !inserts },
    run: async ({ path, sheet: name, at, count }) =>
      await editBook(world, path, (book, log) => {
        const sheet = book.sheet(name);
        const row = /^\d+$/.test(at.trim());
        if (!row && !/^[A-Za-z]{1,3}$/.test(at.trim())) {
          throw new ToolError(`"${at}" is no row number ("5") and no column letter ("C").`);
        }
        const first = askedArea(`${at.trim()}:${at.trim()}`);
        const line = row ? first.top : first.left;
        const axis = row ? "row" : "column";
        if (line + count - 1 > (row ? MAX_ROW : MAX_COLUMN)) {
          throw new ToolError(`That goes past the last ${axis} of a sheet. Nothing was written.`);
        }
        if (!inserts) log.area(sheet.name, { top: 1, left: 1, bottom: MAX_ROW, right: MAX_COLUMN });
        shiftSheet(book, sheet, { axis, at: line, count: inserts ? count : -count });
        const range = row
          ? `${line}:${line + count - 1}`
          : `${columnName(line)}:${columnName(line + count - 1)}`;
        const done = inserts ? "Inserted" : "Deleted";
        const text = `${done} ${count} ${axis}${count === 1 ? "" : "s"}, ${range}, in "${sheet.name}" of ${book.path}.`;
        return { range, text };
      }),
  });
}

const COLOUR = z
  .string()
  .regex(/^#?[0-9A-Fa-f]{6}$/)
  .describe('"FFC000"');

function formatter(world: World): Tool {
  return tool({
    name: "format_range",
    title: "Format cells",
    description:
      "Changes how cells look: number format, font, fill, border, alignment, width and height. Only " +
      "what is given changes, values stay.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.describe('"A1:D1"; "C:C" for whole columns'),
      number_format: z
        .string()
        .max(255)
        .optional()
        .describe('A format code: "#,##0.00", "0%", "yyyy-mm-dd", "@" for text, "General"'),
      bold: z.boolean().optional(),
      italic: z.boolean().optional(),
      underline: z.boolean().optional(),
      font_size: z.number().min(1).max(409).optional(),
      font_color: COLOUR.optional(),
      fill: z.union([COLOUR, z.literal("none")]).optional(),
      border: z.enum(["none", "thin", "medium", "thick"]).optional().describe("On all four sides"),
      horizontal: z.enum(["general", "left", "center", "right"]).optional(),
      vertical: z.enum(["top", "center", "bottom"]).optional(),
      wrap: z.boolean().optional().describe("Break long texts into lines"),
      column_width: z.number().min(0).max(255).optional().describe("In characters"),
      row_height: z.number().min(0).max(409).optional().describe("In points"),
    }),
    output: CHANGED,
    hints: { readOnly: false, idempotent: true },
    run: async (input) =>
      await editBook(world, input.path, (book) => {
        const sheet = book.sheet(input.sheet);
        const area = askedArea(input.range);
        const change: StyleChange = {
          numberFormat: input.number_format,
          bold: input.bold,
          italic: input.italic,
          underline: input.underline,
          fontSize: input.font_size,
          fontColor: hex(input.font_color),
          fill: input.fill === "none" ? "none" : hex(input.fill),
          border: input.border,
          horizontal: input.horizontal,
          vertical: input.vertical,
          wrap: input.wrap,
        };
        if (Object.values(change).some((one) => one !== undefined))
          dress(book, sheet, area, change);
        if (input.column_width !== undefined) setWidths(sheet, area, { width: input.column_width });
        if (input.row_height !== undefined) setHeights(sheet, area, input.row_height);
        const text = `Formatted "${sheet.name}" ${areaName(area)} of ${book.path}.`;
        return { range: areaName(area), text };
      }),
  });
}

function hex(colour: string | undefined): string | undefined {
  return colour?.replace("#", "").toUpperCase();
}

function dress(book: Book, sheet: Sheet, area: Area, change: StyleChange): void {
  const whole = area.top === 1 && area.bottom === MAX_ROW;
  if (whole) {
    setWidths(sheet, area, { style: (old) => book.styles.changed(old, change) });
    for (const row of sheet.data.rows) {
      for (const cell of sheet.data.cells(row)) {
        if (cell.column < area.left || cell.column > area.right) continue;
        sheet.data.put(row, { ...cell, style: book.styles.changed(cell.style, change) });
      }
    }
    return;
  }
  const right = area.right === MAX_COLUMN ? Math.max(sheet.data.used().columns, 1) : area.right;
  const count = (area.bottom - area.top + 1) * (right - area.left + 1);
  if (count > LIMITS.writtenCells) {
    throw new ToolError(
      `${areaName(area)} has ${count} cells; format at most ${LIMITS.writtenCells}, or whole columns (C:D).`,
    );
  }
  for (let row = area.top; row <= area.bottom; row++) {
    for (let column = area.left; column <= right; column++) {
      const cell = sheet.data.cell(row, column) ?? blank(column, sheet.styleFor(row, column));
      sheet.data.put(row, { ...cell, style: book.styles.changed(cell.style, change) });
    }
  }
}

interface ColumnChange {
  readonly width?: number;
  readonly style?: (old: number) => number;
}

/** Column entries say ranges; those that are cut by the area are split. */
function setWidths(sheet: Sheet, { left, right }: Area, { width, style }: ColumnChange): void {
  let cols = sheet.root.child("cols");
  if (cols === undefined) {
    cols = new Element("cols", [], false);
    placeInOrder(sheet.root, cols);
  }
  const made: Element[] = [];
  const covered: [number, number][] = [];
  for (const col of cols.all("col")) {
    const [min, max] = [Number(col.get("min")), Number(col.get("max"))];
    const inside = overlap(
      { top: 1, bottom: 1, left: min, right: max },
      { top: 1, bottom: 1, left, right },
    );
    if (inside === undefined) {
      made.push(col);
      continue;
    }
    if (min < inside.left) made.push(col.clone().set("max", inside.left - 1));
    made.push(
      changed(col.clone().set("min", inside.left).set("max", inside.right), { width, style }),
    );
    if (max > inside.right) made.push(col.clone().set("min", inside.right + 1));
    covered.push([inside.left, inside.right]);
  }
  let next = left;
  for (const [from, to] of [...covered.sort((a, b) => a[0] - b[0]), [right + 1, right + 1]]) {
    if (from !== undefined && from > next) {
      const col = new Element("col").set("min", next).set("max", from - 1);
      made.push(changed(col.set("width", 9.140625), { width, style }));
    }
    next = (to ?? next) + 1;
  }
  cols.children = made.sort((a, b) => Number(a.get("min")) - Number(b.get("min")));
}

function changed(
  col: Element,
  { width, style }: { width: number | undefined; style: ColumnChange["style"] },
): Element {
  if (width !== undefined) col.set("width", width).set("customWidth", 1);
  if (style !== undefined) col.set("style", style(Number(col.get("style") ?? 0)));
  return col;
}

function setHeights(sheet: Sheet, { top, bottom }: Area, height: number): void {
  if (bottom - top >= 10_000) throw new ToolError("Give at most 10000 rows a height at a time.");
  for (let row = top; row <= bottom; row++) {
    const tag = sheet.data.rowTag(row) ?? "row";
    const bare = tag.replace(/\s(?:ht|customHeight)\s*=\s*"[^"]*"/g, "");
    sheet.data.setRowTag(row, `${bare} ht="${height}" customHeight="1"`);
  }
}

function merger(world: World): Tool {
  return tool({
    name: "merge_cells",
    title: "Merge or unmerge cells",
    description:
      "Merges an area into one cell, which keeps the value of its first cell; refuses if others hold " +
      "values. With unmerge, splits the merged areas in it.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.describe('"A1:D1"'),
      unmerge: z.boolean().default(false),
    }),
    output: CHANGED,
    hints: { readOnly: false, idempotent: true },
    run: async ({ path, sheet: name, range, unmerge }) =>
      await editBook(world, path, (book, log) => {
        const sheet = book.sheet(name);
        const area = askedArea(range);
        return unmerge ? splitCells(sheet, area) : mergeCells(book, sheet, area, log);
      }),
  });
}

function mergeCells(book: Book, sheet: Sheet, area: Area, log: EditLog): Done {
  const name = areaName(area);
  if (area.top === area.bottom && area.left === area.right) {
    throw new ToolError(`${name} is a single cell; give an area such as A1:D1.`);
  }
  const other = sheet.merged.find((one) => overlap(one, area) !== undefined);
  if (other !== undefined && areaName(other) !== name) {
    throw new ToolError(`${name} touches the merged area ${areaName(other)}. Unmerge that first.`);
  }
  const table = tablesOf(book).find((t) => t.sheet === sheet.name && overlap(t.area, area));
  if (table !== undefined)
    throw new ToolError(`${name} touches table ${table.name}; cells of tables cannot be merged.`);
  for (const row of sheet.data.rows) {
    if (row < area.top || row > area.bottom) continue;
    for (const cell of sheet.data.cells(row)) {
      const first = row === area.top && cell.column === area.left;
      if (first || cell.column < area.left || cell.column > area.right) continue;
      if (book.valueOf(cell).type === "empty" && cell.formula === undefined) continue;
      throw new ToolError(
        `${cellName(row, cell.column)} holds a value, which merging ${name} would hide. Nothing was ` +
          "written. Empty it first (write_range with null), or merge other cells.",
      );
    }
  }
  log.area(sheet.name, area);
  if (other === undefined) {
    let list = sheet.root.child("mergeCells");
    if (list === undefined) {
      list = new Element("mergeCells", [], false);
      placeInOrder(sheet.root, list);
    }
    list.children.push(new Element("mergeCell").set("ref", name));
    list.set("count", list.elements.length);
  }
  return { range: name, text: `Merged "${sheet.name}" ${name}.` };
}

function splitCells(sheet: Sheet, area: Area): Done {
  const list = sheet.root.child("mergeCells");
  const touched = sheet.merged.filter((one) => overlap(one, area) !== undefined).map(areaName);
  if (list === undefined || touched.length === 0) {
    throw new ToolError(`"${sheet.name}" has no merged cells in ${areaName(area)}.`);
  }
  for (const one of list.elements) if (touched.includes(one.get("ref") ?? "")) list.remove(one);
  list.set("count", list.elements.length);
  if (list.elements.length === 0) sheet.root.remove(list);
  return { range: areaName(area), text: `Unmerged ${touched.join(", ")}.` };
}
