import { type Reference, referenceText } from "./formula.ts";
import { areaOfReference } from "./sorted-lists.ts";
import type { Place } from "./stored-formula.ts";

/** Of a range the cell that lies in the formula's own row or column. */
export function crossing(reference: Reference, prefix: string, place: Place): string {
  const area = areaOfReference(reference);
  const { row, column } = place;
  const fixed = { fixedRow: true, fixedColumn: true };
  if (area.left === area.right && row >= area.top && row <= area.bottom) {
    return referenceText(prefix, { row, column: area.left, ...fixed }, undefined);
  }
  if (area.top === area.bottom && column >= area.left && column <= area.right) {
    return referenceText(prefix, { row: area.top, column, ...fixed }, undefined);
  }
  return "#VALUE!";
}
