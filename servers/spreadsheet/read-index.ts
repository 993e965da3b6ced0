import type { EngineFormula, Refusal } from "./engine-formula.ts";

/** Which cells formulas read: per sheet and column sorted spans of rows that do not touch. */
export class ReadIndex {
  readonly #all: boolean;
  readonly #sheets = new Map<string, Span[]>();

  constructor(formulas: readonly (EngineFormula | Refusal)[]) {
    this.#all = formulas.some((formula) => "readsAll" in formula && formula.readsAll);
    const seen = new Set<string>();
    for (const { reads } of formulas) {
      for (const { sheet, area } of reads) {
        const key = `${sheet} ${area.top} ${area.left} ${area.bottom} ${area.right}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const spans = this.#sheets.get(sheet) ?? [];
        spans.push(area);
        this.#sheets.set(sheet, spans);
      }
    }
    for (const [sheet, spans] of this.#sheets) this.#sheets.set(sheet, joined(spans));
  }

  /** Whether any cell of this row may be read. */
  row(sheet: string, row: number): boolean {
    if (this.#all) return true;
    return this.#at(sheet, row) !== undefined;
  }

  has(sheet: string, row: number, column: number): boolean {
    if (this.#all) return true;
    const span = this.#at(sheet, row);
    return span !== undefined && column >= span.left && column <= span.right;
  }

  #at(sheet: string, row: number): Span | undefined {
    const spans = this.#sheets.get(sheet) ?? [];
    let [low, high] = [0, spans.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const span = spans[middle];
      if (span === undefined) return undefined;
      if (row < span.top) high = middle - 1;
      else if (row > span.bottom) low = middle + 1;
      else return span;
    }
    return undefined;
  }
}

interface Span {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Spans of rows in order, none touching another, each as wide as all that it was made of: more
 * cells than needed are no harm.
 */
function joined(spans: readonly Span[]): Span[] {
  const done: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.top - b.top)) {
    const last = done.at(-1);
    if (last === undefined || span.top > last.bottom) done.push(span);
    else {
      const bottom = Math.max(last.bottom, span.bottom);
      const left = Math.min(last.left, span.left);
      const right = Math.max(last.right, span.right);
      done.splice(-1, 1, { top: last.top, bottom, left, right });
    }
  }
  return done;
}
