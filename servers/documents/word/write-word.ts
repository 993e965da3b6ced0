import type { Block, Cell, Inline } from "../model/blocks.ts";
import { STYLES } from "./blank.ts";
import { ListMaker } from "./lists.ts";
import { inOrder, textElements } from "./run-text.ts";
import { Styles } from "./styles.ts";
import type { Tracking } from "./tracking.ts";
import type { WordFile } from "./word-file.ts";
import { childOf, type Document, type Element, make, parseXml, W } from "./xml.ts";

export interface WriteOptions {
  readonly tracking?: Tracking | undefined;
  /** The look of plain paragraphs: `w:pPr` and `w:rPr` of a neighbour. */
  readonly like?: { readonly pPr?: Element | undefined; readonly rPr?: Element | undefined };
  /** The name of the style for paragraphs, instead. */
  readonly style?: string | undefined;
}

/** Makes paragraphs and tables for a Word file, in the file's own styles where it has them. */
export class WordWriter {
  readonly #file: WordFile;
  readonly #part: string;
  readonly #document: Document;
  readonly #options: WriteOptions;
  #styles: Styles;
  #lists: ListMaker | undefined;
  /** Width for tables, in twentieths of a point. */
  readonly #width = 9072;

  constructor(file: WordFile, options: WriteOptions = {}, part = file.main) {
    this.#file = file;
    this.#part = part;
    this.#document = file.part(part);
    this.#options = options;
    this.#styles = new Styles(file);
  }

  elements(blocks: readonly Block[]): Element[] {
    const made: Element[] = [];
    let before: Block | undefined;
    for (const block of blocks) {
      if (block.kind === "item" && before?.kind !== "item" && !indentedAfter(before)) {
        this.#lists?.end();
      }
      made.push(...this.#block(block));
      before = block;
    }
    return made;
  }

  #block(block: Block): Element[] {
    switch (block.kind) {
      case "heading":
        return [this.#paragraph(block.inlines, this.#style(`heading ${Math.min(6, block.level)}`))];
      case "paragraph":
        return [this.#plainParagraph(block)];
      case "item":
        return [this.#item(block)];
      case "quote":
        return [this.#paragraph(block.inlines, this.#style("Quote"))];
      case "code": {
        return block.text
          .split("\n")
          .map((text) => this.#paragraph([{ text }], this.#style("Code")));
      }
      case "table":
        return [this.table(block.rows, block.header)];
      case "rule":
        return [this.#rule()];
      case "page-break": {
        const br = this.#make("w:br", { "w:type": "page" });
        return [this.#make("w:p", {}, [this.#make("w:r", {}, [br])])];
      }
    }
  }

  #plainParagraph(block: Block & { kind: "paragraph" }): Element {
    const named = block.style ?? this.#options.style;
    const style = named === undefined ? undefined : this.#styles.named(named);
    const ind = (block.indent ?? 0) * 720;
    const own = ind === 0 ? [] : [this.#make("w:ind", { "w:left": String(ind) })];
    if (style !== undefined) {
      return this.#paragraph(block.inlines, [this.#styleOf(style.id), ...own]);
    }
    const like = this.#options.like;
    const pPr = like?.pPr === undefined || ind > 0 ? own : cloned(like.pPr);
    return this.#paragraph(block.inlines, pPr, like?.rPr);
  }

  #item(block: Block & { kind: "item" }): Element {
    this.#lists ??= new ListMaker(this.#file);
    const numbers = this.#lists.properties(this.#document, block);
    return this.#paragraph(block.inlines, [...this.#style("List Paragraph"), numbers]);
  }

  #rule(): Element {
    const line = { "w:val": "single", "w:sz": "6", "w:space": "1", "w:color": "auto" };
    const border = this.#make("w:pBdr", {}, [this.#make("w:bottom", line)]);
    return this.#paragraph([], [border]);
  }

  #paragraph(
    inlines: readonly Inline[],
    properties: readonly Element[],
    look?: Element | undefined,
  ): Element {
    const { tracking } = this.#options;
    const own = [...properties];
    if (tracking !== undefined)
      own.push(this.#make("w:rPr", {}, [this.#change("w:ins", tracking)]));
    const pPr = own.length === 0 ? [] : [this.#make("w:pPr", {}, own)];
    return this.#make("w:p", {}, [...pPr, ...this.runs(inlines, look)]);
  }

  /** Runs for a paragraph, links and tracked insertions around them. */
  runs(inlines: readonly Inline[], look?: Element | undefined): Element[] {
    const { tracking } = this.#options;
    return inlines
      .filter(({ change }) => change !== "removed")
      .map((one) => {
        const linked = one.link !== undefined && /^(https?|mailto|ftp):/i.test(one.link);
        let element = this.#run(one, look, linked);
        if (tracking !== undefined) element = this.#change("w:ins", tracking, [element]);
        return linked ? this.#link(one.link ?? "", element) : element;
      });
  }

  #run(one: Inline, look: Element | undefined, linked: boolean): Element {
    const switches: Element[] = [];
    const mono = { "w:ascii": "Consolas", "w:hAnsi": "Consolas", "w:cs": "Consolas" };
    if (linked) switches.push(this.#make("w:rStyle", { "w:val": this.#idOf("Hyperlink") }));
    if (one.code) switches.push(this.#make("w:rFonts", mono));
    if (one.bold) switches.push(this.#make("w:b"), this.#make("w:bCs"));
    if (one.italic) switches.push(this.#make("w:i"), this.#make("w:iCs"));
    if (one.strike) switches.push(this.#make("w:strike"));
    if (one.underline) switches.push(this.#make("w:u", { "w:val": "single" }));
    const names = switches.map(({ localName }) => localName);
    const kept = look === undefined ? [] : cloned(look).filter((o) => !names.includes(o.localName));
    const all = inOrder([...kept, ...switches]);
    const properties = all.length === 0 ? [] : [this.#make("w:rPr", {}, all)];
    return this.#make("w:r", {}, [...properties, ...textElements(this.#document, one.text)]);
  }

  #link(target: string, content: Element): Element {
    const id = this.#file.addRelation(this.#part, "hyperlink", target, true);
    return this.#make("w:hyperlink", { "r:id": id }, [content]);
  }

  #change(name: string, tracking: Tracking, children: readonly Element[] = []): Element {
    const { author, date } = tracking;
    const facts = { "w:id": tracking.nextId(), "w:author": author, "w:date": date };
    return this.#make(name, facts, children);
  }

  /** A table as wide as the text, all columns as wide as their text asks for. */
  table(rows: readonly (readonly Cell[])[], header: boolean): Element {
    const widths = this.#columns(rows);
    const grid = widths.map((w) => this.#make("w:gridCol", { "w:w": String(w) }));
    const properties = this.#make("w:tblPr", {}, [
      this.#make("w:tblStyle", { "w:val": this.#idOf("Table Grid", "table") }),
      this.#make("w:tblW", { "w:w": "0", "w:type": "auto" }),
      this.#make("w:tblLook", {
        "w:val": header ? "0420" : "0400",
        "w:firstRow": header ? "1" : "0",
      }),
    ]);
    const made = rows.map((row, n) => this.#row(row, rows, n, header && n === 0, widths));
    return this.#make("w:tbl", {}, [properties, this.#make("w:tblGrid", {}, grid), ...made]);
  }

  #columns(rows: readonly (readonly Cell[])[]): number[] {
    const count = Math.max(1, ...rows.map((row) => row.length));
    const longest = Array.from({ length: count }, (_, x) => {
      const lengths = rows.map((row) => cellLength(row[x]));
      return Math.min(45, Math.max(4, ...lengths));
    });
    const all = longest.reduce((sum, n) => sum + n, 0);
    return longest.map((n) => Math.round((this.#width * n) / all));
  }

  #row(
    row: readonly Cell[],
    rows: readonly (readonly Cell[])[],
    y: number,
    header: boolean,
    widths: readonly number[],
  ): Element {
    const marks: Element[] = [];
    if (header) marks.push(this.#make("w:tblHeader"));
    const { tracking } = this.#options;
    if (tracking !== undefined) marks.push(this.#change("w:ins", tracking));
    const properties = marks.length === 0 ? [] : [this.#make("w:trPr", {}, marks)];
    const cells = widths.flatMap((width, x): Element[] => {
      const cell = row[x] ?? { blocks: [] };
      return cell.covered === "left" ? [] : [this.#cell(cell, rows, { x, y, width, header })];
    });
    return this.#make("w:tr", {}, [...properties, ...cells]);
  }

  #cell(
    cell: Cell,
    rows: readonly (readonly Cell[])[],
    { x, y, width, header }: { x: number; y: number; width: number; header: boolean },
  ): Element {
    const properties = [this.#make("w:tcW", { "w:w": String(width), "w:type": "dxa" })];
    let wide = 1;
    while (rows[y]?.[x + wide]?.covered === "left") wide++;
    if (wide > 1) properties.push(this.#make("w:gridSpan", { "w:val": String(wide) }));
    if (cell.covered === "above") properties.push(this.#make("w:vMerge"));
    else if (rows[y + 1]?.[x]?.covered === "above") {
      properties.push(this.#make("w:vMerge", { "w:val": "restart" }));
    }
    const blocks = header ? cell.blocks.map(bold) : cell.blocks;
    const inside = this.elements(blocks);
    const last = inside.at(-1);
    if (last === undefined || last.localName === "tbl") inside.push(this.#make("w:p"));
    return this.#make("w:tc", {}, [this.#make("w:tcPr", {}, properties), ...inside]);
  }

  /** `w:pStyle` of a usual style, which is added to the file if it has none of that name. */
  #style(name: string): Element[] {
    return [this.#styleOf(this.#idOf(name))];
  }

  #styleOf(id: string): Element {
    return this.#make("w:pStyle", { "w:val": id });
  }

  #idOf(name: string, type = name === "Hyperlink" ? "character" : "paragraph"): string {
    const known = this.#styles.named(name, type);
    if (known !== undefined) return known.id;
    addStyle(this.#file, name);
    this.#styles = new Styles(this.#file);
    return this.#styles.named(name, type)?.id ?? name;
  }

  #make(
    name: string,
    attributes: Readonly<Record<string, string>> = {},
    children: readonly (Element | string)[] = [],
  ): Element {
    return make(this.#document, name, attributes, children);
  }
}

function indentedAfter(block: Block | undefined): boolean {
  return block?.kind === "paragraph" && (block.indent ?? 0) > 0;
}

function cellLength(cell: Cell | undefined): number {
  const texts = (cell?.blocks ?? []).map((b) => ("inlines" in b ? b.inlines : []));
  return Math.max(0, ...texts.map((t) => t.reduce((sum, { text }) => sum + text.length, 0)));
}

function bold(block: Block): Block {
  if (block.kind !== "paragraph") return block;
  return { ...block, inlines: block.inlines.map((one) => ({ ...one, bold: true })) };
}

function cloned(parent: Element): Element[] {
  const copies: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1) copies.push(node.cloneNode(true) as Element);
  }
  return copies;
}

function addStyle(file: WordFile, name: string): void {
  const xml = STYLES[name];
  if (xml === undefined) return;
  const part = file.requirePart("styles", {
    name: "styles.xml",
    content: "styles",
    xml: `<w:styles xmlns:w="${W}"/>`,
  });
  const document = file.part(part);
  const wrapped = Buffer.from(`<w:styles xmlns:w="${W}">${xml}</w:styles>`);
  const style = childOf(parseXml(wrapped, name).documentElement ?? undefined, "w:style");
  if (style === undefined || document.documentElement === null) return;
  document.documentElement.appendChild(document.importNode(style, true));
  file.touch(part);
}
