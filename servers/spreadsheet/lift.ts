import { withoutAggregate } from "./aggregate.ts";
import type { BookFacts } from "./extent.ts";
import { treeOf } from "./formula-tree.ts";
import { withoutLet } from "./let.ts";
import { Lifting } from "./lifting.ts";
import { MOST_CELLS, NotComputable } from "./list-parts.ts";
import { columnName } from "./refs.ts";
import type { Place } from "./stored-formula.ts";

/** Cells that stand for what the engine cannot compute in one go. */
export interface Lifted {
  /** On the sheet of lists, by row: formulas that begin with "=". */
  readonly lists: readonly (readonly string[])[];
  /** On the sheet of results of their own size: one formula for every 64 columns. */
  readonly spills: readonly string[];
}

export const LIST_SHEET = "\u00b7lists";
export const SPILL_SHEET = "\u00b7spills";
export const SPILL_STEP = 64;
const MOST_ALL = 400_000;
const SPILLS = 250;

/**
 * The engine is right about single values and about functions of cells, and often wrong about
 * functions of lists that are computed on the way, such as SUMPRODUCT(--(LEFT(A1:A9,1)="x")). So
 * each value of such a list becomes a cell of its own, and the function gets those cells.
 */
export class Lifter {
  readonly #lists: string[][] = [];
  readonly #spills: string[] = [];
  readonly #known = new Map<string, string>();
  readonly #book: BookFacts;
  #cells = 0;

  constructor(book: BookFacts) {
    this.#book = book;
  }

  get lifted(): Lifted {
    return { lists: this.#lists, spills: this.#spills };
  }

  /**
   * `legacy`: a formula from before lists spilled; where it has a list for a single value it takes
   * the one in its own row or column. `asArray` in the answer: it computes with lists where
   * programs do so only if told. @throws NotComputable
   */
  lift(
    formula: string,
    place: Place,
    legacy: boolean,
  ): { readonly text: string; readonly asArray: boolean } {
    try {
      const work = new Lifting(place, {
        legacy,
        extent: this.#book.extent,
        from1904: this.#book.from1904,
        book: this.#book,
        list: (cells) => this.#listAt(cells),
        spill: (text) => this.#spillAt(text),
      });
      const text = work.root(withoutAggregate(withoutLet(treeOf(formula))));
      return { text, asArray: work.asArray };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new NotComputable(`it could not be understood: ${error.message}`, { cause: error });
    }
  }

  #listAt(cells: readonly (readonly string[])[]): string {
    const key = JSON.stringify(cells);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const [width = 0, height] = [cells[0]?.length, cells.length];
    this.#cells += width * height;
    if (width * height > MOST_CELLS || this.#cells > MOST_ALL) {
      throw new NotComputable("it computes with very long lists; give it shorter ranges");
    }
    const top = this.#lists.length + 1;
    for (const row of cells) this.#lists.push([...row]);
    const area = `'${LIST_SHEET}'!$A$${top}:$${columnName(width)}$${top + height - 1}`;
    this.#known.set(key, area);
    return area;
  }

  #spillAt(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#spills.length >= SPILLS) throw new NotComputable("there are too many such formulas");
    const column = columnName(this.#spills.length * SPILL_STEP + 1);
    this.#spills.push(text);
    const area = `'${SPILL_SHEET}'!$${column}$1#`;
    this.#known.set(text, area);
    return area;
  }
}
