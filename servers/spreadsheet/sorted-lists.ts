import type { Reference } from "./formula.ts";
import type { Parts } from "./formula-tree.ts";
import type { Area } from "./refs.ts";

/** Where the filled cells of a row or column end; undefined if empty cells lie between them. */
export type Extent = (sheet: string, line: Area) => number | undefined;

/** Of functions that search sorted lists: where the list is, and which argument says "exactly". */
const SEARCHES: Readonly<Record<string, { readonly list: number; readonly exact: number }>> = {
  VLOOKUP: { list: 1, exact: 3 },
  HLOOKUP: { list: 1, exact: 3 },
  MATCH: { list: 1, exact: 2 },
  LOOKUP: { list: 1, exact: 9 },
};

/** Whether a call searches a sorted list for the nearest value. */
export function searchesSorted(name: string, args: readonly Parts[]): boolean {
  const search = SEARCHES[name];
  if (search === undefined) return false;
  const exact = args[search.exact];
  if (exact === undefined) return true;
  const [only] = exact;
  const said = only?.kind === "token" ? only.token.text.toUpperCase() : "";
  // An argument left empty between commas says 0.
  return !(exact.length === 0 || (exact.length === 1 && (said === "0" || said === "FALSE")));
}

/**
 * The engine takes empty cells after a sorted list for values; so the list is cut to what is
 * filled. Undefined: it cannot be cut, for empty cells lie in it.
 */
export function cutArea(name: string, area: Area, sheet: string, extent: Extent): Area | undefined {
  const wide = name === "HLOOKUP" || (area.top === area.bottom && name !== "VLOOKUP");
  if (wide) {
    const last = extent(sheet, { ...area, bottom: area.top });
    return last === undefined ? undefined : { ...area, right: Math.max(last, area.left) };
  }
  const last = extent(sheet, { ...area, right: area.left });
  return last === undefined ? undefined : { ...area, bottom: Math.max(last, area.top) };
}

export function areaOfReference({ first, last = first }: Reference): Area {
  return {
    top: Math.min(first.row || 1, last.row || 1),
    bottom: Math.max(first.row || 1_048_576, last.row || 1_048_576),
    left: Math.min(first.column || 1, last.column || 1),
    right: Math.max(first.column || 16_384, last.column || 16_384),
  };
}
