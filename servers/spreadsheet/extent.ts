import type { Book } from "./book.ts";
import type { Reference } from "./formula.ts";
import { contains } from "./refs.ts";
import { isBlank } from "./sheet-data.ts";
import { areaOfReference, type Extent } from "./sorted-lists.ts";

/** What the lifting of formulas has to know of the book's cells. */
export interface BookFacts {
  readonly extent: Extent;
  readonly from1904: boolean;
  /** The last row that is filled on any sheet. */
  readonly bottom: number;
  /** The text that is typed in a cell; undefined for anything else. */
  readonly constant: (sheet: string, cell: Reference) => string | undefined;
  /** Whether a text in one of these cells has a line break. */
  readonly hasBreaks: (sheet: string, range: Reference) => boolean;
}

export function factsOf(book: Book): BookFacts {
  return {
    extent: extentOf(book),
    from1904: book.from1904,
    bottom: Math.max(1, ...book.sheets.map(({ data }) => data.used().rows)),
    hasBreaks: breaksOf(book),
    constant: (name, { first }) => {
      const sheet = book.sheets.find((one) => one.name.toLowerCase() === name.toLowerCase());
      const cell = sheet?.data.cell(first.row, first.column);
      if (cell === undefined || cell.formula !== undefined) return undefined;
      const { type, value } = book.valueOf(cell);
      return type === "text" ? String(value) : undefined;
    },
  };
}

/** The cells of a book whose typed texts have line breaks, found when they are first asked for. */
function breaksOf(book: Book): BookFacts["hasBreaks"] {
  const known = new Map<string, readonly (readonly [number, number])[]>();
  return (name, range) => {
    const key = name.toLowerCase();
    const sheet = book.sheets.find((one) => one.name.toLowerCase() === key);
    const found =
      known.get(key) ??
      (sheet?.data.rows ?? []).flatMap((row) => {
        const cells = sheet?.data.peek(row) ?? [];
        const broken = cells.filter((cell) => String(book.valueOf(cell).value).includes("\n"));
        return broken.map(({ column }) => [row, column] as const);
      });
    known.set(key, found);
    const area = areaOfReference(range);
    return found.some(([row, column]) => contains(area, row, column));
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
