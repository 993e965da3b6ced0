import { textOf } from "./pieces.ts";
import type { WordFile } from "./word-file.ts";
import {
  around,
  attr,
  childOf,
  descendants,
  type Element,
  elements,
  make,
  nameOf,
  remove,
  unwrap,
} from "./xml.ts";

export interface Change {
  /** "added", "removed", "moved here", "moved away", "looks", "row added" … */
  readonly kind: string;
  readonly text: string;
  readonly author: string;
  readonly date: string;
  readonly part: string;
  readonly element: Element;
}

const TEXT: Readonly<Record<string, string>> = {
  "w:ins": "added",
  "w:del": "removed",
  "w:moveTo": "moved here",
  "w:moveFrom": "moved away",
};
const LOOKS = [
  ...["w:rPrChange", "w:pPrChange", "w:sectPrChange", "w:tblPrChange", "w:tcPrChange"],
  ...["w:trPrChange", "w:tblGridChange", "w:numberingChange", "w:tblPrExChange"],
];
const CELLS = ["w:cellIns", "w:cellDel", "w:cellMerge"];
const RANGES = [
  ...["w:moveFromRangeStart", "w:moveFromRangeEnd", "w:moveToRangeStart", "w:moveToRangeEnd"],
];

/** All tracked changes, in the order of the text. */
export function changesOf(file: WordFile): Change[] {
  return file.textParts().flatMap((part) => {
    const root = file.part(part).documentElement;
    if (root === null) return [];
    return descendants(root, ...Object.keys(TEXT), ...LOOKS, ...CELLS).map((element) => ({
      ...{ part, element, kind: kindOf(element), text: changedText(element) },
      author: attr(element, "w:author") ?? "",
      date: attr(element, "w:date") ?? "",
    }));
  });
}

function kindOf(element: Element): string {
  const name = nameOf(element);
  const parent = element.parentNode === null ? "" : nameOf(element.parentNode);
  const done = TEXT[name];
  if (CELLS.includes(name)) return "table cell";
  if (done === undefined) return "looks";
  if (parent === "w:trPr") return `table row ${done}`;
  return parent === "w:rPr" ? `end of paragraph ${done}` : done;
}

function changedText(element: Element): string {
  const paragraph = around(element, "w:p");
  const holder = nameOf(element).endsWith("Change")
    ? (around(element, "w:r") ?? paragraph)
    : element;
  const row = around(element, "w:tr");
  if (nameOf(element.parentNode ?? element) === "w:trPr" && row !== undefined) {
    return descendants(row, "w:p").map(textOf).join(" | ");
  }
  if (nameOf(element.parentNode ?? element) === "w:rPr" && paragraph !== undefined) {
    return textOf(paragraph);
  }
  const texts =
    holder === undefined ? [] : descendants(holder, "w:t", "w:delText", "w:tab", "w:br");
  return texts.map((one) => (one.firstChild === null ? " " : (one.textContent ?? ""))).join("");
}

/** Makes changes final, or takes them back; those that `chosen` lets through. How many it did. */
export function settle(
  file: WordFile,
  decision: "accept" | "reject",
  chosen: (change: Change, place: number) => boolean,
): number {
  const changes = changesOf(file).filter(chosen);
  const accept = decision === "accept";
  // Ends of paragraphs last: by then it is known what is left of the paragraph.
  const isEnd = ({ kind }: Change) => kind.startsWith("end of paragraph");
  const inTurn = [...changes.filter((one) => !isEnd(one)), ...changes.filter(isEnd)];
  for (const { element, part } of inTurn) {
    file.touch(part);
    settleOne(element, accept);
  }
  for (const part of new Set(changes.map((change) => change.part))) tidy(file, part);
  return changes.length;
}

function settleOne(element: Element, accept: boolean): void {
  const name = nameOf(element);
  const parent = element.parentNode;
  if (parent === null) return;
  const kept = accept === (name === "w:ins" || name === "w:moveTo");
  if (LOOKS.includes(name)) settleLook(element, accept);
  else if (CELLS.includes(name)) remove(element);
  else if (nameOf(parent) === "w:trPr") {
    const row = around(element, "w:tr");
    remove(element);
    if (!kept && row !== undefined) remove(row);
  } else if (nameOf(parent) === "w:rPr") settleMark(element, kept);
  else if (kept) {
    restoreText(element);
    unwrap(element);
  } else remove(element);
}

/** Old looks lie inside of the mark: taken back, they are put where the new ones are. */
function settleLook(mark: Element, accept: boolean): void {
  const properties = mark.parentNode;
  const old = elements(mark)[0];
  remove(mark);
  if (accept || properties === null) return;
  const kept = ["w:rPr", "w:sectPr"]; // Of a paragraph's end, and of a section: not in the old.
  for (const one of elements(properties)) {
    if (nameOf(properties) === "w:pPr" && kept.includes(nameOf(one))) continue;
    if (nameOf(properties) === "w:sectPr" && /Reference$/.test(nameOf(one))) continue;
    remove(one);
  }
  const first = properties.firstChild;
  while (old !== undefined && old.firstChild !== null)
    properties.insertBefore(old.firstChild, first);
}

/** A paragraph's end that goes: its text joins the next paragraph. */
function settleMark(mark: Element, kept: boolean): void {
  const paragraph = around(mark, "w:p");
  remove(mark);
  if (kept || paragraph === undefined) return;
  let next = paragraph.nextSibling;
  while (next !== null && next.nodeType !== 1) next = next.nextSibling;
  const content = elements(paragraph).filter((one) => nameOf(one) !== "w:pPr");
  if (next === null || nameOf(next) !== "w:p") {
    // An empty paragraph goes, unless it is the only one there, or parts a table from the end.
    const before = paragraph.previousSibling;
    const other = (one: typeof next) => one !== null && ["w:p", "w:tbl"].includes(nameOf(one));
    const free = other(next) || (before !== null && nameOf(before) === "w:p");
    if (content.length === 0 && free) remove(paragraph);
    return;
  }
  const place =
    childOf(next, "w:pPr")?.nextSibling ?? (childOf(next, "w:pPr") ? null : next.firstChild);
  for (const one of content) next.insertBefore(one, place);
  remove(paragraph);
}

function restoreText(change: Element): void {
  const names: Readonly<Record<string, string>> = {
    "w:delText": "w:t",
    "w:delInstrText": "w:instrText",
  };
  for (const old of descendants(change, ...Object.keys(names))) {
    if (around(old, "w:del") !== change && around(old, "w:del") !== undefined) continue;
    const document = old.ownerDocument;
    const name = names[nameOf(old)];
    if (document === null || name === undefined) continue;
    const text = make(document, name, { "xml:space": "preserve" }, [old.textContent ?? ""]);
    old.parentNode?.replaceChild(text, old);
  }
}

/** Takes away what moves and emptied marks leave behind. */
function tidy(file: WordFile, part: string): void {
  const root = file.part(part).documentElement;
  if (root === null) return;
  if (descendants(root, "w:moveFrom", "w:moveTo").length === 0) {
    for (const range of descendants(root, ...RANGES)) remove(range);
  }
  for (const table of descendants(root, "w:tbl")) {
    if (descendants(table, "w:tr").length === 0) remove(table);
  }
  for (const properties of descendants(root, "w:rPr", "w:trPr")) {
    if (properties.firstChild === null) remove(properties);
  }
  for (const cell of descendants(root, "w:tc")) {
    const document = cell.ownerDocument;
    const last = elements(cell).at(-1);
    if (document !== null && (last === undefined || nameOf(last) !== "w:p")) {
      cell.appendChild(make(document, "w:p"));
    }
  }
}
