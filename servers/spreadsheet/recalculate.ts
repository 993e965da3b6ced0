import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { CalculationFailed } from "./calculator.ts";
import { type Computed, computeBook, type Task } from "./compute.ts";
import type { EngineFormula } from "./engine-formula.ts";
import { applyResult, sameValue } from "./formula-results.ts";
import { type Area, overlap } from "./refs.ts";

/** What an edit touched, for the check that no value is left behind. */
export interface Edits {
  /** Cells whose values may have changed, by sheet. */
  readonly changed: { readonly sheet: string; readonly area: Area }[];
  /** Cells that were given a formula, as `Sheet!A1`. */
  readonly fresh: Set<string>;
}

export interface Recalculated {
  readonly formulas: number;
  /** Cells whose formulas cannot be computed here and that kept their values, with the reason. */
  readonly kept: readonly {
    readonly cell: string;
    readonly reason: string;
    /** There was no value that it could have kept. */
    readonly empty: boolean;
  }[];
  /** What formulas came to that are fresh or changed, as errors; by cell. */
  readonly errors: readonly { readonly cell: string; readonly error: string }[];
}

/**
 * Computes every formula of the book and stores the values. A formula that cannot be computed here
 * keeps its value if nothing that it reads has changed; else the edit is refused.
 * @throws ToolError that names the cell and says why.
 */
export async function recalculate(book: Book, edits: Edits): Promise<Recalculated> {
  const { fresh } = edits;
  try {
    const computed = await computeBook(book, {
      fresh,
      onRound: (tasks) => refuseFresh(tasks, edits),
    });
    return store(book, computed, edits);
  } catch (error) {
    if (!(error instanceof CalculationFailed)) throw error;
    throw new ToolError(
      `The workbook's formulas could not be computed: ${error.message}. Nothing was written. ` +
        "Use fewer or smaller formulas.",
      { cause: error },
    );
  }
}

function refuseFresh(tasks: readonly Task[], { fresh }: Edits): void {
  const bad = tasks.find(({ formula, name }) => "reason" in formula && fresh.has(name));
  if (bad === undefined || !("reason" in bad.formula)) return;
  throw new ToolError(
    `The formula for ${bad.name} cannot be used: ${bad.formula.reason}. Nothing was written.`,
  );
}

function store(book: Book, { tasks, results }: Computed, edits: Edits): Recalculated {
  const errors: { cell: string; error: string }[] = [];
  const changed = [...edits.changed];
  for (const { sheet, row, cell, name, asArray } of tasks) {
    const result = results.get(name);
    if (result === undefined) continue;
    const how = { fresh: edits.fresh.has(name), asArray };
    const area = applyResult({ book, sheet, row, cell }, result, how);
    if (area !== undefined) changed.push({ sheet: sheet.name, area });
    const [first] = result.values;
    if (first?.kind === "error" && !sameValue(book.valueOf(cell), first)) {
      errors.push({ cell: name, error: first.text });
    }
  }
  const kept = tasks.flatMap(({ name, cell, formula }) => {
    const empty = book.valueOf(cell).type === "empty";
    return "reason" in formula ? [{ cell: name, empty, ...formula }] : [];
  });
  const stale = kept.find(({ reads, readsAll }) => {
    return (readsAll && changed.length > 0) || readsAny(reads, changed);
  });
  if (stale !== undefined) throw staleError(stale.cell, stale.reason);
  return {
    formulas: tasks.length,
    kept: kept.map(({ cell, reason, empty }) => ({ cell, reason, empty })),
    errors,
  };
}

function readsAny(reads: EngineFormula["reads"], changed: Edits["changed"]): boolean {
  return reads.some(({ sheet, area }) => {
    return changed.some((c) => c.sheet === sheet && overlap(c.area, area) !== undefined);
  });
}

function staleError(cell: string, reason: string): ToolError {
  return new ToolError(
    `${cell} depends on what this changes, but its formula cannot be computed here: ${reason}. ` +
      "It would show an old value, so nothing was written. Replace that formula first.",
  );
}
