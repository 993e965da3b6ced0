import type { PDFDocument, PDFPage } from "pdf-lib";
import { type Block, type Cell, type Inline, plain } from "../model/blocks.ts";
import { type Fonts, fontsFor } from "./fonts.ts";
import { type Sheet, type WrappedLine, Wrapper } from "./wrap.ts";

export interface WritePdfOptions {
  readonly title: string;
  readonly author: string;
  readonly now: Date;
  readonly page: "A4" | "Letter";
  readonly landscape: boolean;
}

const MARGIN = 62;
const BODY = 10.5;
const HEADINGS = [20, 15.5, 13, 11.5, 10.5, 10.5];
const PAD = 4;

/** The document as a PDF of pages with margins. `lost` gets what it leaves out. */
export async function writePdf(
  blocks: readonly Block[],
  options: WritePdfOptions,
  lost: Set<string>,
): Promise<Uint8Array> {
  const { PDFDocument } = await import("pdf-lib");
  const file = await PDFDocument.create({ updateMetadata: false });
  file.setTitle(options.title);
  file.setAuthor(options.author);
  file.setCreator("Cloche");
  file.setProducer("pdf-lib");
  file.setCreationDate(options.now);
  file.setModificationDate(options.now);
  const fonts = await fontsFor(file, lettersOf(blocks));
  new PdfWriter(file, fonts, options, lost).write(blocks);
  if (fonts.missing.size > 0) {
    const some = [...fonts.missing].slice(0, 20).join(" ");
    lost.add(`letters that no font here has, "?" in their place: ${some}`);
  }
  return await file.save();
}

function lettersOf(blocks: readonly Block[]): string {
  const letters = new Set<string>("•");
  const visit = (all: readonly Block[]) => {
    for (const block of all) {
      if (block.kind === "table") {
        for (const row of block.rows) for (const cell of row) visit(cell.blocks);
      } else if (block.kind === "code") for (const letter of block.text) letters.add(letter);
      else if ("inlines" in block) for (const letter of plain(block.inlines)) letters.add(letter);
    }
  };
  visit(blocks);
  return [...letters].join("").replace(/[\t\r]/g, "");
}

class PdfWriter {
  readonly #file: PDFDocument;
  readonly #wrapper: Wrapper;
  readonly #lost: Set<string>;
  readonly #size: [number, number];
  #page: PDFPage;
  #y: number;

  constructor(file: PDFDocument, fonts: Fonts, options: WritePdfOptions, lost: Set<string>) {
    const [short, long] = options.page === "A4" ? [595.28, 841.89] : [612, 792];
    this.#size = options.landscape ? [long, short] : [short, long];
    this.#file = file;
    this.#lost = lost;
    this.#wrapper = new Wrapper(fonts);
    this.#page = file.addPage(this.#size);
    this.#y = this.#size[1] - MARGIN;
  }

  write(blocks: readonly Block[]): void {
    let first = true;
    for (const block of blocks) {
      this.#block(block, first);
      first = false;
    }
  }

  #block(block: Block, first: boolean): void {
    const width = this.#size[0] - 2 * MARGIN;
    switch (block.kind) {
      case "heading": {
        const size = HEADINGS[block.level - 1] ?? BODY;
        const bold = block.inlines.map((one) => ({ ...one, bold: true }));
        if (!first) this.#y -= size * 0.7;
        this.#text(bold, { x: MARGIN, width, size, keep: size * 2 });
        return;
      }
      case "paragraph": {
        const x = MARGIN + 18 * (block.indent ?? 0);
        this.#text(block.inlines, { x, width: width - (x - MARGIN), size: BODY });
        return;
      }
      case "item":
        this.#item(block, width);
        return;
      case "quote":
        this.#text(block.inlines, { x: MARGIN + 20, width: width - 40, size: BODY });
        return;
      case "code": {
        const inlines = [{ text: block.text, code: true }];
        this.#text(inlines, { x: MARGIN + 8, width: width - 8, size: BODY - 1 });
        return;
      }
      case "table":
        this.#table(block.rows, block.header, width);
        return;
      case "rule":
        this.#room(14);
        this.#line(MARGIN, this.#y - 4, MARGIN + width, this.#y - 4);
        this.#y -= 14;
        return;
      case "page-break":
        if (!first) this.#newPage();
    }
  }

  #item(block: Block & { kind: "item" }, width: number): void {
    const indent = 20 + 20 * block.level;
    this.#room(BODY * 1.35);
    const label = block.ordered ? block.label : "•";
    const [line] = this.#wrapper.lines([{ text: label }], 200, BODY);
    const top = this.#y;
    const wide = line?.width ?? 0;
    if (line !== undefined) this.#draw(line, MARGIN + indent - Math.max(12, wide + 5), top - BODY);
    this.#text(block.inlines, { x: MARGIN + indent, width: width - indent, size: BODY, after: 3 });
    if (this.#y === top) this.#y -= BODY * 1.35;
  }

  #text(
    inlines: readonly Inline[],
    { x, width, size, after = 6, keep = 0 }: Sheet & { x: number; after?: number; keep?: number },
  ): void {
    this.#note(inlines);
    const lines = this.#wrapper.lines(inlines, width, size);
    if (keep > 0) this.#room(lines.length * size * 1.35 + keep);
    for (const line of lines) {
      this.#room(size * 1.35);
      this.#draw(line, x, this.#y - size);
      this.#y -= size * 1.35;
    }
    this.#y -= after;
  }

  #draw(line: WrappedLine, x: number, y: number): void {
    let at = x;
    for (const { text, look, font, size, width } of line.parts) {
      const options = { x: at, y, size, font, ...(look.italic && { ySkew: ITALIC }) };
      this.#page.drawText(text, options);
      if (look.strike) this.#line(at, y + size * 0.28, at + width, y + size * 0.28);
      if (look.underline || look.link) this.#line(at, y - 1.5, at + width, y - 1.5);
      at += width;
    }
  }

  #table(rows: readonly (readonly Cell[])[], header: boolean, width: number): void {
    const count = Math.max(1, ...rows.map((row) => row.length));
    const size = count > 8 ? 7 : count > 5 ? 8.5 : 9.5;
    const widths = this.#columns(rows, count, width, size);
    rows.forEach((row, y) => {
      const cells = widths.map((w, x) => {
        const inlines = cellInlines(row[x], header && y === 0);
        this.#note(inlines);
        return this.#wrapper.lines(inlines, Math.max(8, w - 2 * PAD), size);
      });
      this.#row(cells, widths, size);
    });
    this.#y -= 8;
  }

  /** A row; one that is taller than the page goes on on the next. */
  #row(cells: readonly (readonly WrappedLine[])[], widths: readonly number[], size: number): void {
    const leading = size * 1.3;
    let from = 0;
    const most = Math.max(1, ...cells.map((lines) => lines.length));
    while (from < most) {
      const free = () => Math.floor((this.#y - MARGIN - 2 * PAD) / leading);
      if (free() < Math.min(most - from, 40)) this.#newPage();
      const to = Math.min(most, from + Math.max(1, free()));
      const height = (to - from) * leading + 2 * PAD;
      let x = MARGIN;
      cells.forEach((lines, n) => {
        const width = widths[n] ?? 0;
        this.#box(x, this.#y - height, width, height);
        lines.slice(from, to).forEach((line, m) => {
          this.#draw(line, x + PAD, this.#y - PAD - size - m * leading);
        });
        x += width;
      });
      this.#y -= height;
      from = to;
    }
  }

  #columns(
    rows: readonly (readonly Cell[])[],
    count: number,
    width: number,
    size: number,
  ): number[] {
    const wanted = Array.from({ length: count }, (_, x) => {
      const widths = rows.slice(0, 400).map((row, y) => {
        const inlines = cellInlines(row[x], y === 0);
        const lines = this.#wrapper.lines(inlines, 100_000, size);
        return Math.max(0, ...lines.map((line) => line.width));
      });
      return Math.max(12, ...widths) + 2 * PAD + 1;
    });
    const all = wanted.reduce((sum, one) => sum + one, 0);
    if (all <= width) return wanted;
    // What is narrow keeps its width; what is wide shares what is left.
    const fair = width / count;
    const narrow = wanted.filter((one) => one <= fair).reduce((sum, one) => sum + one, 0);
    const wide = all - narrow;
    return wanted.map((one) => (one <= fair ? one : ((width - narrow) * one) / wide));
  }

  #note(inlines: readonly Inline[]): void {
    for (const one of inlines) {
      if (one.change !== undefined) this.#lost.add("tracked changes (written as if accepted)");
      if (one.placeholder && one.text.startsWith("[image")) {
        this.#lost.add("images (a mark stands in their place)");
      }
    }
  }

  #room(height: number): void {
    if (this.#y - height < MARGIN) this.#newPage();
  }

  #newPage(): void {
    this.#page = this.#file.addPage(this.#size);
    this.#y = this.#size[1] - MARGIN;
  }

  #line(x1: number, y1: number, x2: number, y2: number): void {
    this.#page.drawLine({ start: { x: x1, y: y1 }, end: { x: x2, y: y2 }, thickness: 0.6 });
  }

  #box(x: number, y: number, width: number, height: number): void {
    this.#line(x, y, x + width, y);
    this.#line(x, y + height, x + width, y + height);
    this.#line(x, y, x, y + height);
    this.#line(x + width, y, x + width, y + height);
  }
}

const ITALIC = { type: "degrees", angle: 12 } as unknown as ReturnType<
  typeof import("pdf-lib").degrees
>;

function cellInlines(cell: Cell | undefined, bold: boolean): Inline[] {
  const texts = (cell?.blocks ?? []).map((block): Inline[] => {
    if (block.kind === "table") {
      return block.rows.map((row) => {
        const cells = row.map((one) => plain(cellInlines(one, false)));
        return { text: `${cells.join(" | ")}\n` };
      });
    }
    if (block.kind === "code") return [{ text: block.text, code: true }];
    const mark = block.kind === "item" ? [{ text: `${block.label} ` }] : [];
    return "inlines" in block ? [...mark, ...block.inlines] : [];
  });
  const all = texts.flatMap((text, n) => (n === 0 ? text : [{ text: "\n" }, ...text]));
  return bold ? all.map((one) => ({ ...one, bold: true })) : all;
}
