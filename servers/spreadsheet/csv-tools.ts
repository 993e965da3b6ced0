import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { requireXlsx } from "./book-tools.ts";
import { newBook } from "./new-book.ts";
import { areaName, askedArea } from "./refs.ts";
import { addSheet } from "./sheets.ts";
import {
  CHANGED,
  type Done,
  type EditLog,
  finishEdit,
  openBook,
  PATH,
  RANGE,
  SHEET,
} from "./workbooks.ts";
import { requireFree, type Written, writeCell } from "./write-cells.ts";
import { clipped } from "./write-tools.ts";

const DELIMITER = z.enum([",", ";", "tab", "|"]).describe("What stands between the fields");

export function csvTools(world: World): Tool[] {
  return [importer(world), exporter(world)];
}

function importer(world: World): Tool {
  return tool({
    name: "import_csv",
    title: "Import CSV",
    description:
      "Reads a CSV file into a sheet of a workbook, making either if it is not there. Plain " +
      "numbers, TRUE and FALSE, and dates such as 2026-03-02 are recognised; 007 stays text, and so " +
      'does a field that begins with "=".',
    input: z.object({
      csv: z.string().max(1024).describe('The CSV file: "data/orders.csv"'),
      path: PATH,
      sheet: SHEET,
      cell: RANGE.default("A1").describe("Where the first field goes"),
      delimiter: DELIMITER.optional().describe("Default: what its first line has most of"),
      types: z
        .enum(["recognise", "text"])
        .default("recognise")
        .describe('"text" keeps every field as text'),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true, idempotent: true },
    run: async (input) => {
      const { path: csv, bytes } = await world.workspace.read(input.csv, { maxBytes: CSV_BYTES });
      const rows = await records(csv, bytes, input.delimiter);
      return await world.workspace.exclusively(input.path, async (path) => {
        const there = await world.workspace.has(path);
        if (!there) requireXlsx(path);
        const book = there ? await openBook(world, path) : newBook(path, [input.sheet ?? "Sheet1"]);
        return await finishEdit(world, book, (edited, log) =>
          fill(edited, log, { ...input, csv, rows }),
        );
      });
    },
  });
}

const CSV_BYTES = 16 * 1024 * 1024;
const CELLS = 200_000;

async function records(
  path: string,
  bytes: Buffer,
  delimiter: string | undefined,
): Promise<string[][]> {
  const text = decoded(bytes);
  const { parse } = await import("csv-parse/sync");
  try {
    return parse(text, {
      delimiter: delimiter === undefined ? guessed(text) : sign(delimiter),
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: CSV_BYTES,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ToolError(`${path} is no sound CSV: ${why}.`, { cause: error });
  }
}

/** By its byte order mark, as UTF-8, or in the Windows code that old programs write. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    // No text has a NUL, in UTF-8 or in the Windows code; a workbook or a picture has many.
    if (bytes.includes(0)) {
      throw new ToolError("It is no text: neither UTF-8, UTF-16 nor the Windows code.", {
        cause: error,
      });
    }
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** What the first line that holds something has most of, its quoted fields aside. */
function guessed(text: string): string {
  const plain = text.slice(0, 65_536).replaceAll(/"[^"]*"/g, "");
  const [first = ""] = plain.replace(/^[\r\n]+/, "").split(/[\r\n]/, 1);
  const count = (one: string) => first.split(one).length;
  return [",", ";", "\t", "|"].reduce((best, one) => (count(one) > count(best) ? one : best));
}

function sign(delimiter: string): string {
  return delimiter === "tab" ? "\t" : delimiter;
}

interface Import {
  readonly csv: string;
  readonly rows: readonly (readonly string[])[];
  readonly sheet?: string | undefined;
  readonly cell: string;
  readonly types: "recognise" | "text";
}

function fill(book: Book, log: EditLog, { csv, rows, sheet: name, cell, types }: Import): Done {
  const known = book.entries.some((e) => e.name.toLowerCase() === name?.toLowerCase());
  if (name !== undefined && !known) addSheet(book, name);
  const sheet = book.sheet(name);
  const { top, left } = askedArea(cell);
  const width = Math.max(1, ...rows.map((row) => row.length));
  const count = rows.length * width;
  if (count > CELLS) {
    throw new ToolError(
      `${csv} has ${rows.length} rows of ${width} fields; at most ${CELLS} cells go in.`,
    );
  }
  if (rows.length === 0) throw new ToolError(`${csv} is empty.`);
  const area = { top, left, bottom: top + rows.length - 1, right: left + width - 1 };
  const places = rows.flatMap((row, down) =>
    row.map((_, n): [number, number] => [top + down, left + n]),
  );
  requireFree(sheet, places);
  sheet.unshare();
  const target = { book, sheet, tables: [], log };
  for (const [down, row] of rows.entries()) {
    for (const [n, field] of row.entries()) {
      const value = types === "text" ? { text: field } : recognised(field);
      writeCell(target, top + down, left + n, field === "" ? null : value);
    }
  }
  const range = areaName(area);
  const text = `Imported ${rows.length} rows of ${csv} to "${sheet.name}" ${range} of ${book.path}.`;
  return { range, text };
}

/** Only what comes out again as it went in is taken for a number. */
function recognised(field: string): Written {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(field) && field.replace(/\D/g, "").length <= 15) {
    return Number(field);
  }
  if (field === "TRUE" || field === "FALSE") return field === "TRUE";
  return field.startsWith("=") ? { text: field } : field;
}

function exporter(world: World): Tool {
  return tool({
    name: "export_csv",
    title: "Export CSV",
    description:
      "Writes the values of a sheet or range to a CSV file (UTF-8): numbers in full, dates as " +
      "2026-03-02, formulas as what they show.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.optional().describe("All cells in use if left out"),
      csv: z.string().max(1024).describe('Where to: "out/orders.csv"'),
      delimiter: DELIMITER.default(","),
      overwrite: z.boolean().default(false),
    }),
    output: z.object({ csv: z.string(), range: z.string(), rows: z.number() }),
    hints: { readOnly: false, destructive: true, idempotent: true },
    run: async ({ path, sheet: name, range, csv, delimiter, overwrite }) => {
      if (/\.xls[xm]?$/i.test(csv))
        throw new ToolError(`${csv} is named like a workbook; use .csv.`);
      const book = await openBook(world, path);
      const sheet = book.sheet(name);
      const area = clipped(sheet, askedArea(range ?? "A:XFD"));
      const cells = (area.bottom - area.top + 1) * (area.right - area.left + 1);
      if (cells > 4 * CELLS)
        throw new ToolError(`${areaName(area)} has ${cells} cells, too many at once.`);
      const rows = Array.from({ length: area.bottom - area.top + 1 }, (_, down) => {
        return Array.from({ length: area.right - area.left + 1 }, (_, n) => {
          const { value } = book.valueOf(sheet.data.cell(area.top + down, area.left + n));
          return typeof value === "boolean" ? (value ? "TRUE" : "FALSE") : value;
        });
      });
      const { stringify } = await import("csv-stringify/sync");
      const text = stringify(rows, { delimiter: sign(delimiter) });
      const written = await world.workspace.write(csv, Buffer.from(text), { overwrite });
      const data = { csv: written, range: areaName(area), rows: rows.length };
      return {
        text: `Wrote ${rows.length} rows of "${sheet.name}" ${data.range} to ${written}.`,
        data,
      };
    },
  });
}
