import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import type { Result, SheetInput } from "./calculation.ts";
import { type CalculationOptions, calculate } from "./calculator.ts";
import type { Cell } from "./cells.ts";
import { type EngineFormula, type Refusal, Translator } from "./engine-formula.ts";
import { NOT_COMPUTED } from "./engine-numbers.ts";
import { doubt, isDoubtful } from "./engine-quirks.ts";
import { factsOf } from "./extent.ts";
import { LIST_SHEET, type Lifted, Lifter, SPILL_SHEET, SPILL_STEP } from "./lift.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { NotComputable } from "./list-parts.ts";
import { notHere, oddText } from "./odd-texts.ts";
import { ReadIndex } from "./read-index.ts";
import { type Area, cellName, contains, readArea } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { isBlank } from "./sheet-data.ts";

/** A formula of the book, put in the engine's words, or why it cannot be computed. */
export interface Task {
  readonly sheet: Sheet;
  readonly row: number;
  readonly cell: Cell;
  readonly name: string;
  /** It is to be stored as a formula that computes with lists. */
  readonly asArray: boolean;
  formula: EngineFormula | Refusal;
}

/** The cells that a formula fills, as the file says it. */
export function areaOf({ cell, row }: Task): Area {
  const { kind, attributes = {} } = cell.formula ?? {};
  const own = { top: row, bottom: row, left: cell.column, right: cell.column };
  const several = kind === "array" || kind === "dataTable";
  return several ? (readArea(attributes["ref"] ?? "") ?? own) : own;
}

export interface Computed {
  readonly tasks: readonly Task[];
  /** By `Sheet!A1`; of those tasks alone that are no refusals. */
  readonly results: ReadonlyMap<string, Result>;
}

export interface ComputeOptions extends CalculationOptions {
  /** Cells that were given a formula just now, as `Sheet!A1`. */
  readonly fresh: ReadonlySet<string>;
  /** Whether what the file remembers may say that a name is known to nobody; absent: it may. */
  readonly believesStored?: boolean;
  /** Told before each round which formulas are refused so far; it may throw. */
  readonly onRound?: (tasks: readonly Task[]) => void;
}

const ROUNDS = 4;

/**
 * What all formulas of the book come to. The stored values of those that cannot be computed are
 * read by others: who cannot believe them has to take those others out.
 * @throws ToolError for a book that is too large; CalculationFailed
 */
export async function computeBook(book: Book, options: ComputeOptions): Promise<Computed> {
  const { fresh, onRound } = options;
  const translator = new Translator(book);
  const lifter = new Lifter(factsOf(book));
  const tasks = book.sheets.flatMap((sheet) => tasksOf(sheet, { translator, lifter, fresh }));
  if (tasks.length === 0) return { tasks, results: new Map() };
  if (tasks.length > LIMITS.formulas) {
    throw new ToolError(`${book.path} has more than ${LIMITS.formulas} formulas.`);
  }
  for (let round = 0; ; round++) {
    onRound?.(tasks);
    const results = await computed(book, tasks, lifter, options);
    const failed = tasks.filter((task) => {
      const why = failure(book, task, results, options);
      if (why === undefined) return false;
      const { reads, readsAll } = task.formula;
      task.formula = { reason: why, reads, readsAll };
      return true;
    });
    if (failed.length === 0) return { tasks, results };
    if (round === ROUNDS) throw new ToolError("The formulas of the workbook do not settle.");
  }
}

interface Tools {
  readonly translator: Translator;
  readonly lifter: Lifter;
  readonly fresh: ReadonlySet<string>;
}

function tasksOf(sheet: Sheet, { translator, lifter, fresh }: Tools): Task[] {
  return sheet.formulas().flatMap(({ row, cell, text }): Task[] => {
    const kind = cell.formula?.kind;
    if (text === "" && kind !== "dataTable") return [];
    const place = { sheet: sheet.name, row, column: cell.column };
    const name = nameOf(sheet, row, cell.column);
    const task = { sheet, row, cell, name, asArray: false };
    if (kind === "dataTable") {
      const reason = "it belongs to a what-if data table";
      return [{ ...task, formula: { reason, reads: [], readsAll: true } }];
    }
    const formula = translator.translate(text.replace(/^=/, ""), place);
    if ("reason" in formula) return [{ ...task, formula }];
    try {
      const legacy = kind !== "array" && !fresh.has(name);
      const { text: engine, asArray } = lifter.lift(formula.text, place, legacy);
      return [{ ...task, asArray, formula: { ...formula, text: engine } }];
    } catch (error) {
      // Brackets in brackets without end.
      const deep = error instanceof RangeError;
      if (!deep && !(error instanceof NotComputable)) throw error;
      const { reads, readsAll } = formula;
      const reason = deep ? "it is nested too deeply" : error.message;
      return [{ ...task, formula: { reason, reads, readsAll } }];
    }
  });
}

function nameOf(sheet: Sheet, row: number, column: number): string {
  return `${sheet.name}!${cellName(row, column)}`;
}

/** Why a result is none; undefined if it is one. */
function failure(
  book: Book,
  task: Task,
  results: ReadonlyMap<string, Result>,
  { fresh, believesStored = true }: ComputeOptions,
): string | undefined {
  const result = results.get(task.name);
  if (result === undefined) return undefined;
  const [{ kind, text } = { kind: "text", text: "" }] = result.values;
  const isFresh = fresh.has(task.name);
  if (kind === "error") {
    if (text === "#CIRC!") return "it depends on itself";
    // Of some functions the engine does not take a lost reference as an argument.
    const lost = "text" in task.formula && task.formula.text.includes("#REF!");
    if (text === "#ERROR!" && !lost)
      return "it could not be understood; check its brackets and arguments";
    const own = task.sheet.formulaText(task.row, task.cell);
    if (text === NOT_COMPUTED) return notHere(own);
    const { reads } = task.formula;
    const odd = text === "#VALUE!" ? oddText(book, { text: own, reads }, results) : undefined;
    if (odd !== undefined) return odd;
    const before = believesStored && book.valueOf(task.cell).value === "#NAME?";
    const known = before || (!isFresh && "text" in task.formula && task.formula.unknownName);
    if (text === "#NAME?" && !known) return "it uses a name or a function that is not known";
    if (text === "#SPILL!" && isFresh) return BLOCKED;
  }
  if (result.values.some((one) => one.kind === "text" && one.text.length > LIMITS.cellText))
    return "its text is longer than a cell can hold";
  const engine = "text" in task.formula ? task.formula.text : "";
  if (isDoubtful(engine, kind, text)) return notHere(task.sheet.formulaText(task.row, task.cell));
  const why = doubt(engine, kind, text);
  if (why !== undefined) return why;
  if (blocked(task, result)) return BLOCKED;
  const plain = task.cell.formula?.kind === "normal" || task.cell.formula?.kind === "shared";
  if (plain && !isFresh && result.values.length > 1)
    return "it takes one cell out of a range by place";
  return undefined;
}

const BLOCKED = "its result fills several cells, and those right of it or below are not empty";

/** Whether a result would cover cells that hold something else. */
function blocked({ sheet, row, cell }: Task, { width, height }: Result): boolean {
  if (width * height === 1) return false;
  const own = readArea(cell.formula?.attributes["ref"] ?? "");
  for (let n = 1; n < width * height; n++) {
    const [r, c] = [row + Math.floor(n / width), cell.column + (n % width)];
    if (r > MAX_ROW || c > MAX_COLUMN) return true;
    if (own !== undefined && contains(own, r, c)) continue;
    const there = sheet.data.cell(r, c);
    if (there !== undefined && !isBlank(there)) return true;
  }
  return false;
}

async function computed(
  book: Book,
  tasks: readonly Task[],
  { lifted }: Lifter,
  options: CalculationOptions,
): Promise<Map<string, Result>> {
  const good = tasks.filter(({ formula }) => "text" in formula);
  const reads = new ReadIndex(tasks.map(({ formula }) => formula));
  const { sheets } = book;
  const inputs = sheets.map((sheet) => inputOf(book, sheet, good, reads));
  const count = inputs.reduce((sum, { cells }) => sum + cells.length, 0);
  if (count > LIMITS.inputs) throw new ToolError(`Formulas read more than ${LIMITS.inputs} cells.`);
  const { sheets: all } = await calculate([...inputs, ...helperSheets(lifted)], options);
  const found = all.flatMap((results, n) => {
    const sheet = sheets[n];
    if (sheet === undefined) return [];
    return results.map((r) => [nameOf(sheet, r.row, r.column), r] as const);
  });
  return new Map(found);
}

function helperSheets({ lists, spills }: Lifted): SheetInput[] {
  if (lists.length + spills.length === 0) return [];
  const none = { arrays: [], hiddenRows: [], helper: true };
  const listed = lists.flatMap((row, r) => {
    return row.map((text, c): [number, number, string] => [r + 1, c + 1, text]);
  });
  const spilled = spills.map((text, n): [number, number, string] => [1, n * SPILL_STEP + 1, text]);
  return [
    { name: LIST_SHEET, cells: listed, ...none },
    { name: SPILL_SHEET, cells: spilled, ...none },
  ];
}

function inputOf(book: Book, sheet: Sheet, good: readonly Task[], reads: ReadIndex): SheetInput {
  const mine = good.filter((task) => task.sheet === sheet);
  const filled = mine.flatMap(({ cell }) => {
    const area = cell.formula?.kind === "array" && readArea(cell.formula.attributes["ref"] ?? "");
    return area ? [area] : [];
  });
  const taken = new Set(mine.map(({ name }) => name));
  const cells: [number, number, string][] = [];
  for (const row of sheet.data.rows) {
    if (!reads.row(sheet.name, row)) continue;
    for (const cell of sheet.data.peek(row)) {
      if (!reads.has(sheet.name, row, cell.column)) continue;
      if (taken.has(nameOf(sheet, row, cell.column))) continue;
      if (filled.some((area) => contains(area, row, cell.column))) continue;
      const typed = typedText(book, cell);
      if (typed !== undefined) cells.push([row, cell.column, typed]);
    }
  }
  const arrays: [number, number, number, number, string][] = [];
  for (const { row, cell, formula } of mine) {
    if (!("text" in formula)) continue;
    const area = readArea(cell.formula?.attributes["ref"] ?? "");
    const fixed = cell.formula?.kind === "array" && !isDynamic(cell) ? area : undefined;
    if (fixed === undefined) cells.push([row, cell.column, `=${formula.text}`]);
    else {
      const [width, height] = [fixed.right - fixed.left + 1, fixed.bottom - fixed.top + 1];
      arrays.push([row, cell.column, width, height, `=${formula.text}`]);
    }
  }
  const hides = mine.some(({ formula }) => "text" in formula && /SUBTOTAL/i.test(formula.text));
  const hidden = (row: number) =>
    /\shidden\s*=\s*["'](?:1|true)/.test(sheet.data.rowTag(row) ?? "");
  return {
    name: sheet.name,
    cells,
    arrays,
    hiddenRows: hides ? sheet.data.rows.filter(hidden) : [],
  };
}

function isDynamic({ extra }: Cell): boolean {
  return /\scm=/.test(extra);
}

/** What one would type to get a cell's value. */
function typedText(book: Book, cell: Cell): string | undefined {
  const { type, value, serial } = book.valueOf(cell);
  switch (type) {
    case "empty":
      return undefined;
    case "text":
      return `'${value}`;
    case "boolean":
      return value === true ? "TRUE" : "FALSE";
    case "date":
      return serial === undefined ? `'${value}` : String(serial);
    default:
      return String(value);
  }
}
