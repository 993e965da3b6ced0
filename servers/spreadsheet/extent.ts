import type { Book } from "./book.ts";
import { isBlank } from "./sheet-data.ts";
import type { Extent } from "./sorted-lists.ts";

/** How far the filled cells of a row or column go, as the book holds it. */
export function extentOf(book: Book): Extent {
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
