import { plainHint } from "../../kit/plain-search.ts";
import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { idsOf, opening } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type Block, blockText, cellText, current } from "../model/blocks.ts";
import { FORMAT_NAMES, type Opened, openAny } from "../open-any.ts";
import { type Line, linesOf, type Page, pageOf } from "../show.ts";
import { changesOf } from "../word/changes.ts";
import { commentsOf } from "../word/read-comments.ts";
import { counted, type FileInput, lineOfCursor } from "./input.ts";

interface ReadInput extends FileInput {
  readonly view: "blocks" | "outline";
  readonly formatting: boolean;
  readonly cursor?: string | undefined;
}

const MAX_OUTLINE = 300;

export async function readDocument(input: ReadInput): Promise<JobResult> {
  const opened = await openAny(Buffer.from(input.bytes), input.path);
  const { blocks, format } = opened;
  const ids = idsOf(blocks);
  const start = lineOfCursor(input.cursor);
  const outline = outlineOf(blocks, ids);
  const lines =
    input.view === "outline"
      ? outline.map(({ line, block }) => ({ block, text: line }))
      : linesOf(blocks, ids, { marks: input.formatting });
  if (start > 0 && start >= lines.length) {
    throw new ToolError(
      `The cursor ${input.cursor} is past the end; the document may have changed. ` +
        "Call read_document without a cursor.",
    );
  }
  const page = pageOf(lines, start, LIMITS.answerChars);
  const head = start === 0 ? headOf(opened, input.path) : [`${input.path}, continued:`];
  const nothing = input.view === "outline" ? "(no headings)" : "(empty)";
  const body = lines.length === 0 ? [nothing] : page.lines.map(({ text }) => text);
  const next = page.next === undefined ? undefined : `L${page.next}`;
  const more =
    next === undefined
      ? []
      : [`--- ${lines.length - (page.next ?? 0)} more lines: call again with cursor "${next}" ---`];
  return {
    text: [...head, ...body, ...more].join("\n"),
    data: {
      path: input.path,
      format,
      total_blocks: blocks.length,
      ...(opened.pages !== undefined && { pages: opened.pages }),
      ...(opened.title !== undefined && { title: opened.title.slice(0, 500) }),
      notes: opened.notes.slice(0, 20).map((note) => note.slice(0, 500)),
      blocks: input.view === "outline" ? [] : dataOf(blocks, ids, page, lines),
      outline: start === 0 ? outline.slice(0, MAX_OUTLINE).map(({ data }) => data) : [],
      ...(next !== undefined && { next_cursor: next }),
    },
  };
}

function headOf(opened: Opened, path: string): string[] {
  const { blocks, format, pages, word, notes } = opened;
  const tables = blocks.filter(({ kind }) => kind === "table").length;
  const facts = [
    ...(pages === undefined ? [] : [counted(pages, "page")]),
    counted(blocks.length, "block"),
    ...(tables > 0 ? [counted(tables, "table")] : []),
  ];
  const lines = [`${path}: ${FORMAT_NAMES[format]}, ${facts.join(", ")}.`];
  if (opened.title && format !== "docx") lines.push(`Title: ${opened.title.slice(0, 300)}`);
  if (word !== undefined) {
    const [comments, changes] = [commentsOf(word).length, changesOf(word).length];
    if (comments > 0) lines.push(`${counted(comments, "comment")}: see list_comments.`);
    if (changes > 0) {
      lines.push(
        `${counted(changes, "tracked change")}, shown as {++added++} and {--removed--}: see list_tracked_changes.`,
      );
    }
  }
  if (blocks.some(hasStruck)) lines.push("Text that is struck through is shown as ~~so~~.");
  return [...lines, ...notes.map((note) => note.slice(0, 500)), ""];
}

function hasStruck(block: Block): boolean {
  if (block.kind === "table") {
    return block.rows.some((row) => row.some((cell) => cell.blocks.some(hasStruck)));
  }
  return "inlines" in block && block.inlines.some(({ strike }) => strike === true);
}

function outlineOf(blocks: readonly Block[], ids: readonly string[]) {
  return blocks.flatMap((block, n) => {
    if (block.kind !== "heading") return [];
    const [id, text, level] = [ids[n] ?? "", opening(block, 200), block.level];
    const line = `${"  ".repeat(level - 1)}[${id}] ${text}`;
    return [{ block: n, line, data: { id, level, text } }];
  });
}

function dataOf(
  blocks: readonly Block[],
  ids: readonly string[],
  page: Page,
  lines: readonly Line[],
): Record<string, unknown>[] {
  const shown = [...new Set(page.lines.map(({ block }) => block))];
  const firstOf = new Map<number, number>();
  lines.forEach(({ block }, n) => {
    if (!firstOf.has(block)) firstOf.set(block, n);
  });
  const begin = lines.indexOf(page.lines[0] as Line);
  let page_ = pageAt(blocks, shown[0] ?? 0);
  return shown.flatMap((n): Record<string, unknown>[] => {
    const block = blocks[n];
    if (block === undefined) return [];
    if (block.kind === "page-break") page_ = block.page ?? page_;
    const own = page.lines.filter((line) => line.block === n).length;
    const skipped = Math.max(0, begin - (firstOf.get(n) ?? 0));
    const place = page_ === undefined ? {} : { page: page_ };
    return [{ id: ids[n] ?? "", kind: block.kind, ...place, ...facts(block, skipped, own) }];
  });
}

function pageAt(blocks: readonly Block[], n: number): number | undefined {
  const before = blocks.slice(0, n).findLast(({ kind }) => kind === "page-break");
  return before?.kind === "page-break" ? before.page : undefined;
}

function facts(block: Block, skipped: number, own: number): Record<string, unknown> {
  switch (block.kind) {
    case "table": {
      // Its first line says how large it is; then each row has a line (very long ones more).
      const first = Math.max(0, skipped - 1);
      const rows = block.rows.slice(first, first + own).map((row) => row.map(cellText));
      return { first_row: first + 1, total_rows: block.rows.length, rows };
    }
    case "heading":
      return { level: block.level, text: current(block.inlines).slice(0, LIMITS.lineChars) };
    case "item": {
      const text = current(block.inlines).slice(0, LIMITS.lineChars);
      return { level: block.level, label: block.label, text, ...styleOf(block) };
    }
    default: {
      const from = skipped * LIMITS.lineChars;
      const to = from + Math.max(own, 1) * LIMITS.lineChars;
      const long = blockText(block);
      const verbatim = long.includes("\n") && skipped > 0;
      return { text: verbatim ? "" : long.slice(from, to), ...styleOf(block) };
    }
  }
}

function styleOf(block: Block): { style?: string } {
  return "style" in block && block.style !== undefined ? { style: block.style } : {};
}

interface FindInput extends FileInput {
  readonly query: string;
  readonly match_case: boolean;
  readonly whole_words: boolean;
  readonly cursor?: string | undefined;
}

const MAX_HITS = 60;
const CONTEXT = 70;

export async function findInDocument(input: FindInput): Promise<JobResult> {
  const { eachPlace } = await import("../word/replace.ts");
  const { blocks, notes } = await openAny(Buffer.from(input.bytes), input.path);
  const ids = idsOf(blocks);
  const search = {
    text: input.query,
    matchCase: input.match_case,
    wholeWords: input.whole_words,
    overLines: true,
  };
  const skipped = lineOfCursor(input.cursor);
  const hits: Record<string, unknown>[] = [];
  let total = 0;
  let page: number | undefined;
  const add = (text: string, place: Record<string, unknown>) => {
    for (const { start, end } of eachPlace(text, search)) {
      total++;
      if (total <= skipped || hits.length >= MAX_HITS) continue;
      hits.push({ ...place, found: text.slice(start, end), context: contextOf(text, start, end) });
    }
  };
  blocks.forEach((block, n) => {
    if (block.kind === "page-break") page = block.page ?? page;
    const place = { block: ids[n] ?? "", ...(page !== undefined && { page }) };
    if (block.kind !== "table") add(blockText(block), place);
    else {
      block.rows.forEach((row, y) => {
        row.forEach((cell, x) => {
          add(cellText(cell), { ...place, row: y + 1, column: x + 1 });
        });
      });
    }
  });
  for (const note of notes) {
    const found = /^((?:first page |even pages )?(?:header|footer)): ([\s\S]*)$/.exec(note);
    if (found !== null) add(found[2] ?? "", { block: found[1] ?? "" });
  }
  return hitsAnswer(input, hits, total);
}

function hitsAnswer(
  input: FindInput,
  shown: readonly Record<string, unknown>[],
  total: number,
): JobResult {
  const lines = shown.map((hit) => {
    const cell = hit["row"] === undefined ? "" : ` row ${hit["row"]}, column ${hit["column"]}`;
    const page = hit["page"] === undefined ? "" : ` page ${hit["page"]}`;
    return `[${hit["block"]}]${page}${cell}: ${hit["context"]}`;
  });
  const end = lineOfCursor(input.cursor) + MAX_HITS;
  const next = end < total ? `L${end}` : undefined;
  const times = total === 0 ? "not in" : `${counted(total, "time")} in`;
  const more = next === undefined ? [] : [`--- call again with cursor "${next}" for more ---`];
  const hint =
    total === 0
      ? [`Try fewer or other words; read_document shows the text.${plainHint(input.query)}`]
      : [];
  return {
    text: [`"${input.query}" is ${times} ${input.path}.`, ...hint, ...lines, ...more].join("\n"),
    data: {
      ...{ path: input.path, total, hits: [...shown] },
      ...(next !== undefined && { next_cursor: next }),
    },
  };
}

function contextOf(text: string, start: number, end: number): string {
  const from = Math.max(0, start - CONTEXT);
  const to = Math.min(text.length, end + CONTEXT);
  const words = text.slice(from, to).replace(/\s+/g, " ").trim();
  return `${from > 0 ? "…" : ""}${words}${to < text.length ? "…" : ""}`;
}
