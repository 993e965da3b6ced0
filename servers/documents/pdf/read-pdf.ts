import type { Block, Cell, Reading } from "../model/blocks.ts";
import { linesOfTexts, lineText, type TextLine } from "./lines.ts";
import { ofPage, openPdf, pageOfPdf } from "./open.ts";
import { type PdfTable, riversOf, ruledTables, runsOf } from "./tables.ts";
import { type PdfSheet, sheetOf } from "./texts.ts";

export interface PdfReading extends Reading {
  readonly pages: number;
}

/** A PDF as blocks, page by page, read in the order of its layout. */
export async function readPdf(bytes: Uint8Array, only?: readonly number[]): Promise<PdfReading> {
  const file = await openPdf(bytes);
  try {
    const { numPages } = file;
    const sheets: { number: number; sheet: PdfSheet }[] = [];
    for (const number of only ?? Array.from({ length: numPages }, (_, n) => n + 1)) {
      const page = await pageOfPdf(file, number);
      sheets.push({ number, sheet: await ofPage(number, sheetOf(page)) });
      page.cleanup();
    }
    const body = bodySize(sheets.map(({ sheet }) => sheet));
    const blocks = sheets.flatMap(({ number, sheet }): Block[] => {
      const head: Block = { kind: "page-break", page: number };
      return [head, ...blocksOf(sheet, body)];
    });
    const title = (await file.getMetadata().catch(() => undefined))?.info as Record<
      string,
      unknown
    >;
    const said = typeof title?.["Title"] === "string" ? title["Title"].trim() : "";
    return {
      ...{ blocks, pages: numPages, notes: remarks(sheets) },
      ...(!["", "untitled", "(anonymous)"].includes(said) && { title: said }),
    };
  } finally {
    await file.loadingTask.destroy();
  }
}

function remarks(sheets: readonly { number: number; sheet: PdfSheet }[]): string[] {
  const scanned = sheets.filter(({ sheet }) => sheet.texts.length === 0 && sheet.images > 0);
  const images = sheets.reduce((sum, { sheet }) => sum + sheet.images, 0);
  const notes: string[] = [];
  if (scanned.length > 0) {
    const pages = scanned.map(({ number }) => number).join(", ");
    notes.push(`No text on page ${pages}: an image, perhaps a scan. render_page shows it.`);
  } else if (images > 0) notes.push(`${images} images are not shown; render_page shows a page.`);
  return notes;
}

/** The size of most letters. */
function bodySize(sheets: readonly PdfSheet[]): number {
  const letters = new Map<number, number>();
  for (const { texts } of sheets) {
    for (const { size, text } of texts) {
      const key = Math.round(size * 2) / 2;
      letters.set(key, (letters.get(key) ?? 0) + text.length);
    }
  }
  return [...letters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 10;
}

/** The blocks of one page, from top to bottom. */
function blocksOf(sheet: PdfSheet, body: number): Block[] {
  const { tables, rest } = ruledTables(sheet.texts, sheet.rulings);
  const found = tables.map((table) => ({ top: table.top, blocks: [tableBlock(table)] }));
  // Text above and below a table must not be read across it.
  const parts = Map.groupBy(rest, ({ y }) => tables.filter(({ bottom }) => y > bottom).length);
  for (const texts of parts.values()) {
    for (const run of runsOf(linesOfTexts(texts))) {
      const top = run.lines[0]?.y ?? 0;
      if (run.table !== undefined) found.push({ top, blocks: [tableBlock(run.table)] });
      else if (run.kind === "columns") found.push({ top, blocks: columnBlocks(run.lines, body) });
      else found.push({ top, blocks: paragraphs(run.lines, body) });
    }
  }
  return found.sort((a, b) => a.top - b.top).flatMap(({ blocks }) => blocks);
}

function tableBlock({ rows }: PdfTable): Block {
  const cells = rows.map((row) =>
    row.map((text): Cell => ({ blocks: [{ kind: "paragraph", inlines: [{ text }] }] })),
  );
  return { kind: "table", rows: cells, header: true };
}

function columnBlocks(lines: readonly TextLine[], body: number): Block[] {
  const rivers = riversOf(lines);
  return [...rivers, Number.POSITIVE_INFINITY].flatMap((to, n) => {
    const from = rivers[n - 1] ?? Number.NEGATIVE_INFINITY;
    const own = lines.flatMap((line) => {
      const segments = line.segments.filter(({ x }) => x > from && x < to);
      return segments.length > 0 ? [{ ...line, segments }] : [];
    });
    return paragraphs(own, body);
  });
}

function paragraphs(lines: readonly TextLine[], body: number): Block[] {
  const blocks: Block[] = [];
  const right = Math.max(0, ...lines.map((line) => line.segments.at(-1)?.end ?? 0));
  let open: TextLine[] = [];
  const end = () => {
    const [first] = open;
    if (first === undefined) return;
    const large = first.size > 1.12 * body && open.length <= 3;
    const level = first.size > 1.6 * body ? 1 : first.size > 1.3 * body ? 2 : 3;
    if (large) {
      blocks.push({ kind: "heading", level, inlines: [{ text: open.map(lineText).join(" ") }] });
    } else blocks.push({ kind: "paragraph", inlines: [{ text: flowing(open, right) }] });
    open = [];
  };
  for (const line of lines) {
    const last = open.at(-1);
    const apart =
      last !== undefined &&
      (line.y - last.y > 1.75 * Math.max(line.size, last.size) ||
        Math.abs(line.size - last.size) > 0.1 * last.size + 0.3);
    if (apart) end();
    open.push(line);
  }
  end();
  return blocks;
}

/** Lines that reach the right margin flow into the next; others were ended on purpose. */
function flowing(lines: readonly TextLine[], right: number): string {
  return lines
    .map((line, n) => {
      const next = lines[n + 1];
      if (next === undefined) return lineText(line);
      const left = line.segments[0]?.x ?? 0;
      const word = (next.segments[0]?.text ?? "").split(" ")[0] ?? "";
      const room = right - (line.segments.at(-1)?.end ?? 0);
      const full = line.segments.length === 1 && room < (word.length + 1) * line.size * 0.62;
      return lineText(line) + (full && right - left > 200 ? " " : "\n");
    })
    .join("");
}
