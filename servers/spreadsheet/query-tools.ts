import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Book, CellValue } from "./book.ts";
import { Columns } from "./columns.ts";
import { LIMITS } from "./limits.ts";
import { type Area, areaName, askedArea, cellName, columnName, contains } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { shown } from "./shown.ts";
import { tablesOf } from "./tables.ts";
import { openBook, PATH, RANGE, SHEET } from "./workbooks.ts";
import { clipped } from "./write-tools.ts";

export function queryTools(world: World): Tool[] {
  return [findCells(world), filterRows(world)];
}

function findCells(world: World): Tool {
  return tool({
    name: "find_cells",
    title: "Find cells",
    description:
      "Finds cells whose value, as read_range shows it, or whose formula contains a text; capitals " +
      "do not count. Gives sheet, cell and value of each.",
    input: z.object({
      path: PATH,
      text: z.string().max(500).describe('What to look for: "Ana", "2026-03", "SUM("'),
      sheet: z.string().max(200).optional().describe("Only on this sheet; all sheets if left out"),
      range: RANGE.optional().describe("Only in these cells"),
      whole: z.boolean().default(false).describe("The whole value must be the text"),
      offset: z.int().min(0).default(0).describe("How many finds to skip, for the next page"),
    }),
    output: z.object({
      total: z.number(),
      cells: z.array(z.record(z.string(), z.unknown())).describe("sheet, cell, value, formula"),
      next_offset: z.number().optional(),
    }),
    hints: { readOnly: true },
    run: async ({ path, text, sheet, range, whole, offset }) => {
      const book = await openBook(world, path);
      const sheets = sheet === undefined ? book.sheets : [book.sheet(sheet)];
      const area = range === undefined ? undefined : askedArea(range);
      const wanted = text.toLowerCase();
      const fits = (other: string) =>
        whole ? other.toLowerCase() === wanted : other.toLowerCase().includes(wanted);
      const found = sheets.flatMap((one) => findsOf(book, one, area, fits));
      const shownOnes = found.slice(offset, offset + PAGE);
      const next = offset + PAGE < found.length ? offset + PAGE : undefined;
      const lines = [
        `${found.length} cell${found.length === 1 ? "" : "s"} in ${book.path}`,
        ...shownOnes.map(({ line }) => line),
        ...(next === undefined ? [] : [`More: call again with offset ${next}.`]),
      ];
      const cells = shownOnes.map(({ line: _, ...cell }) => cell);
      const more = next === undefined ? {} : { next_offset: next };
      return {
        text: lines.join("\n"),
        data: { total: found.length, cells, ...more },
      };
    },
  });
}

const PAGE = 100;

function findsOf(
  book: Book,
  sheet: Sheet,
  area: Area | undefined,
  fits: (text: string) => boolean,
) {
  return sheet.data.rows.flatMap((row) => {
    return sheet.data.peek(row).flatMap((cell) => {
      if (area !== undefined && !contains(area, row, cell.column)) return [];
      const content = book.valueOf(cell);
      const name = cellName(row, cell.column);
      const formula = cell.formula && `=${sheet.formulaText(row, cell)}`;
      if (!fits(plain(content)) && !(formula !== undefined && fits(formula))) return [];
      const value = typeof content.value === "string" ? content.value.slice(0, 300) : content.value;
      const tail = formula === undefined ? "" : `  (${formula.slice(0, 200)})`;
      const line = `${sheet.name}!${name} | ${shown(content, 200)}${tail}`;
      return [{ sheet: sheet.name, cell: name, value, ...(formula && { formula }), line }];
    });
  });
}

function plain({ type, value }: CellValue): string {
  return type === "boolean" ? (value === true ? "TRUE" : "FALSE") : String(value ?? "");
}

// biome-ignore format: a list of words
const OPERATORS = [
  "=", "!=", ">", ">=", "<", "<=",
  "contains", "starts with", "ends with", "in", "empty", "not empty",
] as const;
const TEST = z.object({
  column: z.string().max(300).describe('Header or letter: "Status" or "D"'),
  is: z.enum(OPERATORS),
  value: z
    .union([
      z.string(),
      z.number(),
      z.boolean(),
      z.array(z.union([z.string(), z.number()])).max(500),
    ])
    .optional()
    .describe('What to compare with; dates as "2026-03-02"; a list for "in"'),
});
type Test = z.infer<typeof TEST>;

function filterRows(world: World): Tool {
  return tool({
    name: "filter_rows",
    title: "Filter rows",
    description:
      "Gives the rows of a list that meet conditions, with their row numbers; nothing is changed or " +
      "hidden. The first row of the range holds the headers. Texts compare without regard to capitals.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.optional().describe(
        "The list with its header row; all cells in use if left out",
      ),
      table: z.string().max(255).optional().describe("Name of a table, instead of a range"),
      where: z.array(TEST).min(1).max(20),
      match: z.enum(["all", "any"]).default("all").describe("Whether all conditions must hold"),
      columns: z
        .array(z.string().max(300))
        .max(100)
        .optional()
        .describe("Columns to show; all if left out"),
      limit: z.int().min(1).max(1000).default(100),
      offset: z.int().min(0).default(0).describe("How many matches to skip, for the next page"),
    }),
    output: z.object({
      sheet: z.string(),
      range: z.string(),
      total: z.number().describe("How many rows match"),
      rows: z.array(z.object({ row: z.number(), values: z.record(z.string(), z.unknown()) })),
      next_offset: z.number().optional(),
    }),
    hints: { readOnly: true },
    run: async (input) => filtered(await openBook(world, input.path), input),
  });
}

interface FilterAsked extends ListAsked {
  readonly where: readonly Test[];
  readonly match: "all" | "any";
  readonly columns?: readonly string[] | undefined;
  readonly limit: number;
  readonly offset: number;
}

function filtered(book: Book, input: FilterAsked) {
  const { sheet, area } = listOf(book, input);
  const columns = new Columns(book, sheet, area, true);
  const every = Array.from(columns.names, (_, n) => area.left + n);
  const out = input.columns?.map((name) => columns.find(name)) ?? every;
  const tests = input.where.map((one) => ({ ...one, at: columns.find(one.column) }));
  const matching = sheet.data.rows.filter((row) => {
    if (row <= area.top || row > area.bottom) return false;
    const held = tests.map((one) => holds(book.valueOf(sheet.data.cell(row, one.at)), one));
    if (every.every((c) => book.valueOf(sheet.data.cell(row, c)).type === "empty")) return false;
    return input.match === "all" ? held.every(Boolean) : held.some(Boolean);
  });
  const { rows, lines } = matches(book, sheet, matching.slice(input.offset), {
    names: out.map((c) => columns.names[c - area.left] ?? columnName(c)),
    out,
    limit: input.limit,
  });
  const next = input.offset + rows.length;
  const more = next < matching.length;
  const title = out.map((c) => `${columns.names[c - area.left]} (${columnName(c)})`);
  const text = [
    `${matching.length} of the rows in "${sheet.name}" ${areaName(area)} match`,
    `row | ${title.join(" | ")}`,
    ...lines,
    ...(more ? [`More: call again with offset ${next}.`] : []),
  ];
  const data = { sheet: sheet.name, range: areaName(area), total: matching.length, rows };
  return { text: text.join("\n"), data: more ? { ...data, next_offset: next } : data };
}

interface ListAsked {
  readonly sheet?: string | undefined;
  readonly range?: string | undefined;
  readonly table?: string | undefined;
}

/** The list that a caller means, with its header row. */
export function listOf(book: Book, asked: ListAsked): { sheet: Sheet; area: Area } {
  if (asked.table !== undefined) {
    const tables = tablesOf(book);
    const name = asked.table.toLowerCase();
    const table = tables.find((one) => one.name.toLowerCase() === name);
    if (table === undefined) {
      const known = tables.map((one) => one.name).join(", ") || "none";
      throw new ToolError(`${book.path} has no table "${asked.table}". Its tables: ${known}.`);
    }
    const area = { ...table.area, bottom: table.area.bottom - table.totals };
    return { sheet: book.sheet(table.sheet), area };
  }
  const sheet = book.sheet(asked.sheet);
  return { sheet, area: clipped(sheet, askedArea(asked.range ?? "A:XFD")) };
}

interface Shown {
  readonly names: readonly string[];
  readonly out: readonly number[];
  readonly limit: number;
}

function matches(book: Book, sheet: Sheet, all: readonly number[], { names, out, limit }: Shown) {
  const rows: { row: number; values: Record<string, string | number | boolean | null> }[] = [];
  const lines: string[] = [];
  let bytes = 0;
  for (const row of all.slice(0, limit)) {
    const contents = out.map((column) => book.valueOf(sheet.data.cell(row, column)));
    const line = `${row} | ${contents.map((content) => shown(content)).join(" | ")}`;
    bytes += line.length;
    if (rows.length > 0 && bytes > LIMITS.answerBytes) break;
    const values = contents.map(({ value }, n) => [names[n] ?? "", value] as const);
    rows.push({ row, values: Object.fromEntries(values) });
    lines.push(line);
  }
  return { rows, lines };
}

function holds(content: CellValue, { is, value }: Test): boolean {
  if (is === "empty") return content.type === "empty" || content.value === "";
  if (is === "not empty") return content.type !== "empty" && content.value !== "";
  if (value === undefined) throw new ToolError(`The condition "${is}" needs a value.`);
  if (is === "in") return [value].flat().some((one) => compare(content, one) === 0);
  if (Array.isArray(value))
    throw new ToolError(`The condition "${is}" takes one value, not a list.`);
  const text = plain(content).toLowerCase();
  const wanted = String(value).toLowerCase();
  if (is === "contains") return text.includes(wanted);
  if (is === "starts with") return text.startsWith(wanted);
  if (is === "ends with") return text.endsWith(wanted);
  const order = compare(content, value);
  if (is === "!=") return order !== 0;
  if (order === undefined) return false;
  if (is === "=") return order === 0;
  if (is === ">") return order > 0;
  if (is === ">=") return order >= 0;
  return is === "<" ? order < 0 : order <= 0;
}

/** Below, at or above 0; undefined if the two cannot be compared. */
function compare(
  { type, value }: CellValue,
  wanted: string | number | boolean,
): number | undefined {
  if (value === null) return wanted === "" ? 0 : undefined;
  if (typeof value === "boolean" || typeof wanted === "boolean") {
    return String(value).toLowerCase() === String(wanted).toLowerCase() ? 0 : undefined;
  }
  if (typeof value === "number" && wanted !== "" && Number.isFinite(Number(wanted))) {
    return value - Number(wanted);
  }
  if (typeof value === "number") return undefined;
  const text = value.toLowerCase();
  const other = String(wanted).toLowerCase();
  // A day compares with a time of that day as the day.
  const cut = type === "date" && other.length === 10 ? text.slice(0, 10) : text;
  return cut === other ? 0 : cut < other ? -1 : 1;
}
