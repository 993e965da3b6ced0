import { ToolError } from "../../kit/tool-error.ts";
import { placeOf } from "../ids.ts";
import { type Block, type Cell, current, type Inline, type Reading } from "../model/blocks.ts";
import { Numbering } from "./numbering.ts";
import { inlinesOf } from "./pieces.ts";
import { Styles } from "./styles.ts";
import type { Relation, WordFile } from "./word-file.ts";
import {
  around,
  attr,
  childOf,
  childrenOf,
  descendants,
  type Element,
  elements,
  isOn,
  nameOf,
  valOf,
} from "./xml.ts";

/** A block of the body and the element that it was read from. */
export interface WordBlock {
  readonly block: Block;
  readonly element: Element;
}

/** Wrappers whose content stands as if they were not there. */
const SEE_THROUGH = new Set([
  ...["w:sdt", "w:sdtContent", "w:customXml", "w:smartTag", "w:ins", "w:moveTo"],
  ...["mc:AlternateContent", "mc:Choice"],
]);

/** The body of a Word file, block by block. */
export function readBody(file: WordFile): WordBlock[] {
  return new BodyReader(file).blocks(file.body);
}

/**
 * The block of the body that an id names. @throws ToolError if it is not there, or is a note: those
 * are shown after the body.
 */
export function requireBlock(file: WordFile, body: readonly WordBlock[], id: string): WordBlock {
  const blocks = [...body.map(({ block }) => block), ...notesOf(file)];
  const found = body[placeOf(id, blocks)];
  if (found !== undefined) return found;
  throw new ToolError(
    `Block ${id} is a footnote or endnote. Change its words with replace_text. Nothing was changed.`,
  );
}

/** A Word file as one reading: body, then notes; what stands around the pages as remarks. */
export function readWord(file: WordFile): Reading {
  const blocks = readBody(file).map(({ block }) => block);
  const notes = notesOf(file);
  const remarks = aroundPages(file).map(({ kind, text }) => `${kind}: ${text}`);
  const title = blocks.find((block) => block.kind === "heading");
  return {
    blocks: [...blocks, ...notes],
    ...(title?.kind === "heading" && { title: title.inlines.map(({ text }) => text).join("") }),
    notes: remarks,
  };
}

class BodyReader {
  readonly #styles: Styles;
  readonly #numbering: Numbering;
  readonly #relations: readonly Relation[];

  constructor(file: WordFile) {
    this.#styles = new Styles(file);
    this.#numbering = new Numbering(file, this.#styles);
    this.#relations = file.relations(file.main);
  }

  blocks(parent: Element): WordBlock[] {
    const found: WordBlock[] = [];
    for (const element of elements(parent)) {
      const name = nameOf(element);
      if (name === "w:p") found.push({ element, block: this.paragraph(element) });
      else if (name === "w:tbl") found.push({ element, block: this.table(element) });
      else if (SEE_THROUGH.has(name)) found.push(...this.blocks(element));
    }
    return found;
  }

  paragraph(element: Element): Block {
    const inlines = withEnd(element, [
      ...inlinesOf(element, this.#relations),
      ...this.#boxes(element),
    ]);
    const label = this.#numbering.next(element);
    const level = this.#styles.level(element);
    const properties = childOf(element, "w:pPr");
    const id = valOf(properties, "w:pStyle");
    const name = this.#styles.get(id)?.name ?? id;
    if (level !== undefined) {
      const number: Inline[] = label?.ordered
        ? [{ text: `${label.text} `, placeholder: true }]
        : [];
      return { kind: "heading", level: Math.max(1, level), inlines: [...number, ...inlines] };
    }
    const style =
      id === undefined || id === this.#styles.usual || name === undefined ? {} : { style: name };
    if (label !== undefined) {
      const { text, ordered } = label;
      return { kind: "item", level: label.level, label: text, ordered, inlines, ...style };
    }
    const breaks = descendants(element, "w:br").some((br) => attr(br, "w:type") === "page");
    if (inlines.length === 0 && childOf(properties, "w:pBdr") !== undefined)
      return { kind: "rule" };
    if (breaks && inlines.every(({ text }) => text.trim() === "")) return { kind: "page-break" };
    if (/^(intense )?quote$/i.test(name ?? "")) return { kind: "quote", inlines };
    return { kind: "paragraph", inlines, ...style };
  }

  /** Text boxes hang on a paragraph; their text is shown after it. */
  #boxes(paragraph: Element): Inline[] {
    const boxes = descendants(paragraph, "w:txbxContent").filter((box) => !inFallback(box));
    return boxes.map((box) => {
      const own = descendants(box, "w:p").filter((p) => around(p, "w:txbxContent") === box);
      const texts = own.map((p) => current(inlinesOf(p, this.#relations)));
      const gone = around(box, "w:del", "w:moveFrom") !== undefined;
      return {
        text: `[text box: ${texts.join(" / ")}]`,
        placeholder: true,
        ...(gone && { change: "removed" as const }),
      };
    });
  }

  table(element: Element): Block {
    const rows: Cell[][] = [];
    for (const row of rowsOf(element)) rows.push(this.#row(row, rows.at(-1) ?? []));
    const first = rowsOf(element)[0];
    const marked = first !== undefined && isOn(childOf(first, "w:trPr"), "w:tblHeader");
    const look = childOf(childOf(element, "w:tblPr"), "w:tblLook");
    const header = marked || attr(look, "w:firstRow") === "1" || firstRowBit(attr(look, "w:val"));
    return { kind: "table", rows, header };
  }

  #row(row: Element, above: readonly Cell[]): Cell[] {
    const cells: Cell[] = [];
    const ownRow = childOf(row, "w:trPr");
    for (let n = gridBefore(row); n > 0; n--) cells.push({ blocks: [] });
    for (const cell of cellsOf(row)) {
      const properties = childOf(cell, "w:tcPr");
      const merge = childOf(properties, "w:vMerge");
      const goesOn = merge !== undefined && attr(merge, "w:val") !== "restart";
      const removed =
        childOf(ownRow, "w:del") !== undefined || childOf(properties, "w:cellDel") !== undefined;
      const read = this.blocks(cell).map(({ block }) => block);
      const blocks = removed ? read.map(takenOut) : read;
      const covered = goesOn && above[cells.length] !== undefined;
      cells.push(covered ? { blocks: [], covered: "above" } : { blocks });
      const span = Math.min(63, Number(valOf(properties, "w:gridSpan") ?? 1) || 1);
      for (let n = 1; n < span; n++)
        cells.push({ blocks: [], covered: covered ? "above" : "left" });
    }
    return cells;
  }
}

/** A block of a table's row or cell that a tracked change took out. */
function takenOut(block: Block): Block {
  if (block.kind === "table") {
    const rows = block.rows.map((row) =>
      row.map((cell) => ({ ...cell, blocks: cell.blocks.map(takenOut) })),
    );
    return { ...block, rows };
  }
  if (!("inlines" in block)) return block;
  return { ...block, inlines: block.inlines.map((one) => ({ ...one, change: "removed" })) };
}

/** With a mark where a tracked change joins what is left of a paragraph to the next. */
function withEnd(paragraph: Element, inlines: readonly Inline[]): Inline[] {
  const end = childOf(childOf(paragraph, "w:pPr"), "w:rPr");
  const gone = ["w:del", "w:moveFrom"].some((name) => childOf(end, name) !== undefined);
  if (!gone || current(inlines) === "") return [...inlines];
  return [...inlines, { text: "¶", placeholder: true, change: "removed" }];
}

function gridBefore(row: Element): number {
  return Math.min(63, Number(valOf(childOf(row, "w:trPr"), "w:gridBefore") ?? 0) || 0);
}

/** Bit 0x20 of the old form of `w:tblLook`: the first row looks different. */
function firstRowBit(value: string | undefined): boolean {
  return value !== undefined && (Number.parseInt(value, 16) & 0x20) !== 0;
}

/** The rows of a table, also those wrapped in content controls. */
export function rowsOf(table: Element): Element[] {
  return within(table, "w:tr");
}

export function cellsOf(row: Element): Element[] {
  return within(row, "w:tc");
}

function within(parent: Element, name: string): Element[] {
  return elements(parent).flatMap((one) => {
    if (nameOf(one) === name) return [one];
    return SEE_THROUGH.has(nameOf(one)) ? within(one, name) : [];
  });
}

function inFallback(node: Element): boolean {
  for (let up = node.parentNode; up !== null; up = up.parentNode) {
    if (nameOf(up) === "mc:Fallback") return true;
  }
  return false;
}

/** Footnotes and endnotes, as paragraphs that begin with their marks. */
function notesOf(file: WordFile): Block[] {
  return (["footnotes", "endnotes"] as const).flatMap((kind) => {
    const part = file.related(kind);
    const root = part === undefined ? null : file.part(part).documentElement;
    if (part === undefined || root === null) return [];
    const relations = file.relations(part);
    const name = kind === "endnotes" ? "w:endnoteReference" : "w:footnoteReference";
    const marks = descendants(file.body, name).filter((mark) => !inFallback(mark));
    const isGone = (mark: Element) => around(mark, "w:del", "w:moveFrom") !== undefined;
    const shown = new Set(marks.filter((mark) => !isGone(mark)).map((mark) => attr(mark, "w:id")));
    const real = elements(root).filter((note) => shown.has(attr(note, "w:id") ?? "?"));
    return real.map((note): Block => {
      const mark = `[^${kind === "endnotes" ? "e" : ""}${attr(note, "w:id") ?? "?"}]: `;
      const texts = descendants(note, "w:p").map((p) => inlinesOf(p, relations));
      const inlines = texts.flatMap((text, n) =>
        n === 0 ? trimmedStart(text) : [{ text: "\n" }, ...text],
      );
      return { kind: "paragraph", inlines: [{ text: mark, placeholder: true }, ...inlines] };
    });
  });
}

/** Between its mark and its text, a note has a blank. */
function trimmedStart([first, ...rest]: readonly Inline[]): Inline[] {
  return first === undefined ? [] : [{ ...first, text: first.text.trimStart() }, ...rest];
}

/** Paragraphs in a style for code as one block of code each run; for writing, not for showing. */
export function withCode(blocks: readonly Block[]): Block[] {
  const found: Block[] = [];
  for (const block of blocks) {
    const last = found.at(-1);
    const isCode = block.kind === "paragraph" && CODE_STYLE.test(block.style ?? "");
    if (!isCode) found.push(block);
    else if (last?.kind === "code") {
      found[found.length - 1] = { ...last, text: `${last.text}\n${current(block.inlines)}` };
    } else found.push({ kind: "code", text: current(block.inlines), language: "" });
  }
  return found;
}

const CODE_STYLE = /^(code|source code|html preformatted|preformatted text|plain text)$/i;

export interface AroundPages {
  /** "header", "footer"; with "first page" or "even pages" before it. */
  readonly kind: string;
  readonly part: string;
  readonly text: string;
}

const WHICH: Readonly<Record<string, string>> = { first: "first page ", even: "even pages " };

/** Headers and footers that have text, each once. */
function aroundPages(file: WordFile): AroundPages[] {
  const relations = file.relations(file.main);
  const found = new Map<string, AroundPages>();
  for (const section of descendants(file.body, "w:sectPr")) {
    for (const name of ["header", "footer"]) {
      for (const reference of childrenOf(section, `w:${name}Reference`)) {
        const one = relations.find(({ id }) => id === attr(reference, "r:id"));
        const type = attr(reference, "w:type") ?? "default";
        if (one === undefined || one.external || !file.has(one.target)) continue;
        if (type === "first" && !isOn(section, "w:titlePg")) continue;
        if (type === "even" && !file.setting("w:evenAndOddHeaders")) continue;
        const text = partText(file, one.target);
        if (text === "" || found.has(one.target)) continue;
        found.set(one.target, { kind: `${WHICH[type] ?? ""}${name}`, part: one.target, text });
      }
    }
  }
  return [...found.values()];
}

function partText(file: WordFile, part: string): string {
  const root = file.part(part).documentElement;
  if (root === null) return "";
  const paragraphs = descendants(root, "w:p").filter((p) => !inFallback(p));
  const lines = paragraphs.map((paragraph) =>
    inlinesOf(paragraph, [])
      .filter(({ change }) => change !== "removed")
      .map(({ text }) => text)
      .join(""),
  );
  return lines.filter((line) => line.trim() !== "").join(" / ");
}
