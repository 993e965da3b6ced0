import { propertiesOf } from "./edit-blocks.ts";
import { cellsOf } from "./read-word.ts";
import { factsOf, type Tracking } from "./tracking.ts";
import {
  attr,
  childOf,
  type Element,
  elements,
  insertAfter,
  is,
  make,
  nameOf,
  remove,
  setAttr,
  valOf,
} from "./xml.ts";

export interface Spot {
  readonly cell: Element;
  /** The first column that it covers, from 0, and how many. */
  readonly from: number;
  readonly width: number;
}

export function spots(row: Element): Spot[] {
  let from = Number(valOf(childOf(row, "w:trPr"), "w:gridBefore") ?? 0) || 0;
  return cellsOf(row).map((cell) => {
    const width = Math.max(1, Number(valOf(childOf(cell, "w:tcPr"), "w:gridSpan") ?? 1) || 1);
    from += width;
    return { cell, from: from - width, width };
  });
}

export function widen({ cell, width }: Spot, by: number): void {
  const properties = propertiesOf(cell, "w:tcPr");
  const span = childOf(properties, "w:gridSpan");
  const document = cell.ownerDocument;
  if (span !== undefined) setAttr(span, "w:val", String(width + by));
  else if (document !== null) {
    const made = make(document, "w:gridSpan", { "w:val": String(width + by) });
    const first = childOf(properties, "w:tcW");
    if (first === undefined) properties.insertBefore(made, properties.firstChild);
    else insertAfter(made, first);
  }
}

/**
 * Takes from a copied row what it must not have: header, tracked changes, beginnings of tall cells.
 * `inside`: it goes between rows, so tall cells go on through it.
 */
export function stripRow(row: Element, inside: boolean): void {
  const properties = childOf(row, "w:trPr");
  for (const one of properties === undefined ? [] : elements(properties)) {
    if (["w:tblHeader", "w:ins", "w:del", "w:trPrChange"].includes(nameOf(one))) remove(one);
  }
  row.removeAttribute("w14:paraId");
  row.removeAttribute("w14:textId");
  for (const cell of cellsOf(row)) {
    const merge = childOf(childOf(cell, "w:tcPr"), "w:vMerge");
    const goesOn = merge !== undefined && attr(merge, "w:val") !== "restart";
    if (merge !== undefined && !(goesOn && inside)) remove(merge);
  }
}

export function stripCell(cell: Element): void {
  const properties = childOf(cell, "w:tcPr");
  for (const one of properties === undefined ? [] : elements(properties)) {
    if (["w:vMerge", "w:gridSpan"].includes(nameOf(one))) remove(one);
  }
}

export function isMark(one: Element): boolean {
  return ["w:ins", "w:del", "w:moveFrom", "w:moveTo", "w:rPrChange"].includes(nameOf(one));
}

export function wrapAdded(run: Element, tracking: Tracking): void {
  const parent = run.parentNode;
  if (parent === null || run.ownerDocument === null || is(parent as Element, "w:ins")) return;
  const ins = make(run.ownerDocument, "w:ins", factsOf(tracking));
  parent.insertBefore(ins, run);
  ins.appendChild(run);
}
