import type { Reference } from "./formula.ts";
import type { Parts, Shape } from "./formula-tree.ts";

/** One value of a list, or the one in the formula's own row or column. */
export type At = { readonly down: number; readonly right: number } | "here";

/** What the lifting of a formula lends to those who put single calls otherwise. */
export interface LiftTools {
  /** The text of an expression; of one value of it, if `at` says which. */
  readonly render: (parts: Parts, at: At | undefined) => string;
  /** The same for a sheet of ours: it says where its cells are. */
  readonly qualified: (render: () => string) => string;
  readonly shape: (parts: Parts) => Shape;
  /** Puts a list into cells; the answer is where they are. */
  readonly list: (cells: readonly (readonly string[])[]) => string;
  /** The text that is typed in a cell; undefined for anything else. */
  readonly constant: (cell: Reference) => string | undefined;
  /** Whether a text that is typed in one of these cells has a line break. */
  readonly hasBreaks: (range: Reference) => boolean;
  /** The last row that is filled in the book. */
  readonly bottom: number;
}
