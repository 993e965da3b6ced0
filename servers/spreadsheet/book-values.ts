// What a grader reads of a workbook: every cell, with its formula computed by the code that the
// tools have. Values that a file remembers for its formulas are believed nowhere.
import { ToolError } from "../kit/tool-error.ts";
import { Book, type CellValue, cellOf } from "./book.ts";
import type { Result, ResultValue } from "./calculation.ts";
import { CalculationFailed } from "./calculator.ts";
import { areaOf, computeBook, type Task } from "./compute.ts";
import { fileError } from "./formula-results.ts";
import { isoOfSerial, serialOfIso } from "./number-formats.ts";
import { cellName, contains, placesIn } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { UnreadableCells } from "./unreadable-cells.ts";

export interface ValuesRequest {
  /** What the file is called in messages. */
  readonly path: string;
  /** Milliseconds since 1970; null: nobody says what time it is. */
  readonly now: number | null;
  /** Cells that are given another value before all is computed. */
  readonly changes: readonly Change[];
}

export interface Change {
  readonly sheet: string;
  readonly row: number;
  readonly column: number;
  /** Null empties the cell; a date is ISO 8601 under "date". */
  readonly value: string | number | boolean | null | { readonly date: string };
}

/**
 * A cell: row, column, kind (`n` number, `s` text, `b` truth value, `e` error, `d` date or time as
 * ISO 8601, `?` unreadable: the value says why) and value; then its formula, if it has one.
 */
export type ValueCell = readonly [number, number, string, string | number | boolean, string?];

export interface SheetValues {
  readonly name: string;
  readonly hidden: boolean;
  readonly cells: readonly ValueCell[];
}

export type ValuesAnswer =
  | { readonly sheets: readonly SheetValues[] }
  | { readonly failed: string };

const CPU_MS = 5_000;
const MOST_FILLED = 400_000;

/** Never throws for what stands in the file: the answer says why it cannot be read. */
export async function bookValues(bytes: Buffer, request: ValuesRequest): Promise<ValuesAnswer> {
  try {
    const book = Book.open(bytes, request.path);
    for (const change of request.changes) apply(book, change);
    const found = await computedCells(book, request.now);
    const entries = book.entries.filter(({ cells }) => cells);
    const sheets = entries.map(({ name, state }) => {
      const sheet = book.sheet(name);
      const cells = cellsOf(book, sheet, found.get(sheet) ?? new Map());
      return { name, hidden: state !== "visible", cells };
    });
    return { sheets };
  } catch (error) {
    if (error instanceof ToolError) return { failed: error.message };
    // Whatever the code meets in a crafted file is no fault of who grades it.
    return { failed: `it could not be read (${error instanceof Error ? error.message : error})` };
  }
}

/** What a formula gives one of the cells that it fills; a text says why that is not known. */
interface Found {
  readonly row: number;
  readonly column: number;
  readonly value: ResultValue | string;
  /** In the cell that holds it. */
  readonly formula: string | undefined;
}

/** By sheet, then by cell. */
type ComputedCells = ReadonlyMap<Sheet, ReadonlyMap<string, Found>>;

async function computedCells(book: Book, now: number | null): Promise<ComputedCells> {
  const sheets = new Map(book.sheets.map((sheet) => [sheet, new Map<string, Found>()]));
  const { tasks, results, failed } = await computed(book, now);
  const unreadable = new UnreadableCells(tasks, now !== null);
  for (const task of tasks) {
    const { sheet, row, cell } = task;
    const put = (r: number, c: number, value: ResultValue | string) => {
      const own = r === row && c === cell.column;
      const formula = own ? `=${sheet.formulaText(row, cell)}` : undefined;
      sheets.get(sheet)?.set(cellName(r, c), { row: r, column: c, value, formula });
    };
    const result = results.get(task.name);
    const why = failed ?? unreadable.reason(task);
    if (why === undefined && result !== undefined) {
      for (const [n, value] of result.values.entries()) {
        put(row + Math.floor(n / result.width), cell.column + (n % result.width), value);
      }
      continue;
    }
    const area = areaOf(task);
    if ((area.bottom - area.top + 1) * (area.right - area.left + 1) > MOST_FILLED) {
      throw new ToolError(`the formula in ${task.name} fills too many cells`);
    }
    for (const at of placesIn(area)) put(at.row, at.column, why ?? "it has no value");
  }
  return sheets;
}

async function computed(book: Book, now: number | null) {
  try {
    const options = { fresh: new Set<string>(), cpuMs: CPU_MS, believesStored: false };
    const found = await computeBook(book, { ...options, now: now ?? 0 });
    return { ...found, failed: undefined };
  } catch (error) {
    if (!(error instanceof CalculationFailed)) throw error;
    const failed = `the workbook's formulas take too much: ${error.message}`;
    return { tasks: tasksUnread(book), results: new Map<string, Result>(), failed };
  }
}

function tasksUnread(book: Book): Task[] {
  return book.sheets.flatMap((sheet) => {
    return sheet.formulas().map(({ row, cell }): Task => {
      const formula = { reason: "", reads: [], readsAll: false };
      return { sheet, row, cell, name: cellName(row, cell.column), asArray: false, formula };
    });
  });
}

function cellsOf(book: Book, sheet: Sheet, found: ReadonlyMap<string, Found>): ValueCell[] {
  const filled = sheet.blocks().map(({ area }) => area);
  const cells: ValueCell[] = [];
  for (const { row, column, value, formula } of found.values()) {
    const style = sheet.data.cell(row, column)?.style ?? 0;
    const read = resultOf(book, style, value);
    cells.push(formula === undefined ? [row, column, ...read] : [row, column, ...read, formula]);
  }
  for (const row of sheet.data.rows) {
    const covering = filled.filter((area) => row >= area.top && row <= area.bottom);
    for (const cell of sheet.data.peek(row)) {
      const { column, formula } = cell;
      // What is remembered for cells that a formula fills is not read.
      if (found.has(cellName(row, column))) continue;
      if (covering.some((area) => contains(area, row, column))) continue;
      if (formula !== undefined) cells.push([row, column, "?", "its formula is empty", "="]);
      else cells.push(...constantOf(row, column, book.valueOf(cell)));
    }
  }
  return cells.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function constantOf(row: number, column: number, { type, value }: CellValue): ValueCell[] {
  if (type === "empty" || value === null) return [];
  return [[row, column, type === "error" ? "e" : KINDS[type], value]];
}

const KINDS = { number: "n", text: "s", boolean: "b", date: "d" } as const;

function resultOf(
  book: Book,
  style: number,
  result: ResultValue | string,
): readonly [string, string | number | boolean] {
  if (typeof result === "string") return ["?", result];
  const { kind, text } = result;
  if (kind === "boolean") return ["b", text === "TRUE"];
  if (kind === "error") return ["e", fileError(text)];
  if (kind === "text") return ["s", text];
  const number = Number(text);
  const meant = book.kindOf(style);
  if (meant === "number" || meant === "text") return ["n", number];
  const iso = isoOfSerial(number, meant, book.from1904);
  return iso === undefined ? ["n", number] : ["d", iso];
}

function apply(book: Book, { sheet: name, row, column, value }: Change): void {
  const sheet = book.sheet(name);
  const old = sheet.data.cell(row, column);
  const style = old?.style ?? sheet.styleFor(row, column);
  sheet.unshare();
  if (value === null) {
    sheet.data.remove(row, column);
    return;
  }
  if (typeof value !== "object") {
    sheet.data.put(row, cellOf(column, style, value));
    return;
  }
  const moment = serialOfIso(value.date, book.from1904);
  if (moment === undefined) throw new ToolError(`${value.date} is no day that a workbook knows`);
  sheet.data.put(row, cellOf(column, style, moment.serial));
}
