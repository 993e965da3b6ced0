import { nearest } from "../../kit/people/nearest.ts";
import { ToolError } from "../../kit/tool-error.ts";
import type { Block } from "../model/blocks.ts";
import { readMarkdown } from "../model/read-markdown.ts";
import { readBody, requireBlock, rowsOf, type WordBlock } from "./read-word.ts";
import { markParagraphRemoved } from "./replace.ts";
import { inOrder } from "./run-text.ts";
import { Styles } from "./styles.ts";
import { factsOf, type Tracking } from "./tracking.ts";
import type { WordFile } from "./word-file.ts";
import { WordWriter, type WriteOptions } from "./write-word.ts";
import {
  childOf,
  descendants,
  type Element,
  elements,
  insertAfter,
  is,
  make,
  nameOf,
  remove,
} from "./xml.ts";

export interface BlockEdit {
  readonly action: "insert_after" | "insert_before" | "replace" | "delete" | "append" | "set_style";
  readonly block?: string | undefined;
  readonly markdown?: string | undefined;
  readonly style?: string | undefined;
}

/**
 * Edits blocks one after the other; ids are those from before the first edit. What it did, in
 * words. @throws ToolError before anything was changed if an id or a style is not there.
 */
export function editBlocks(
  file: WordFile,
  edits: readonly BlockEdit[],
  tracking: Tracking | undefined,
): string[] {
  const blocks = readBody(file);
  const places = edits.map((edit) => {
    if (edit.action === "append") return undefined;
    if (edit.block === undefined) {
      throw new ToolError(`The action ${edit.action} needs "block": the id of a block.`);
    }
    return requireBlock(file, blocks, edit.block);
  });
  for (const edit of edits) requireComplete(file, edit);
  const worker = new BlockEditor(file, tracking);
  file.touch(file.main);
  return edits.map((edit, n) => worker.apply(edit, places[n]));
}

function requireComplete(file: WordFile, { action, markdown, style }: BlockEdit): void {
  const writes = ["insert_after", "insert_before", "replace", "append"].includes(action);
  if (writes && (markdown === undefined || markdown.trim() === "")) {
    throw new ToolError(
      `The action ${action} needs "markdown": the new text. Nothing was changed.`,
    );
  }
  if (action === "set_style" && style === undefined) {
    throw new ToolError('The action set_style needs "style": a name such as "heading 2".');
  }
  if (style !== undefined) requireStyle(file, style);
}

function requireStyle(file: WordFile, name: string): void {
  const styles = new Styles(file);
  if (styles.named(name) !== undefined) return;
  const close = nearest(name, styles.names());
  const hint = close === undefined ? "" : ` Did you mean "${close}"?`;
  const some = styles.names().slice(0, 40).join(", ");
  throw new ToolError(
    `The document has no paragraph style "${name}".${hint} It has: ${some}. Nothing was changed.`,
  );
}

class BlockEditor {
  readonly #file: WordFile;
  readonly #tracking: Tracking | undefined;
  /** Where the next insertion after the same block goes: after what was put there before. */
  readonly #ends = new Map<Element, Element>();
  readonly #gone = new Set<Element>();

  constructor(file: WordFile, tracking: Tracking | undefined) {
    this.#file = file;
    this.#tracking = tracking;
  }

  apply(edit: BlockEdit, target: WordBlock | undefined): string {
    const element = target?.element;
    if (element !== undefined && this.#gone.has(element)) {
      throw new ToolError(
        `Block ${edit.block} is named after it was deleted. Nothing was changed.`,
      );
    }
    if (edit.action === "append" || target === undefined || element === undefined) {
      return this.#append(edit);
    }
    if (edit.action === "delete") return this.#delete(element);
    if (edit.action === "set_style") return this.#setStyle(element, edit.style ?? "");
    const made = this.#made(edit, target);
    if (edit.action === "insert_before") {
      for (const one of made) element.parentNode?.insertBefore(one, element);
      return `inserted ${count(made)} before ${edit.block}`;
    }
    let last = this.#ends.get(element) ?? element;
    for (const one of made) {
      insertAfter(one, last);
      last = one;
    }
    if (edit.action === "insert_after") {
      this.#ends.set(element, last);
      this.#keepApart(last);
      return `inserted ${count(made)} after ${edit.block}`;
    }
    this.#takeSection(element, made);
    this.#delete(element);
    return `replaced ${edit.block} by ${count(made)}`;
  }

  #append(edit: BlockEdit): string {
    const last = readBody(this.#file).at(-1);
    const made = this.#made(edit, last);
    const { body } = this.#file;
    const end = elements(body).find((one) => nameOf(one) === "w:sectPr");
    for (const one of made) body.insertBefore(one, end ?? null);
    const final = made.at(-1);
    if (final !== undefined) this.#keepApart(final);
    return `appended ${count(made)}`;
  }

  #made(edit: BlockEdit, target: WordBlock | undefined): Element[] {
    const blocks = readMarkdown(edit.markdown ?? "").blocks;
    if (blocks.length === 0) throw new ToolError("The markdown has no text. Nothing was changed.");
    const options: WriteOptions = { tracking: this.#tracking, style: edit.style };
    const like = edit.style === undefined ? likeOf(edit, target, blocks) : {};
    return new WordWriter(this.#file, { ...options, like }).elements(blocks);
  }

  #delete(element: Element): string {
    this.#gone.add(element);
    if (this.#tracking !== undefined) this.#markDeleted(element, this.#tracking);
    else {
      const parent = element.parentNode;
      const section = childOf(childOf(element, "w:pPr"), "w:sectPr");
      if (section !== undefined) {
        // The end of a section hangs on the paragraph: the section stays, the text goes.
        for (const one of elements(element)) if (nameOf(one) !== "w:pPr") remove(one);
      } else remove(element);
      if (parent !== null) requireParagraph(parent as Element);
    }
    return "deleted a block";
  }

  #markDeleted(element: Element, tracking: Tracking): void {
    const rows = is(element, "w:tbl") ? rowsOf(element) : [];
    for (const row of rows) propertiesOf(row, "w:trPr").appendChild(this.#mark("w:del", tracking));
    const paragraphs = is(element, "w:p") ? [element] : descendants(element, "w:p");
    for (const paragraph of paragraphs) {
      markParagraphRemoved(paragraph, tracking);
      if (!is(element, "w:p")) continue;
      const look = propertiesOf(propertiesOf(paragraph, "w:pPr"), "w:rPr");
      look.insertBefore(this.#mark("w:del", tracking), look.firstChild);
    }
  }

  #mark(name: string, tracking: Tracking): Element {
    return make(this.#file.document, name, factsOf(tracking));
  }

  #setStyle(element: Element, name: string): string {
    const style = new Styles(this.#file).named(name);
    if (!is(element, "w:p")) throw new ToolError("Only paragraphs have a style that can be set.");
    const properties = propertiesOf(element, "w:pPr");
    const old = childOf(properties, "w:pStyle");
    if (old !== undefined) remove(old);
    const own = make(this.#file.document, "w:pStyle", { "w:val": style?.id ?? name });
    properties.insertBefore(own, properties.firstChild);
    return `set a paragraph's style to ${style?.name ?? name}`;
  }

  /** A section's end must not get lost with the paragraph that it hangs on. */
  #takeSection(element: Element, made: readonly Element[]): void {
    const section = childOf(childOf(element, "w:pPr"), "w:sectPr");
    const last = made.at(-1);
    if (section === undefined || last === undefined || !is(last, "w:p")) return;
    if (this.#tracking === undefined) propertiesOf(last, "w:pPr").appendChild(section);
  }

  /** Two tables without a paragraph between become one; and text ends with a paragraph. */
  #keepApart(last: Element): void {
    if (!is(last, "w:tbl")) return;
    let next = last.nextSibling;
    while (next !== null && next.nodeType !== 1) next = next.nextSibling;
    if (next === null || !is(next, "w:p")) insertAfter(make(this.#file.document, "w:p"), last);
  }
}

function requireParagraph(parent: Element): void {
  if (!["w:tc", "w:body"].includes(nameOf(parent)) || parent.ownerDocument === null) return;
  const blocks = elements(parent).filter((one) => is(one, "w:p") || is(one, "w:tbl"));
  if (blocks.length > 0) return;
  const section = elements(parent).find((one) => nameOf(one) === "w:sectPr");
  parent.insertBefore(make(parent.ownerDocument, "w:p"), section ?? null);
}

/** The first child of this name, which is made if it is not there. */
export function propertiesOf(parent: Element, name: string): Element {
  const known = childOf(parent, name);
  if (known !== undefined || parent.ownerDocument === null) return known ?? parent;
  const made = make(parent.ownerDocument, name);
  const section = name === "w:rPr" ? childOf(parent, "w:sectPr") : undefined;
  const last = name === "w:rPr" && is(parent, "w:pPr") ? (section ?? null) : parent.firstChild;
  parent.insertBefore(made, last);
  return made;
}

/** New plain paragraphs look as their neighbour does; one that replaces, as the one it replaces. */
function likeOf(
  { action }: BlockEdit,
  target: WordBlock | undefined,
  blocks: readonly Block[],
): NonNullable<WriteOptions["like"]> {
  if (target === undefined || !is(target.element, "w:p")) return {};
  const { kind } = target.block;
  const single = action === "replace" && blocks.length === 1;
  if (!single && kind !== "paragraph") return {};
  const pPr = childOf(target.element, "w:pPr")?.cloneNode(true) as Element | undefined;
  const run = descendants(target.element, "w:r").find((one) => childOf(one, "w:t") !== undefined);
  const rPr = childOf(run, "w:rPr")?.cloneNode(true) as Element | undefined;
  const dropped = ["w:rPr", "w:sectPr", "w:pPrChange", ...(single ? [] : ["w:pageBreakBefore"])];
  for (const one of pPr === undefined ? [] : elements(pPr)) {
    if (dropped.includes(nameOf(one))) remove(one);
  }
  if (rPr === undefined || (!single && kind !== "paragraph")) return { pPr };
  const passing = ["b", "bCs", "i", "iCs", "u", "strike", "highlight", "vertAlign", "rPrChange"];
  const kept = elements(rPr).filter((one) => !passing.includes(one.localName ?? ""));
  for (const one of elements(rPr)) remove(one);
  for (const one of inOrder(kept)) rPr.appendChild(one);
  return { pPr, rPr };
}

function count(made: readonly Element[]): string {
  return made.length === 1 ? "1 block" : `${made.length} blocks`;
}
