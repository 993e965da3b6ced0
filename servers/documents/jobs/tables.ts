import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { idsOf } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Block } from "../model/blocks.ts";
import { cellText } from "../model/blocks.ts";
import { openAny } from "../open-any.ts";
import { cellShown, pageOf } from "../show.ts";
import { counted, type FileInput, lineOfCursor } from "./input.ts";

interface TablesInput extends FileInput {
  readonly table?: number | undefined;
  readonly page?: number | undefined;
  readonly cursor?: string | undefined;
}

interface Found {
  readonly number: number;
  readonly block: string;
  readonly page: number | undefined;
  readonly rows: readonly (readonly string[])[];
  readonly shown: readonly string[];
}

export async function extractTables(input: TablesInput): Promise<JobResult> {
  const { blocks } = await openAny(Buffer.from(input.bytes), input.path);
  const all = tablesIn(blocks);
  const wanted = all.filter((one) => {
    return (
      (input.table ?? one.number) === one.number &&
      (input.page ?? one.page ?? 0) === (one.page ?? 0)
    );
  });
  if (wanted.length === 0) throw new ToolError(none(input, all));
  const lines = wanted.flatMap((table) => {
    const page = table.page === undefined ? "" : `, page ${table.page}`;
    const width = Math.max(0, ...table.rows.map((row) => row.length));
    const size = `${counted(table.rows.length, "row")} x ${counted(width, "column")}`;
    const head = {
      text: `Table ${table.number} [${table.block}]${page}, ${size}:`,
      table,
      row: -1,
    };
    const rows = table.shown.map((text, row) => ({ text: `  ${row + 1} | ${text}`, table, row }));
    return [head, ...rows];
  });
  const start = lineOfCursor(input.cursor);
  const asLines = lines.map((line, n) => ({ block: n, text: line.text }));
  const page = pageOf(asLines, start, LIMITS.answerChars);
  const shown = page.lines.map(({ block }) => lines[block]).filter((line) => line !== undefined);
  const next = page.next === undefined ? undefined : `L${page.next}`;
  const more = next === undefined ? [] : [`--- call again with cursor "${next}" for more ---`];
  const data = wanted.flatMap((table) => {
    const own = shown.filter((line) => line.table === table);
    const rows = own.filter(({ row }) => row >= 0);
    if (own.length === 0) return [];
    const first = rows[0]?.row ?? 0;
    const place = table.page === undefined ? {} : { page: table.page };
    const facts = { number: table.number, block: table.block, ...place };
    const cells = rows.map(({ row }) => [...(table.rows[row] ?? [])]);
    return [{ ...facts, total_rows: table.rows.length, first_row: first + 1, rows: cells }];
  });
  return {
    text: [...shown.map(({ text }) => text), ...more].join("\n"),
    data: {
      ...{ path: input.path, total_tables: all.length, tables: data },
      ...(next !== undefined && { next_cursor: next }),
    },
  };
}

/** All tables, also those inside of cells, in the order of the text. */
function tablesIn(blocks: readonly Block[]): Found[] {
  const ids = idsOf(blocks);
  const found: Found[] = [];
  let page: number | undefined;
  const visit = (block: Block, id: string) => {
    if (block.kind !== "table") return;
    const rows = block.rows.map((row) => row.map(cellText));
    const shown = block.rows.map((row) => row.map((cell) => cellShown(cell)).join(" | "));
    found.push({ number: found.length + 1, block: id, page, rows, shown });
    for (const row of block.rows) {
      for (const cell of row) for (const inner of cell.blocks) visit(inner, `${id}, inside a cell`);
    }
  };
  blocks.forEach((block, n) => {
    if (block.kind === "page-break") page = block.page ?? page;
    visit(block, ids[n] ?? "");
  });
  return found;
}

function none({ path, table, page }: TablesInput, all: readonly Found[]): string {
  if (all.length === 0) {
    return `No tables were found in ${path}. read_document or read_pdf_page shows its text.`;
  }
  const numbers = all.map((one) => `${one.number}${one.page ? ` (page ${one.page})` : ""}`);
  const asked = [table && `number ${table}`, page && `on page ${page}`].filter(Boolean).join(" ");
  return `${path} has no table ${asked}. It has tables ${numbers.join(", ")}.`;
}
