import { areaOf, type Task } from "./compute.ts";
import { cellName, overlap, placesIn } from "./refs.ts";

const MOST_STEPS = 20_000_000;
const FEW_CELLS = 64;

/** Formulas without a value of their own, and all that read one of those. */
export class UnreadableCells {
  readonly #reasons = new Map<Task, string>();

  /** `hasClock`: somebody said what time it is. */
  constructor(tasks: readonly Task[], hasClock: boolean) {
    const first = tasks.filter((task) => {
      const why = ownReason(task, hasClock);
      if (why !== undefined) this.#reasons.set(task, why);
      return why !== undefined;
    });
    if (first.length === 0) return;
    const readers = readersOf(tasks);
    if (readers === undefined) {
      for (const task of tasks)
        this.#put(task, `the workbook is too large to tell whether it reads ${said(first)}`);
      return;
    }
    for (const task of tasks)
      if (task.formula.readsAll) this.#put(task, `it may read ${said(first)}`);
    const waiting = [...this.#reasons.keys()];
    for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
      for (const reader of readers.get(task) ?? []) {
        if (this.#put(reader, `it reads ${said([task])}`)) waiting.push(reader);
      }
    }
  }

  /** Why a formula's value is not known; undefined if it is. */
  reason(task: Task): string | undefined {
    return this.#reasons.get(task);
  }

  #put(task: Task, reason: string): boolean {
    if (this.#reasons.has(task)) return false;
    this.#reasons.set(task, reason);
    return true;
  }
}

function ownReason({ formula }: Task, hasClock: boolean): string | undefined {
  if ("reason" in formula) return formula.reason;
  if (formula.readsClock && !hasClock) return "it reads the clock, and nobody says what time it is";
  return undefined;
}

function said([first]: readonly Task[]): string {
  return `${first?.name}, which cannot be computed`;
}

/** Who reads a formula's cells; undefined if that takes too long to find out. */
function readersOf(tasks: readonly Task[]): Map<Task, Task[]> | undefined {
  const bySheet = Map.groupBy(tasks, ({ sheet }) => sheet.name);
  const byCell = new Map<string, Task>();
  const wide = tasks.filter((task) => {
    byCell.set(task.name, task);
    return task.cell.formula?.kind === "array" || task.cell.formula?.kind === "dataTable";
  });
  const readers = new Map<Task, Task[]>();
  let steps = 0;
  const seen = (task: Task, reader: Task) => {
    const known = readers.get(task);
    if (known === undefined) readers.set(task, [reader]);
    else known.push(reader);
  };
  for (const reader of tasks) {
    for (const { sheet, area } of reader.formula.reads) {
      const cells = (area.bottom - area.top + 1) * (area.right - area.left + 1);
      const few = cells <= FEW_CELLS;
      steps += few ? cells + wide.length : (bySheet.get(sheet)?.length ?? 0);
      if (steps > MOST_STEPS) return undefined;
      if (few) {
        for (const { row, column } of placesIn(area)) {
          const task = byCell.get(`${sheet}!${cellName(row, column)}`);
          if (task !== undefined) seen(task, reader);
        }
      }
      for (const task of few ? wide : (bySheet.get(sheet) ?? [])) {
        if (task.sheet.name === sheet && overlap(areaOf(task), area)) seen(task, reader);
      }
    }
  }
  return readers;
}
