import { parse } from "parse5";
import { ToolError } from "../../kit/tool-error.ts";
import { type Block, type Cell, type Inline, joined, type Look, type Reading } from "./blocks.ts";
import {
  attribute,
  code,
  HTML_DEPTH,
  type HtmlElement,
  type HtmlNode,
  image,
  inQuote,
  isCell,
  isHidden,
  lookOf,
  rowsOf,
  seek,
  span,
  textIn,
} from "./html-nodes.ts";

const SKIPPED = new Set(
  "script style template noscript head title meta link svg canvas iframe object select".split(" "),
);
const BLOCKS = new Set(
  (
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption " +
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html li main nav ol p pre section " +
    "summary table tbody td tfoot th thead tr ul"
  ).split(" "),
);

/** HTML as structure: what a reader of the page sees, without scripts, styles and form controls. */
export function readHtml(text: string): Reading {
  const page = parse(text);
  const root = page.childNodes.find((node) => node.nodeName === "html") as HtmlElement;
  const title = textIn(seek(root, "title")).trim().replace(/\s+/g, " ");
  const body = seek(root, "body");
  const reader = new HtmlReader();
  if (body !== undefined) reader.blocks(body, {}, 0);
  reader.end();
  return {
    blocks: reader.found,
    ...(title !== "" && { title }),
    notes: reader.forms > 0 ? ["Form controls of the page are not shown."] : [],
  };
}

class HtmlReader {
  readonly found: Block[] = [];
  forms = 0;
  #inlines: Inline[] = [];
  #make: (inlines: Inline[]) => Block = paragraph;
  readonly #lists: { ordered: boolean; next: number }[] = [];

  /** Ends the block that text is gathered for. */
  end(): void {
    const inlines = trimmed(this.#inlines);
    if (inlines.length > 0) this.found.push(this.#make(inlines));
    this.#inlines = [];
    this.#make = this.#lists.length > 0 ? this.#continued() : paragraph;
  }

  #continued(): (inlines: Inline[]) => Block {
    const indent = this.#lists.length;
    return (inlines) => ({ kind: "paragraph", inlines, indent });
  }

  blocks(parent: HtmlElement, look: Look, depth: number): void {
    if (depth > HTML_DEPTH) throw new ToolError("The page is nested more deeply than a page is.");
    for (const node of parent.childNodes) this.#node(node, look, depth);
  }

  #node(node: HtmlNode, look: Look, depth: number): void {
    if (node.nodeName === "#text") {
      const text = "value" in node ? node.value.replace(/[ \t\n\r\f]+/g, " ") : "";
      this.#inlines.push({ ...look, text });
    }
    if (!("tagName" in node) || SKIPPED.has(node.tagName) || isHidden(node)) return;
    const name = node.tagName;
    if (name === "br") this.#inlines.push({ ...look, text: "\n" });
    else if (name === "img") this.#inlines.push(image(node));
    else if (["input", "textarea", "button"].includes(name)) this.forms++;
    else if (BLOCKS.has(name)) this.#block(node, name, look, depth + 1);
    else this.blocks(node, { ...look, ...lookOf(node) }, depth + 1);
  }

  #block(node: HtmlElement, name: string, look: Look, depth: number): void {
    this.end();
    if (name === "hr") this.found.push({ kind: "rule" });
    else if (name === "pre") this.found.push(code(node));
    else if (name === "table") this.found.push(this.#table(node, depth));
    else if (name === "ul" || name === "ol") {
      this.#lists.push({
        ordered: name === "ol",
        next: Number(attribute(node, "start") ?? 1) || 1,
      });
      this.blocks(node, look, depth);
      this.#lists.pop();
    } else {
      this.#make = this.#maker(node, name) ?? this.#make;
      this.blocks(node, look, depth);
    }
    this.end();
  }

  #maker(node: HtmlElement, name: string): ((inlines: Inline[]) => Block) | undefined {
    if (/^h[1-6]$/.test(name)) {
      return (inlines) => ({ kind: "heading", level: Number(name[1]), inlines });
    }
    if (name === "blockquote" || (name === "p" && inQuote(node))) {
      return (inlines) => ({ kind: "quote", inlines });
    }
    const list = this.#lists.at(-1);
    if (name !== "li" || list === undefined) return undefined;
    const level = this.#lists.length - 1;
    const { ordered } = list;
    const label = ordered ? `${list.next++}.` : "•";
    return (inlines) => ({ kind: "item", level, label, ordered, inlines });
  }

  #table(table: HtmlElement, depth: number): Block {
    const rows: Cell[][] = [];
    let header = false;
    const tall = new Map<number, number>();
    for (const row of rowsOf(table)) {
      const cells: Cell[] = [];
      const covered = () => {
        for (let left = tall.get(cells.length) ?? 0; left > 0; left = tall.get(cells.length) ?? 0) {
          tall.set(cells.length, left - 1);
          cells.push({ blocks: [], covered: "above" });
        }
      };
      const found = row.childNodes.filter(isCell);
      header ||= rows.length === 0 && found.length > 0 && found.every((c) => c.tagName === "th");
      for (const cell of found) {
        covered();
        const [wide, high] = [span(cell, "colspan"), span(cell, "rowspan")];
        for (let n = 0; n < wide; n++) {
          if (high > 1) tall.set(cells.length, high - 1);
          cells.push(n === 0 ? this.#cell(cell, depth) : { blocks: [], covered: "left" });
        }
      }
      covered();
      rows.push(cells);
    }
    return { kind: "table", rows, header };
  }

  #cell(cell: HtmlElement, depth: number): Cell {
    const reader = new HtmlReader();
    reader.blocks(cell, {}, depth + 1);
    reader.end();
    this.forms += reader.forms;
    return { blocks: reader.found };
  }
}

function paragraph(inlines: Inline[]): Block {
  return { kind: "paragraph", inlines };
}

/** Blanks at the ends of lines go, and those that follow one another are one. */
function trimmed(inlines: readonly Inline[]): Inline[] {
  const kept: Inline[] = [];
  let blank = true;
  for (const one of inlines) {
    let { text } = one;
    if (blank) text = text.replace(/^ /, "");
    text = text.replace(/ ?\n ?/g, "\n");
    if (text !== "") blank = /[ \n]$/.test(text);
    kept.push({ ...one, text });
  }
  const found = joined(kept);
  for (let last = found.at(-1); last !== undefined; last = found.at(-1)) {
    const text = last.text.replace(/[ \n]+$/, "");
    found.pop();
    if (text === "") continue;
    found.push({ ...last, text });
    break;
  }
  return found;
}
