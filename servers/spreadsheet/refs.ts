import { ToolError } from "../kit/tool-error.ts";
import { MAX_COLUMN, MAX_ROW } from "./limits.ts";

/** A rectangle of cells; rows and columns count from 1, both ends belong to it. */
export interface Area {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export function columnName(column: number): string {
  let name = "";
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  }
  return name;
}

/** 0 for what is no column's name. */
export function columnNumber(name: string): number {
  if (!/^[A-Za-z]{1,3}$/.test(name)) return 0;
  let column = 0;
  for (const letter of name.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  return column <= MAX_COLUMN ? column : 0;
}

export function cellName(row: number, column: number): string {
  return `${columnName(column)}${row}`;
}

/** "B2:D9", "B2", "B:D" or "2:9"; dollar signs are allowed. Undefined for anything else. */
export function readArea(text: string): Area | undefined {
  const [first = "", second = first, more] = text.trim().replaceAll("$", "").split(":");
  if (more !== undefined) return undefined;
  const [a, b] = [readEnd(first), readEnd(second)];
  if (a === undefined || b === undefined) return undefined;
  if ((a.row === 0) !== (b.row === 0) || (a.column === 0) !== (b.column === 0)) return undefined;
  if (!text.includes(":") && (a.row === 0 || a.column === 0)) return undefined;
  return {
    top: a.row === 0 ? 1 : Math.min(a.row, b.row),
    bottom: a.row === 0 ? MAX_ROW : Math.max(a.row, b.row),
    left: a.column === 0 ? 1 : Math.min(a.column, b.column),
    right: a.column === 0 ? MAX_COLUMN : Math.max(a.column, b.column),
  };
}

function readEnd(text: string): { row: number; column: number } | undefined {
  const found = /^([A-Za-z]{0,3})(\d{0,7})$/.exec(text);
  if (found === null || text === "") return undefined;
  const [, letters = "", digits = ""] = found;
  const column = letters === "" ? 0 : columnNumber(letters);
  const row = digits === "" ? 0 : Number(digits);
  const bad = (letters !== "" && column === 0) || (digits !== "" && (row < 1 || row > MAX_ROW));
  return bad ? undefined : { row, column };
}

/** An area that a caller named. @throws ToolError that shows how to name one. */
export function askedArea(text: string): Area {
  const area = readArea(text);
  if (area !== undefined) return area;
  const hint = text.includes("!") ? " Give the sheet in `sheet`, the cells alone here." : "";
  throw new ToolError(
    `"${text}" names no cells. Use A1 notation: B2, B2:D9, B:D or 2:9 (last cell XFD1048576).${hint}`,
  );
}

export function areaName({ top, left, bottom, right }: Area): string {
  if (top === 1 && bottom === MAX_ROW) return `${columnName(left)}:${columnName(right)}`;
  if (left === 1 && right === MAX_COLUMN) return `${top}:${bottom}`;
  const [first, last] = [cellName(top, left), cellName(bottom, right)];
  return first === last ? first : `${first}:${last}`;
}

export function contains(area: Area, row: number, column: number): boolean {
  return row >= area.top && row <= area.bottom && column >= area.left && column <= area.right;
}

export function overlap(a: Area, b: Area): Area | undefined {
  const area = {
    top: Math.max(a.top, b.top),
    left: Math.max(a.left, b.left),
    bottom: Math.min(a.bottom, b.bottom),
    right: Math.min(a.right, b.right),
  };
  return area.top <= area.bottom && area.left <= area.right ? area : undefined;
}

/** Rows or columns put in (`count` > 0) or taken out (`count` < 0) before or from `at`. */
export interface Shift {
  readonly axis: "row" | "column";
  readonly at: number;
  readonly count: number;
}

/** Where a row or column comes to lie; undefined if it is taken out. */
export function shifted(index: number, { at, count }: Shift): number | undefined {
  if (index < at) return index;
  if (count < 0 && index < at - count) return undefined;
  return index + count;
}

/** Where an area comes to lie, as a spreadsheet does it; undefined if nothing of it is left. */
export function shiftedArea(area: Area, shift: Shift): Area | undefined {
  const most = shift.axis === "row" ? MAX_ROW : MAX_COLUMN;
  const [from, to] = shift.axis === "row" ? [area.top, area.bottom] : [area.left, area.right];
  // A whole column stays whole, whatever is put in or taken out.
  if (from === 1 && to === most) return area;
  const { at, count } = shift;
  const first = shifted(from, shift) ?? at;
  const last = to === most ? most : (shifted(to, shift) ?? at - 1);
  if (first > last || first > most) return undefined;
  const end = Math.min(last, most);
  if (count < 0 && end < first) return undefined;
  return shift.axis === "row"
    ? { ...area, top: first, bottom: end }
    : { ...area, left: first, right: end };
}

/** All areas of an attribute such as `sqref`; undefined if one is not understood. */
export function readAreas(text: string): Area[] | undefined {
  const areas = text
    .split(/\s+/)
    .filter((part) => part !== "")
    .map(readArea);
  return areas.every((area) => area !== undefined) ? areas : undefined;
}

/** The cells of an area, row by row. */
export function* placesIn(
  area: Area,
): Generator<{ readonly row: number; readonly column: number }> {
  for (let row = area.top; row <= area.bottom; row++) {
    for (let column = area.left; column <= area.right; column++) yield { row, column };
  }
}
