import type { Book } from "./book.ts";
import { areaName, readArea, type Shift, shifted, shiftedArea } from "./refs.ts";
import type { Element } from "./xml.ts";

/** Moves what floats over the cells of a sheet: pictures, charts, notes and their boxes. */
export function shiftAnchors(book: Book, part: string, shift: Shift): void {
  for (const { type, target } of book.opc.relations(part)) {
    if (!book.opc.has(target)) continue;
    if (type === "drawing") shiftDrawing(book.opc.xml(target).root, shift);
    if (type === "comments" || type === "threadedComment") {
      shiftNotes(book.opc.xml(target).root, shift);
    }
    if (type === "vmlDrawing") {
      book.opc.setText(target, shiftedBoxes(book.opc.text(target), shift));
    }
  }
}

/** Pictures and charts that lie between two cells, here or in the controls of a sheet. */
export function shiftDrawing(root: Element, shift: Shift): void {
  for (const anchor of root.walk()) {
    const from = anchor.child("from")?.child(shift.axis === "row" ? "row" : "col");
    if (from === undefined || anchor.get("editAs") === "absolute") continue;
    const old = Number(from.text);
    const start = shiftedEdge(old, shift);
    from.text = String(start);
    const to = anchor.child("to")?.child(shift.axis === "row" ? "row" : "col");
    if (to === undefined) continue;
    const moved = Number(to.text) + start - old;
    const sized = Math.max(shiftedEdge(Number(to.text), shift), start);
    to.text = String(anchor.get("editAs") === "oneCell" ? moved : sized);
  }
}

/** Of a line counted from 0; of a line that is taken out, the one that takes its place. */
function shiftedEdge(line: number, shift: Shift): number {
  return (shifted(line + 1, shift) ?? shift.at) - 1;
}

function shiftNotes(root: Element, shift: Shift): void {
  for (const list of root.walk()) {
    for (const note of list.elements) {
      const area = readArea(note.get("ref") ?? "");
      if (area === undefined) continue;
      const next = shiftedArea(area, shift);
      if (next === undefined) list.remove(note);
      else if (areaName(next) !== areaName(area)) note.set("ref", areaName(next));
    }
  }
}

/** The boxes of notes are in an old language that is not always well-formed. */
function shiftedBoxes(text: string, shift: Shift): string {
  return text.replace(/<v:shape\b[\s\S]*?<\/v:shape>\s*/g, (shape) => {
    const line = shift.axis === "row" ? "Row" : "Column";
    const pattern = new RegExp(`(<x:${line}>)\\s*(\\d+)\\s*(</x:${line}>)`);
    const found = pattern.exec(shape);
    if (found !== null && shifted(Number(found[2]) + 1, shift) === undefined) return "";
    const moved = shape.replace(pattern, (_, open: string, at: string, close: string) => {
      return `${open}${shiftedEdge(Number(at), shift)}${close}`;
    });
    return moved.replace(/(<x:Anchor>)([^<]*)(<\/x:Anchor>)/, (_, open, inside: string, close) => {
      const numbers = inside.split(",").map((n) => Number(n.trim()));
      const [a, b] = shift.axis === "row" ? [2, 6] : [0, 4];
      const size = (numbers[b] ?? 0) - (numbers[a] ?? 0);
      const start = shiftedEdge(numbers[a] ?? 0, shift);
      const next = numbers.with(a, start).with(b, start + size);
      return `${open}${next.join(", ")}${close}`;
    });
  });
}

/** Links inside the book that lead to a sheet under its new name. */
export function renameLinks(root: Element, change: (location: string) => string): void {
  for (const link of root.child("hyperlinks")?.elements ?? []) {
    const location = link.get("location");
    if (location === undefined) continue;
    const next = change(location);
    if (next !== location) link.set("location", next);
  }
}
