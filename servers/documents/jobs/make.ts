import { extname } from "node:path";
import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { type Block, blockText } from "../model/blocks.ts";
import { readMarkdown } from "../model/read-markdown.ts";
import { writeHtml } from "../model/write-html.ts";
import { writeMarkdown } from "../model/write-markdown.ts";
import { writeText } from "../model/write-text.ts";
import { FORMAT_NAMES, type Opened, openAny } from "../open-any.ts";
import { settle } from "../word/changes.ts";
import { commentsOf } from "../word/read-comments.ts";
import { readWord, withCode } from "../word/read-word.ts";
import { counted, type FileInput } from "./input.ts";

interface PageInput {
  readonly page_size: "A4" | "Letter";
  readonly landscape: boolean;
}

interface CreateInput extends FileInput, PageInput {
  readonly markdown: string;
  readonly title?: string | undefined;
}

interface ConvertInput extends FileInput, PageInput {
  readonly to: string;
}

interface MakeOptions extends PageInput {
  readonly title: string;
  readonly author: string;
  readonly now: Date;
}

export async function createDocument(input: CreateInput): Promise<JobResult> {
  const lost = new Set<string>();
  const { blocks } = readMarkdown(input.markdown);
  const title = input.title ?? titleOf(blocks);
  const now = new Date(input.now);
  const file = Buffer.from(
    extname(input.path).toLowerCase() === ".md"
      ? `${input.markdown.trimEnd()}\n`
      : await made(input.path, blocks, { ...input, title, now }, lost),
  );
  const notes = notKept(lost);
  return {
    file,
    text: [
      `Wrote ${input.path}: ${counted(blocks.length, "block")}, ${size(file)}.`,
      ...notes,
    ].join("\n"),
    data: { path: input.path, bytes: file.length, blocks: blocks.length, not_kept: [...lost] },
  };
}

export async function convertDocument(input: ConvertInput): Promise<JobResult> {
  const opened = await openAny(Buffer.from(input.bytes), input.path);
  const lost = new Set(lostBefore(opened));
  const title = opened.title ?? titleOf(opened.blocks);
  const options = { ...input, title, now: new Date(input.now) };
  const blocks = settled(opened, input.to, lost).filter(hasContent);
  const file = Buffer.from(await made(input.to, blocks, options, lost));
  const notes = notKept(lost);
  const what = `${input.path} (${FORMAT_NAMES[opened.format]}) to ${input.to}, ${size(file)}`;
  return {
    file,
    text: [`Converted ${what}.`, ...notes].join("\n"),
    data: { from: input.path, to: input.to, bytes: file.length, not_kept: [...lost] },
  };
}

/** What is written: tracked changes accepted first, unless the format can show them. */
function settled({ word, blocks }: Opened, to: string, lost: Set<string>): readonly Block[] {
  if (word === undefined) return blocks;
  const shows = /\.html?$/i.test(to);
  if (shows || settle(word, "accept", () => true) === 0) return withCode(blocks);
  lost.add("tracked changes (written as if accepted)");
  return withCode(readWord(word).blocks);
}

/** Pages of a PDF have no ends in other formats, and empty paragraphs are only space. */
function hasContent(block: Block): boolean {
  if (block.kind === "page-break") return block.page === undefined;
  return block.kind !== "paragraph" || block.inlines.some(({ text }) => text.trim() !== "");
}

async function made(
  path: string,
  blocks: readonly Block[],
  options: MakeOptions,
  lost: Set<string>,
): Promise<Uint8Array | string> {
  const { title, author, now, page_size: page, landscape } = options;
  switch (extname(path).toLowerCase()) {
    case ".docx": {
      const { blankWordFile } = await import("../word/blank.ts");
      const { WordWriter } = await import("../word/write-word.ts");
      const file = blankWordFile({ title, author, now, page, landscape });
      const section = file.body.firstChild;
      for (const one of new WordWriter(file).elements(blocks)) file.body.insertBefore(one, section);
      endWithParagraph(file.body, section, file.make("w:p"));
      file.touch(file.main);
      if (hasImages(blocks)) lost.add("images (a mark stands in their place)");
      return file.bytes();
    }
    case ".pdf": {
      const { writePdf } = await import("../pdf/write-pdf.ts");
      return await writePdf(blocks, { title, author, now, page, landscape }, lost);
    }
    case ".md":
    case ".markdown":
      return writeMarkdown(blocks, lost);
    case ".html":
    case ".htm":
      return writeHtml(blocks, title, lost);
    case ".txt":
      return writeText(blocks, lost);
    default:
      throw new ToolError(
        `${path} cannot be written: its name must end in .docx, .pdf, .md, .html or .txt.`,
      );
  }
}

type Body = import("../word/xml.ts").Element;

/** A body that ends with a table is mended by Word in ways of its own. */
function endWithParagraph(body: Body, section: Body["firstChild"], paragraph: Body): void {
  const last = section?.previousSibling;
  if (last === null || last === undefined || last.nodeName === "w:tbl") {
    body.insertBefore(paragraph, section);
  }
}

function hasImages(blocks: readonly Block[]): boolean {
  return some(blocks, (one) => one.placeholder === true && one.text.startsWith("[image"));
}

type Inline = import("../model/blocks.ts").Inline;

function some(blocks: readonly Block[], test: (inline: Inline) => boolean): boolean {
  return blocks.some((block) => {
    if (block.kind !== "table") return "inlines" in block && block.inlines.some(test);
    return block.rows.some((row) => row.some((cell) => some(cell.blocks, test)));
  });
}

function titleOf(blocks: readonly Block[]): string {
  const first = blocks.find(({ kind }) => kind === "heading") ?? blocks.find((b) => blockText(b));
  return first === undefined ? "Document" : blockText(first).replace(/\s+/g, " ").slice(0, 120);
}

/** What the reading itself leaves behind, whatever is written. */
function lostBefore({ format, word, notes }: Opened): string[] {
  if (format === "pdf") {
    return [
      "the layout of the pages, fonts, colours and drawings; paragraphs and tables are found by their places",
    ];
  }
  if (format === "html") return ["styles, scripts and form controls"];
  if (format === "mail") return ["attachments"];
  if (word === undefined) return [];
  const lost = ["fonts, colours, sizes and other looks beyond bold, italic, underline and strike"];
  if (notes.length > 0) lost.push("headers and footers");
  if (commentsOf(word).length > 0) lost.push("comments");
  return lost;
}

function notKept(lost: ReadonlySet<string>): string[] {
  return lost.size === 0 ? [] : [`Not kept: ${[...lost].join("; ")}.`];
}

function size(file: Buffer): string {
  return `${file.length} bytes`;
}
