import type { WordFile } from "./word-file.ts";
import { attr, descendants, type Element, insertAfter, make, nameOf } from "./xml.ts";

/** Who makes an edit that the file shows as a tracked change, and when. */
export interface Tracking {
  readonly author: string;
  /** As the file says it: "2026-03-02T09:00:00Z". */
  readonly date: string;
  /** A number for the change that the file does not have yet. */
  nextId(): string;
}

const CHANGES = ["w:ins", "w:del", "w:moveFrom", "w:moveTo", "w:rPrChange", "w:pPrChange"];

export function trackingFor(file: WordFile, author: string, now: Date): Tracking {
  let highest: number | undefined;
  const found = () => {
    const roots = file.textParts().map((part) => file.part(part));
    const all = roots.flatMap((root) => descendants(root, ...CHANGES));
    return all.reduce((most, one) => Math.max(most, Number(attr(one, "w:id")) || 0), 900);
  };
  return {
    author,
    date: wordDate(now),
    nextId: () => {
      highest = (highest ?? found()) + 1;
      return String(highest);
    },
  };
}

export function wordDate(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`;
}

/** Marks runs as taken out. What was only added by a tracked change and is taken out again, goes. */
export function markRemoved(runs: readonly Element[], tracking: Tracking): void {
  for (const run of runs) {
    const document = run.ownerDocument;
    const parent = run.parentNode;
    if (document === null || parent === null) continue;
    for (const text of descendants(run, "w:t")) {
      const gone = make(document, "w:delText", { "xml:space": "preserve" }, [
        text.textContent ?? "",
      ]);
      text.parentNode?.replaceChild(gone, text);
    }
    const before = run.previousSibling;
    const same =
      before !== null && nameOf(before) === "w:del" && sameHand(before as Element, tracking);
    const del = same ? (before as Element) : make(document, "w:del", factsOf(tracking));
    if (!same) parent.insertBefore(del, run);
    del.appendChild(run);
  }
}

/** Puts runs after `place`, marked as added. */
export function addMarked(runs: readonly Element[], place: Element, tracking: Tracking): void {
  const document = place.ownerDocument;
  if (document === null || runs.length === 0) return;
  const ins = make(document, "w:ins", factsOf(tracking), runs);
  const del = place.parentNode;
  const outer = del !== null && nameOf(del) === "w:del" ? (del as Element) : place;
  insertAfter(ins, outer);
  // A change inside of a change of the same kind means nothing: it stands beside it.
  const parent = ins.parentNode;
  if (parent !== null && nameOf(parent) === "w:ins") liftOut(ins, parent as Element);
}

function liftOut(ins: Element, outer: Element): void {
  const rest = outer.cloneNode(false) as Element;
  while (ins.nextSibling !== null) rest.appendChild(ins.nextSibling);
  insertAfter(ins, outer);
  if (rest.firstChild !== null) insertAfter(rest, ins);
}

export function factsOf({ author, date, nextId }: Tracking): Record<string, string> {
  return { "w:id": nextId(), "w:author": author, "w:date": date };
}

function sameHand(change: Element, { author, date }: Tracking): boolean {
  return attr(change, "w:author") === author && attr(change, "w:date") === date;
}
