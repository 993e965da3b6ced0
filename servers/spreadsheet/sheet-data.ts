import { ToolError } from "../kit/tool-error.ts";
import { type Cell, cellText, readCell } from "./cells.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { cellName, columnNumber } from "./refs.ts";
import { attributeOf, malformed, nextTag } from "./xml.ts";

interface Row {
  readonly index: number;
  /** The opening tag without its brackets. */
  tag: string;
  /** As read, until a cell of it is changed. */
  source: string | undefined;
  cells: Map<number, Cell> | undefined;
}

/**
 * The cells of a sheet. A row stays text until it is asked for, and is written as it was read
 * unless a cell of it was put or removed.
 */
export class SheetData {
  #rows = new Map<number, Row>();
  #sorted: number[] | undefined = [];

  /** `inside`: what stands between `<sheetData>` and its end. */
  static read(inside: string, part: string): SheetData {
    const data = new SheetData();
    let at = 0;
    let last = 0;
    let count = 0;
    for (;;) {
      const tag = nextTag(inside, at, part);
      if (tag === undefined) break;
      if (tag.name !== "row" || tag.kind === "close") throw malformed(part, tag.start);
      if (++count > LIMITS.listedRows) throw tooManyRows(part);
      const head = inside.slice(tag.start + 1, tag.end - (tag.kind === "empty" ? 2 : 1));
      const index = Number(attributeOf(head, "r") ?? last + 1);
      if (!Number.isInteger(index) || index < 1 || index > MAX_ROW) throw malformed(part, at);
      at = tag.end;
      if (tag.kind === "open") {
        at = inside.indexOf("</row", tag.end);
        if (at < 0) throw malformed(part, tag.end);
        at = inside.indexOf(">", at) + 1;
      }
      if (data.#rows.has(index)) throw malformed(part, tag.start);
      const source = inside.slice(tag.start, at);
      data.#rows.set(index, { index, tag: head.trimEnd(), source, cells: undefined });
      last = index;
    }
    data.#sorted = undefined;
    return data;
  }

  /** Numbers of the rows that the file lists, in order. */
  get rows(): readonly number[] {
    this.#sorted ??= [...this.#rows.keys()].sort((a, b) => a - b);
    return this.#sorted;
  }

  cell(row: number, column: number): Cell | undefined {
    return this.#cellsOf(row)?.get(column);
  }

  /** The cells of a row, from left to right. */
  cells(row: number): Cell[] {
    const cells = this.#cellsOf(row);
    if (cells === undefined) return [];
    return [...cells.values()].sort((a, b) => a.column - b.column);
  }

  /** The same, for once: nothing of them is kept. */
  peek(row: number): Cell[] {
    return this.#cellsIn(row);
  }

  /** Whether a row's text may hold what is looked for; cheap. */
  mayHold(row: number, pattern: RegExp): boolean {
    const found = this.#rows.get(row);
    return found?.source === undefined || pattern.test(found.source);
  }

  put(row: number, cell: Cell): void {
    const cells = this.#opened(row);
    cells.set(cell.column, cell);
  }

  remove(row: number, column: number): void {
    if (this.cell(row, column) !== undefined) this.#opened(row).delete(column);
  }

  rowTag(row: number): string | undefined {
    return this.#rows.get(row)?.tag;
  }

  setRowTag(row: number, tag: string): void {
    this.#opened(row);
    const found = this.#rows.get(row);
    if (found !== undefined) found.tag = tag;
  }

  /** Gives every row and cell its new place; `undefined` takes it out. */
  move(place: {
    row(row: number): number | undefined;
    column(column: number): number | undefined;
  }) {
    const rows = new Map<number, Row>();
    for (const index of this.rows) {
      const next = place.row(index);
      const old = this.#rows.get(index);
      if (next === undefined || old === undefined) continue;
      const cells = new Map<number, Cell>();
      let same = next === index;
      for (const cell of this.cells(index)) {
        const column = place.column(cell.column);
        if (column !== cell.column) same = false;
        if (column !== undefined) cells.set(column, { ...cell, column });
      }
      const changed = { index: next, tag: old.tag, source: undefined, cells };
      rows.set(next, same ? old : changed);
    }
    this.#rows = rows;
    this.#sorted = undefined;
  }

  /** The last row and column that hold a value or a formula; zeros for an empty sheet. */
  used(): { rows: number; columns: number } {
    let [rows, columns] = [0, 0];
    for (const index of this.rows) {
      const source = this.#rows.get(index)?.source;
      const last = lastNamed(source) ?? this.#cellsIn(index).findLast((c) => !isBlank(c))?.column;
      if (last === undefined) continue;
      rows = index;
      columns = Math.max(columns, last);
    }
    return { rows, columns };
  }

  toString(): string {
    return this.rows.map((index) => this.#rowText(index)).join("");
  }

  #rowText(index: number): string {
    const row = this.#rows.get(index);
    if (row === undefined) return "";
    if (row.source !== undefined) return row.source;
    const cells = [...(row.cells?.values() ?? [])].sort((a, b) => a.column - b.column);
    const inside = cells.map((cell) => cellText(cell, cellName(index, cell.column))).join("");
    const bare = row.tag.replace(/\s+(?:r|spans)\s*=\s*(?:"[^"]*"|'[^']*')/g, "").slice(3);
    const tag = `row r="${index}"${bare}`;
    if (inside === "" && bare === "") return "";
    return inside === "" ? `<${tag}/>` : `<${tag}>${inside}</row>`;
  }

  #opened(index: number): Map<number, Cell> {
    const cells = this.#cellsOf(index) ?? new Map<number, Cell>();
    const row = this.#rows.get(index);
    if (row === undefined) {
      this.#rows.set(index, { index, tag: "row", source: undefined, cells });
      this.#sorted = undefined;
      return cells;
    }
    row.source = undefined;
    row.cells = cells;
    return cells;
  }

  #cellsOf(index: number): Map<number, Cell> | undefined {
    const row = this.#rows.get(index);
    if (row === undefined) return undefined;
    row.cells ??= new Map(this.#cellsIn(index).map((cell) => [cell.column, cell]));
    return row.cells;
  }

  #cellsIn(index: number): Cell[] {
    const row = this.#rows.get(index);
    if (row === undefined) return [];
    if (row.cells !== undefined) return this.cells(index);
    return readRow(row.source ?? "", index);
  }
}

/** A cell that shows nothing; it may be coloured. */
export function isBlank(cell: Cell): boolean {
  return cell.value === undefined && cell.formula === undefined && cell.inline === undefined;
}

/** Without reading all of a row: the column of its last cell, if that one says it and is not blank. */
function lastNamed(source: string | undefined): number | undefined {
  if (source === undefined) return undefined;
  const start = source.lastIndexOf("<c ");
  if (start < 0 || !/<(?:v|f|is)[\s>]/.test(source.slice(start))) return undefined;
  const name = attributeOf(source.slice(start, source.indexOf(">", start)), "r");
  return columnNumber(name?.replace(/\d+$/, "") ?? "") || undefined;
}

function readRow(source: string, row: number): Cell[] {
  const part = `of the sheet, row ${row},`;
  const first = nextTag(source, 0, part);
  const cells: Cell[] = [];
  let last = 0;
  let at = first?.end ?? source.length;
  for (;;) {
    const tag = nextTag(source, at, part);
    if (tag === undefined || tag.kind === "close") break;
    let inside = "";
    at = tag.end;
    if (tag.kind === "open") {
      const end = source.indexOf(`</${tag.name}`, tag.end);
      if (end < 0) throw malformed(part, tag.start);
      inside = source.slice(tag.end, end);
      at = source.indexOf(">", end) + 1;
    }
    if (tag.name !== "c") continue;
    const head = source.slice(tag.start + 1, tag.end - (tag.kind === "empty" ? 2 : 1));
    const name = attributeOf(head, "r");
    const column = name === undefined ? last + 1 : columnNumber(name.replace(/\d+$/, ""));
    if (column < 1 || column > MAX_COLUMN) throw malformed(part, tag.start);
    cells.push(readCell(head, inside, column));
    last = column;
  }
  return cells;
}

function tooManyRows(part: string): ToolError {
  return new ToolError(
    `${part} lists more than ${LIMITS.listedRows} rows, too many for these tools. ` +
      "Work on it with a program in the terminal, or split it.",
  );
}
