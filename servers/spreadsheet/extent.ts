import type { Book } from "./book.ts";
import type { Reference } from "./formula.ts";
import { isBlank } from "./sheet-data.ts";
import type { Extent } from "./sorted-lists.ts";

/** What the lifting of formulas has to know of the book's cells. */
export interface BookFacts {
  readonly extent: Extent;
  readonly from1904: boolean;
  /** The last row that is filled on any sheet. */
  readonly bottom: number;
  /** The text that is typed in a cell; undefined for anything else. */
  readonly constant: (sheet: string, cell: Reference) => string | undefined;
}

export function factsOf(book: Book): BookFacts {
  return {
    extent: extentOf(book),
    from1904: book.from1904,
    bottom: Math.max(1, ...book.sheets.map(({ data }) => data.used().rows)),
    constant: (name, { first }) => {
      const sheet = book.sheets.find((one) => one.name.toLowerCase() === name.toLowerCase());
      const cell = sheet?.data.cell(first.row, first.column);
      if (cell === undefined || cell.formula !== undefined) return undefined;
      const { type, value } = book.valueOf(cell);
      return type === "text" ? String(value) : undefined;
    },
  };
}

/** How far the filled cells of a row or column go, as the book holds it. */
function extentOf(book: Book): Extent {
  const known = new Map<string, number | undefined>();
  return (name, { top, left, bottom, right }) => {
    const key = `${name} ${top} ${left} ${bottom} ${right}`;
    if (known.has(key)) return known.get(key);
    const sheet = book.sheets.find((one) => one.name.toLowerCase() === name.toLowerCase());
    const filled: number[] = [];
    for (const row of sheet?.data.rows ?? []) {
      if (row < top || row > bottom) continue;
      for (const cell of sheet?.data.peek(row) ?? []) {
        if (cell.column < left || cell.column > right || isBlank(cell)) continue;
        filled.push(left === right ? row : cell.column);
      }
    }
    const first = left === right ? top : left;
    const last = filled.at(-1) ?? first;
    const gaps = filled.length > 0 && last - first + 1 !== filled.length;
    known.set(key, gaps ? undefined : last);
    return known.get(key);
  };
}
