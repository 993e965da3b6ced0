import { ToolError } from "../kit/tool-error.ts";
import { renameLinks, shiftAnchors, shiftDrawing } from "./anchors.ts";
import type { Book } from "./book.ts";
import { cellOf } from "./book.ts";
import { MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { requireNoPivots } from "./pivots.ts";
import {
  type Area,
  areaName,
  readArea,
  readAreas,
  type Shift,
  shifted,
  shiftedArea,
} from "./refs.ts";
import { rewriteFormulas, shiftRewrite } from "./rewrite.ts";
import type { Sheet } from "./sheet.ts";
import { type Table, tablesOf } from "./tables.ts";
import { Element } from "./xml.ts";

/**
 * Puts rows or columns into a sheet, or takes them out, and has all follow that points there.
 * @throws ToolError for what cannot follow; the book is not to be used then.
 */
export function shiftSheet(book: Book, sheet: Sheet, shift: Shift): void {
  requireRoom(sheet, shift);
  requireNoPivots(book, sheet);
  requireWholeArrays(sheet, shift);
  const tables = tablesOf(book).filter((table) => table.sheet === sheet.name);
  for (const table of tables) requireTable(table, shift);
  sheet.unshare();
  rewriteFormulas(book, shiftRewrite(sheet.name, shift));
  moveArrays(sheet, shift);
  const { row, column } = { row: shift.axis === "row", column: shift.axis === "column" };
  sheet.data.move({
    row: (index) => (row ? shifted(index, shift) : index),
    column: (index) => (column ? shifted(index, shift) : index),
  });
  shiftTree(sheet.root, shift);
  shiftDrawing(sheet.root, shift);
  if (column) shiftColumns(sheet, shift);
  shiftAnchors(book, sheet.part, shift);
  for (const table of tables) shiftTable(sheet, table, shift);
  if (shift.count > 0) dress(sheet, shift);
  const links = shiftRewrite(sheet.name, shift);
  for (const { root } of book.sheets) renameLinks(root, (location) => links(location, undefined));
}

function requireRoom(sheet: Sheet, { axis, at, count }: Shift): void {
  const { rows, columns } = sheet.data.used();
  const [used, most] = axis === "row" ? [rows, MAX_ROW] : [columns, MAX_COLUMN];
  if (count > 0 && at <= used && used + count > most) {
    throw new ToolError(
      `"${sheet.name}" has cells up to ${axis} ${used}; ${count} more ${axis}s would push them off ` +
        `the sheet, which ends at ${most}. Nothing was written.`,
    );
  }
}

function requireWholeArrays(sheet: Sheet, shift: Shift): void {
  for (const { area, cell } of sheet.blocks()) {
    const next = shiftedArea(area, shift);
    const whole = next !== undefined && sameSize(next, area);
    const gone = next === undefined;
    const table =
      cell.formula?.kind === "dataTable" && !(whole && areaName(next) === areaName(area));
    if ((whole || gone) && !table) continue;
    const kind = cell.formula?.kind === "dataTable" ? "a what-if data table" : "an array formula";
    throw new ToolError(
      `"${sheet.name}" has ${kind} in ${areaName(area)}, which cannot be split or moved this way. ` +
        "Nothing was written. Choose another place, or clear those cells first.",
    );
  }
}

function sameSize(a: Area, b: Area): boolean {
  return a.bottom - a.top === b.bottom - b.top && a.right - a.left === b.right - b.left;
}

function moveArrays(sheet: Sheet, shift: Shift): void {
  for (const { area, row, cell } of sheet.blocks()) {
    const next = shiftedArea(area, shift);
    if (next === undefined || cell.formula === undefined) continue;
    const attributes = { ...cell.formula.attributes, ref: areaName(next) };
    sheet.data.put(row, { ...cell, formula: { ...cell.formula, attributes } });
  }
}

const AREAS = ["ref", "sqref", "topLeftCell", "activeCell"];
/** What is nothing without the cells that it is for. */
const BOUND = new Set(
  (
    "mergeCell hyperlink conditionalFormatting dataValidation autoFilter sortState sortCondition " +
    "protectedRange ignoredError cellWatch sparkline"
  ).split(" "),
);

/** Areas in the attributes of a sheet's or a table's tree. */
function shiftTree(root: Element, shift: Shift): void {
  for (const parent of [...root.walk()]) {
    for (const element of parent.elements) {
      const kept = AREAS.every((name) => shiftAttribute(element, name, shift));
      const single = element.local === "mergeCell" && !element.get("ref")?.includes(":");
      if ((!kept || single) && BOUND.has(element.local)) parent.remove(element);
      if (element.local === "sqref" && !shiftText(element, shift)) emptied(root, parent);
    }
    if (parent.get("count") !== undefined && LISTS.has(parent.local)) recount(root, parent);
    const breaks = shift.axis === "row" ? "rowBreaks" : "colBreaks";
    if (parent.local === breaks) for (const one of parent.elements) shiftBreak(parent, one, shift);
  }
  for (const name of ["mergeCells", "hyperlinks", "dataValidations", "conditionalFormatting"]) {
    for (const list of root.all(name)) if (list.elements.length === 0) root.remove(list);
  }
}

const LISTS = new Set(["mergeCells", "dataValidations"]);

function recount(root: Element, list: Element): void {
  if (list.elements.length === 0) root.remove(list);
  else if (list.get("count") !== String(list.elements.length))
    list.set("count", list.elements.length);
}

/** Says false if nothing is left of what was named. */
function shiftAttribute(element: Element, name: string, shift: Shift): boolean {
  const old = element.get(name);
  if (old === undefined) return true;
  const areas = readAreas(old);
  if (areas === undefined || areas.length === 0) return true;
  const next = areas.map((area) => shiftedArea(area, shift)).filter((area) => area !== undefined);
  const text = next.map(areaName).join(" ");
  if (next.length === 0) {
    if (!BOUND.has(element.local)) element.set(name, "A1");
    return false;
  }
  if (text !== areas.map(areaName).join(" ")) element.set(name, text);
  return true;
}

/** The extended rules of younger programs have their cells as text. */
function shiftText(element: Element, shift: Shift): boolean {
  const areas = readAreas(element.text);
  if (areas === undefined) return true;
  const next = areas.map((area) => shiftedArea(area, shift)).filter((area) => area !== undefined);
  if (next.length > 0) element.text = next.map(areaName).join(" ");
  return next.length > 0;
}

function emptied(root: Element, gone: Element): void {
  for (const parent of root.walk()) if (parent.elements.includes(gone)) parent.remove(gone);
}

function shiftBreak(list: Element, one: Element, shift: Shift): void {
  const next = shifted(Number(one.get("id") ?? 0) + 1, shift);
  if (next === undefined) list.remove(one);
  else one.set("id", next - 1);
}

function shiftColumns(sheet: Sheet, shift: Shift): void {
  const cols = sheet.root.child("cols");
  for (const col of cols?.all("col") ?? []) {
    const [left, right] = [Number(col.get("min")), Number(col.get("max"))];
    const next = shiftedArea({ top: 1, bottom: 1, left, right }, shift);
    if (next === undefined) cols?.remove(col);
    else col.set("min", next.left).set("max", next.right);
  }
  if (cols?.elements.length === 0) sheet.root.remove(cols);
}

function requireTable({ name, area, headers, totals, root }: Table, shift: Shift): void {
  const { axis, at, count } = shift;
  const next = shiftedArea(area, shift);
  if (next === undefined) {
    throw new ToolError(
      `That would delete table ${name} (${areaName(area)}) whole. Nothing was written.`,
    );
  }
  if (axis === "row" && count < 0) {
    const header = headers > 0 && shifted(area.top, shift) === undefined;
    const rows = next.bottom - next.top + 1;
    if (header || rows < headers + totals + 1) {
      throw new ToolError(
        `Table ${name} (${areaName(area)}) must keep its header and one row of data. Nothing was written.`,
      );
    }
  }
  const inside = axis === "column" && at <= area.right && (count > 0 ? at > area.left : true);
  const filtered = root.child("autoFilter")?.elements.length;
  if (inside && filtered) {
    throw new ToolError(
      `Table ${name} is filtered; its columns cannot be changed while it is. Nothing was written.`,
    );
  }
}

function shiftTable(sheet: Sheet, { root, area, headers }: Table, shift: Shift): void {
  const holder = new Element("holder", [root]);
  shiftTree(holder, shift);
  const { axis, at, count } = shift;
  const next = readArea(root.get("ref") ?? "");
  const columns = root.child("tableColumns");
  if (axis === "row" || columns === undefined || next === undefined) return;
  const list = columns.all("tableColumn");
  if (count > 0 && at > area.left && at <= area.right) {
    const names = new Set(list.map((c) => c.get("name")?.toLowerCase()));
    let id = Math.max(...list.map((c) => Number(c.get("id"))));
    let number = 1;
    const made = Array.from({ length: count }, (_, n) => {
      while (names.has(`column${number}`)) number++;
      const name = `Column${number++}`;
      if (headers > 0) sheet.data.put(next.top, cellOf(at + n, 0, name));
      return new Element("tableColumn").set("id", ++id).set("name", name);
    });
    columns.children = list.toSpliced(at - area.left, 0, ...made);
  } else {
    columns.children = list.filter((_, n) => shifted(area.left + n, shift) !== undefined);
  }
  columns.set("count", columns.elements.length);
}

/** New rows look like the row above them, new columns like the column left of them. */
function dress(sheet: Sheet, { axis, at, count }: Shift): void {
  if (at === 1) return;
  const blank = { type: "n", value: undefined, formula: undefined, inline: undefined, extra: "" };
  for (let n = 0; n < Math.min(count, 1000); n++) {
    if (axis === "row") {
      for (const { column, style } of sheet.data.cells(at - 1)) {
        if (style !== 0) sheet.data.put(at + n, { ...blank, column, style });
      }
      continue;
    }
    for (const row of sheet.data.rows) {
      const style = sheet.data.cell(row, at - 1)?.style ?? 0;
      const taken = sheet.data.cell(row, at + n) !== undefined;
      if (style !== 0 && !taken) sheet.data.put(row, { ...blank, column: at + n, style });
    }
  }
}
