import type { Inline, Look } from "../model/blocks.ts";
import { joined } from "../model/blocks.ts";
import type { Relation } from "./word-file.ts";
import { attr, childOf, type Element, elements, isOn, make, nameOf, setAttr } from "./xml.ts";

/** A bit of a paragraph's text, and the element that holds it. */
export interface Piece {
  readonly text: string;
  /** `w:t`, `w:delText`, `w:tab`, `w:br` … */
  readonly node: Element;
  /** The `w:r` around it; undefined for what stands outside of runs, such as formulas. */
  readonly run: Element | undefined;
  readonly change: "added" | "removed" | undefined;
  readonly link: Element | undefined;
  /** Stands for an image, a note's mark …: seen, but no text of the paragraph. */
  readonly placeholder: boolean;
}

/** What is not gone into: properties, and paragraphs inside text boxes (they count as their own). */
const CLOSED = new Set([
  ...["w:pPr", "w:rPr", "w:sdtPr", "w:sdtEndPr", "mc:Fallback", "w:instrText", "w:rt"],
  ...["w:p", "w:tbl", "w:txbxContent"],
]);
const REMOVED = new Set(["w:del", "w:moveFrom"]);
const ADDED = new Set(["w:ins", "w:moveTo"]);

interface Around {
  readonly run: Element | undefined;
  readonly change: "added" | "removed" | undefined;
  readonly link: Element | undefined;
  /** Of each field that is open, whether its instruction goes on: what makes its text is none. */
  readonly fields: boolean[];
}

/** The text of a paragraph, in order, with tracked changes and placeholders. */
function piecesOf(paragraph: Element): Piece[] {
  const found: Piece[] = [];
  collect(paragraph, { run: undefined, change: undefined, link: undefined, fields: [] }, found);
  return found;
}

function collect(parent: Element, place: Around, found: Piece[]): void {
  for (const node of elements(parent)) {
    const name = nameOf(node);
    if (CLOSED.has(name)) continue;
    const { fields, ...around } = place;
    const piece = (text: string, placeholder = false) => {
      if (!fields.includes(true)) found.push({ ...around, text, node, placeholder });
    };
    if (name === "w:t" || name === "w:delText") piece(node.textContent ?? "");
    else if (name === "m:oMath") piece(node.textContent ?? "", true);
    else if (name === "w:drawing" || name === "w:pict" || name === "w:object") piece("", true);
    else if (LETTERS[name] !== undefined) piece(LETTERS[name]);
    else if (name === "w:fldChar") goOn(fields, attr(node, "w:fldCharType"));
    else if (name === "w:footnoteReference" || name === "w:endnoteReference") piece("", true);
    else if (name === "w:sym") piece(symbol(node));
    else if (REMOVED.has(name)) collect(node, { ...place, change: "removed" }, found);
    else if (ADDED.has(name)) {
      collect(node, { ...place, change: place.change ?? "added" }, found);
    } else if (name === "w:hyperlink") collect(node, { ...place, link: node }, found);
    else if (name === "w:r") collect(node, { ...place, run: node }, found);
    else collect(node, place, found);
  }
}

const LETTERS: Readonly<Record<string, string>> = {
  "w:tab": "\t",
  "w:ptab": "\t",
  "w:br": "\n",
  "w:cr": "\n",
  "w:noBreakHyphen": "\u2011",
};

/** Between its beginning and its separator a field holds no text but what makes its text. */
function goOn(fields: boolean[], kind: string | undefined): void {
  if (kind === "begin") fields.push(true);
  else if (kind === "separate" && fields.length > 0) fields[fields.length - 1] = false;
  else if (kind === "end") fields.pop();
}

/** A letter of a symbol font; those have their own places for letters, at U+F000. */
function symbol(node: Element): string {
  const code = Number.parseInt(attr(node, "w:char") ?? "", 16);
  if (Number.isNaN(code)) return "";
  const letter = SYMBOLS[code & 0xff];
  if (code >= 0xf000 && code <= 0xf0ff && letter !== undefined) return letter;
  const isNone = code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
  return isNone ? "" : String.fromCodePoint(code);
}

const SYMBOLS: Readonly<Record<number, string>> = {
  ...{ 167: "▪", 168: "◻", 183: "•", 216: "➢", 252: "✓", 251: "✗", 254: "☑", 111: "□" },
};

/** Text that can be searched and replaced: without what was taken out, and without placeholders. */
export function textPieces(paragraph: Element): Piece[] {
  return piecesOf(paragraph).filter((p) => p.change !== "removed" && !p.placeholder);
}

export function textOf(paragraph: Element): string {
  return textPieces(paragraph)
    .map(({ text }) => text)
    .join("");
}

/** The paragraph for showing. `relations` are those of its part, for the targets of links. */
export function inlinesOf(paragraph: Element, relations: readonly Relation[]): Inline[] {
  const inlines = insidePages(piecesOf(paragraph)).map((piece): Inline => {
    const change = piece.change === undefined ? {} : { change: piece.change };
    if (piece.placeholder) return { text: standIn(piece), placeholder: true, ...change };
    const link = piece.link === undefined ? undefined : target(piece.link, relations);
    const look = { ...lookOf(piece.run), ...(link === undefined ? {} : { link }) };
    return { text: piece.text, ...look, ...change };
  });
  return joined(inlines);
}

/** Without the page breaks at its ends, which part no words. */
function insidePages(pieces: readonly Piece[]): readonly Piece[] {
  const parts = ({ node }: Piece) =>
    nameOf(node) === "w:br" && ["page", "column"].includes(attr(node, "w:type") ?? "");
  const first = pieces.findIndex((piece) => !parts(piece));
  return first === -1
    ? []
    : pieces.slice(first, pieces.findLastIndex((piece) => !parts(piece)) + 1);
}

function standIn({ node, text }: Piece): string {
  const name = nameOf(node);
  if (name === "m:oMath") return text;
  if (name === "w:footnoteReference") return `[^${attr(node, "w:id") ?? "?"}]`;
  if (name === "w:endnoteReference") return `[^e${attr(node, "w:id") ?? "?"}]`;
  return `[image${alternative(node)}]`;
}

function alternative(drawing: Element): string {
  const seek = (parent: Element): string => {
    for (const one of elements(parent)) {
      if (one.localName === "docPr")
        return one.getAttribute("descr") || one.getAttribute("title") || "";
      const found = seek(one);
      if (found !== "") return found;
    }
    return "";
  };
  const said = seek(drawing);
  return said === "" ? "" : `: ${said}`;
}

function target(link: Element, relations: readonly Relation[]): string | undefined {
  const anchor = attr(link, "w:anchor");
  const found = relations.find(({ id }) => id === attr(link, "r:id"));
  if (found !== undefined) return anchor === undefined ? found.target : `${found.target}#${anchor}`;
  return anchor === undefined ? undefined : `#${anchor}`;
}

const MONO = /^(Consolas|Courier|Menlo|Monaco|DejaVu Sans Mono|Liberation Mono|Source Code)/;

function lookOf(run: Element | undefined): Look {
  const own = childOf(run, "w:rPr");
  if (own === undefined) return {};
  const has = (name: string) => isOn(own, name);
  return {
    ...(has("w:b") && { bold: true }),
    ...(has("w:i") && { italic: true }),
    ...(has("w:u") && { underline: true }),
    ...(MONO.test(attr(childOf(own, "w:rFonts"), "w:ascii") ?? "") && { code: true }),
    ...((has("w:strike") || has("w:dstrike")) && { strike: true }),
  };
}

/**
 * The runs that hold exactly the text from `start` to `end` (of `textOf`): runs are split at the
 * ends, their looks kept. Runs of placeholders in between are not among them.
 */
export function isolated(paragraph: Element, start: number, end: number): Element[] {
  splitAt(paragraph, start);
  splitAt(paragraph, end);
  const runs: Element[] = [];
  let at = 0;
  for (const { text, run } of textPieces(paragraph)) {
    const inside = at >= start && at + text.length <= end && text !== "";
    if (inside && run !== undefined && !runs.includes(run)) runs.push(run);
    at += text.length;
  }
  return runs;
}

function splitAt(paragraph: Element, offset: number): void {
  let at = 0;
  for (const piece of textPieces(paragraph)) {
    const within = offset - at;
    at += piece.text.length;
    if (within > piece.text.length || within < 0) continue;
    if (within === piece.text.length) continue;
    if (piece.run !== undefined) splitRun(piece.run, piece.node, within);
    return;
  }
}

/** Cuts a run in two, `within` letters into one of its texts. */
function splitRun(run: Element, node: Element, within: number): void {
  const document = run.ownerDocument;
  if (document === null) return;
  const isFirst = within === 0 && !elements(run).some((one) => precedes(one, node));
  if (isFirst) return;
  const first = run.cloneNode(false) as Element;
  const look = childOf(run, "w:rPr");
  if (look !== undefined) first.appendChild(look.cloneNode(true));
  for (const one of elements(run)) {
    if (one === node) break;
    if (nameOf(one) !== "w:rPr") first.appendChild(one);
  }
  if (within > 0) {
    const text = node.textContent ?? "";
    const head = make(document, nameOf(node), { "xml:space": "preserve" }, [text.slice(0, within)]);
    first.appendChild(head);
    setText(node, text.slice(within));
  }
  run.parentNode?.insertBefore(first, run);
}

function precedes(one: Element, node: Element): boolean {
  if (one === node || nameOf(one) === "w:rPr") return false;
  for (let next = one.nextSibling; next !== null; next = next.nextSibling) {
    if (next === node) return true;
  }
  return false;
}

/** Sets the text of a `w:t`; blanks at its ends count. */
export function setText(node: Element, text: string): void {
  node.textContent = text;
  setAttr(node, "xml:space", "preserve");
}
