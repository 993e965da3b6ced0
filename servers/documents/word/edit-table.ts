import { ToolError } from "../../kit/tool-error.ts";
import { propertiesOf } from "./edit-blocks.ts";
import { cellsOf, rowsOf } from "./read-word.ts";
import { markParagraphRemoved } from "./replace.ts";
import { inOrder } from "./run-text.ts";
import { isMark, type Spot, spots, stripCell, stripRow, widen, wrapAdded } from "./table-grid.ts";
import { factsOf, type Tracking } from "./tracking.ts";
import type { WordFile } from "./word-file.ts";
import { WordWriter } from "./write-word.ts";
import {
  attr,
  childOf,
  childrenOf,
  descendants,
  type Element,
  elements,
  insertAfter,
  make,
  nameOf,
  remove,
  setAttr,
} from "./xml.ts";

export interface TableEdit {
  readonly action: "set_cell" | "insert_row" | "delete_row" | "insert_column" | "delete_column";
  readonly row?: number | undefined;
  readonly column?: number | undefined;
  readonly text?: string | undefined;
  readonly values?: readonly string[] | undefined;
}

/** Edits a table; rows and columns count from 1, each edit sees what those before it left. */
export function editTable(
  file: WordFile,
  table: Element,
  edits: readonly TableEdit[],
  tracking: Tracking | undefined,
): string[] {
  const editor = new TableEditor(file, table, tracking);
  file.touch(file.main);
  return edits.map((edit) => editor.apply(edit));
}

class TableEditor {
  readonly #file: WordFile;
  readonly #table: Element;
  readonly #tracking: Tracking | undefined;

  constructor(file: WordFile, table: Element, tracking: Tracking | undefined) {
    this.#file = file;
    this.#table = table;
    this.#tracking = tracking;
  }

  apply({ action, text, values = [], ...place }: TableEdit): string {
    const row = () => given(action, "row", place.row);
    const column = () => given(action, "column", place.column);
    switch (action) {
      case "set_cell":
        this.#setCell(this.#spot(row(), column()), given(action, "text", text));
        return `set row ${row()}, column ${column()}`;
      case "insert_row":
        this.#insertRow(row(), values);
        return `inserted row ${row()}`;
      case "delete_row":
        this.#deleteRow(row());
        return `deleted row ${row()}`;
      case "insert_column":
        this.#untracked("columns");
        this.#insertColumn(column(), values);
        return `inserted column ${column()}`;
      case "delete_column":
        this.#untracked("columns");
        this.#deleteColumn(column());
        return `deleted column ${column()}`;
    }
  }

  #untracked(what: string): void {
    if (this.#tracking === undefined) return;
    throw new ToolError(
      `Changes of ${what} cannot be tracked. Set "tracked": false to make them at once. ` +
        "Nothing was changed.",
    );
  }

  get #rows(): Element[] {
    return rowsOf(this.#table);
  }

  #row(number: number): Element {
    const row = this.#rows[number - 1];
    if (row !== undefined) return row;
    throw new ToolError(
      `The table has ${this.#rows.length} rows; there is no row ${number}. Nothing was changed.`,
    );
  }

  get #columns(): number {
    return Math.max(0, ...this.#rows.map((row) => spots(row).reduce((n, s) => n + s.width, 0)));
  }

  #spot(row: number, column: number): Spot {
    const all = spots(this.#row(row));
    const found = all.find(({ from, width }) => column - 1 >= from && column - 1 < from + width);
    if (found === undefined) {
      throw new ToolError(
        `Row ${row} of the table has no column ${column}; the table has ${this.#columns} columns. ` +
          "Nothing was changed.",
      );
    }
    const merge = childOf(childOf(found.cell, "w:tcPr"), "w:vMerge");
    const hidden = merge !== undefined && attr(merge, "w:val") !== "restart";
    if (hidden || found.from !== column - 1) {
      const where = hidden ? "above it" : "at its left";
      throw new ToolError(
        `Row ${row}, column ${column} is covered by the merged cell ${where}; set that one. ` +
          "Nothing was changed.",
      );
    }
    return found;
  }

  /** The cell's text; the look of its first paragraph and first letter stays. */
  #setCell({ cell }: { readonly cell: Element }, text: string): void {
    const paragraphs = childrenOf(cell, "w:p");
    const [first] = paragraphs;
    const pPr = childOf(first, "w:pPr");
    const run = descendants(cell, "w:r").find((one) => childOf(one, "w:rPr") !== undefined);
    const rPr = childOf(run, "w:rPr") ?? childOf(pPr, "w:rPr");
    const made = this.#content(text, pPr, rPr);
    const old = elements(cell).filter((one) => nameOf(one) !== "w:tcPr");
    if (this.#tracking === undefined || first === undefined) {
      for (const one of old) remove(one);
      for (const one of made) cell.appendChild(one);
      return;
    }
    for (const paragraph of descendants(cell, "w:p")) {
      markParagraphRemoved(paragraph, this.#tracking);
    }
    const last = paragraphs.at(-1) ?? first;
    // New text joins the last paragraph, so that taking the change back leaves no empty one.
    for (const paragraph of made) {
      for (const one of elements(paragraph)) if (nameOf(one) !== "w:pPr") last.appendChild(one);
    }
  }

  #content(text: string, pPr: Element | undefined, rPr: Element | undefined): Element[] {
    const lines = text === "" ? [] : text.split("\n");
    const blocks = lines.map((line) => ({ kind: "paragraph" as const, inlines: [{ text: line }] }));
    const properties = pPr?.cloneNode(true) as Element | undefined;
    for (const name of ["w:rPr", "w:sectPr", "w:pPrChange"]) {
      const found = childOf(properties, name);
      if (found !== undefined) remove(found);
    }
    const look = rPr?.cloneNode(true) as Element | undefined;
    const kept = look === undefined ? [] : inOrder(elements(look)).filter((one) => !isMark(one));
    for (const one of look === undefined ? [] : elements(look)) remove(one);
    for (const one of kept) look?.appendChild(one);
    const like = { pPr: properties, rPr: look };
    const writer = new WordWriter(this.#file, { tracking: this.#tracking, like });
    if (blocks.length > 0) return writer.elements(blocks);
    return [make(this.#file.document, "w:p", {}, properties === undefined ? [] : [properties])];
  }

  #insertRow(number: number, values: readonly string[]): void {
    const rows = this.#rows;
    if (number > rows.length + 1) this.#row(number);
    // A new row looks as the one whose place it takes, or as the last one.
    const pattern = rows[number - 1] ?? rows.at(-1);
    if (pattern === undefined) throw new ToolError("The table has no rows to go by.");
    if (values.length > spots(pattern).length) {
      throw new ToolError(
        `${values.length} values do not fit a row of ${spots(pattern).length} cells. ` +
          "Nothing was changed.",
      );
    }
    const row = pattern.cloneNode(true) as Element;
    stripRow(row, rows[number - 1] !== undefined);
    const place = rows[number - 1];
    if (place === undefined) insertAfter(row, rows.at(-1) ?? pattern);
    else place.parentNode?.insertBefore(row, place);
    cellsOf(row).forEach((cell, n) => {
      const tracking = this.#tracking;
      const plain = new TableEditor(this.#file, this.#table, undefined);
      plain.#setCell({ cell }, values[n] ?? "");
      if (tracking === undefined) return;
      for (const run of descendants(cell, "w:r")) wrapAdded(run, tracking);
    });
    if (this.#tracking === undefined) return;
    const mark = make(this.#file.document, "w:ins", factsOf(this.#tracking));
    propertiesOf(row, "w:trPr").appendChild(mark);
  }

  #deleteRow(number: number): void {
    const row = this.#row(number);
    if (this.#tracking !== undefined) {
      for (const paragraph of descendants(row, "w:p"))
        markParagraphRemoved(paragraph, this.#tracking);
      const mark = make(this.#file.document, "w:del", factsOf(this.#tracking));
      propertiesOf(row, "w:trPr").appendChild(mark);
      return;
    }
    if (this.#rows.length === 1) {
      throw new ToolError("It is the table's only row. Delete the table with edit_blocks instead.");
    }
    this.#handOnMerges(row);
    remove(row);
  }

  /** A tall cell that begins in a row which goes, begins in the next one. */
  #handOnMerges(row: Element): void {
    const rows = this.#rows;
    const next = rows[rows.indexOf(row) + 1];
    if (next === undefined) return;
    for (const { cell, from } of spots(row)) {
      const merge = childOf(childOf(cell, "w:tcPr"), "w:vMerge");
      if (merge === undefined || attr(merge, "w:val") !== "restart") continue;
      const below = spots(next).find((spot) => spot.from === from)?.cell;
      const goesOn = childOf(childOf(below, "w:tcPr"), "w:vMerge");
      if (below === undefined || goesOn === undefined) continue;
      setAttr(goesOn, "w:val", "restart");
      for (const one of elements(below)) if (nameOf(one) !== "w:tcPr") remove(one);
      for (const one of elements(cell)) if (nameOf(one) !== "w:tcPr") below.appendChild(one);
    }
  }

  #insertColumn(number: number, values: readonly string[]): void {
    if (number > this.#columns + 1) {
      throw new ToolError(`The table has ${this.#columns} columns. Nothing was changed.`);
    }
    this.#rows.forEach((row, y) => {
      const all = spots(row);
      const place = all.find(({ from, width }) => from + width > number - 1);
      if (place !== undefined && place.from < number - 1) {
        widen(place, 1);
        return;
      }
      const pattern = place?.cell ?? all.at(-1)?.cell;
      if (pattern === undefined) return;
      const cell = pattern.cloneNode(true) as Element;
      stripCell(cell);
      if (place === undefined) insertAfter(cell, pattern);
      else pattern.parentNode?.insertBefore(cell, pattern);
      this.#setCell({ cell }, values[y] ?? "");
    });
    const grid = childOf(this.#table, "w:tblGrid");
    const columns = grid === undefined ? [] : childrenOf(grid, "w:gridCol");
    const like = columns[Math.min(number, columns.length) - 1];
    if (like !== undefined) grid?.insertBefore(like.cloneNode(true), columns[number - 1] ?? null);
  }

  #deleteColumn(number: number): void {
    if (number > this.#columns || this.#columns === 1) {
      throw new ToolError(
        `The table has ${this.#columns} columns; column ${number} cannot be deleted. ` +
          "Nothing was changed.",
      );
    }
    for (const row of this.#rows) {
      const spot = spots(row).find(
        ({ from, width }) => number - 1 >= from && number - 1 < from + width,
      );
      if (spot === undefined) continue;
      if (spot.width > 1) widen(spot, -1);
      else remove(spot.cell);
      if (cellsOf(row).length === 0) remove(row);
    }
    const grid = childOf(this.#table, "w:tblGrid");
    const column = grid === undefined ? undefined : childrenOf(grid, "w:gridCol")[number - 1];
    if (column !== undefined) remove(column);
  }
}

function given<T>(action: string, name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new ToolError(`The action ${action} needs "${name}". Nothing was changed.`);
}
