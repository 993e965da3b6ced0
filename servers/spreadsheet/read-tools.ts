import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import type { Book } from "./book.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { notesOf } from "./notes.ts";
import { type Area, areaName, askedArea, cellName, columnName, contains, overlap } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { shown } from "./shown.ts";
import { tablesOf } from "./tables.ts";
import { openBook, PATH, RANGE, SHEET } from "./workbooks.ts";

export function readTools(world: World): Tool[] {
  return [describeWorkbook(world), readRange(world)];
}

function describeWorkbook(world: World): Tool {
  return tool({
    name: "describe_workbook",
    title: "Describe a workbook",
    description:
      "Lists a workbook's sheets with the cells they use, its tables, named ranges and what else " +
      "it holds (charts, merged cells, rules). Call it before working on a workbook you do not know.",
    input: z.object({ path: PATH }),
    output: z.object({
      sheets: z.array(
        z.object({
          name: z.string(),
          used: z.string(),
          state: z.string(),
          formulas: z.number(),
          holds: z.array(z.string()),
        }),
      ),
      tables: z.array(z.object({ name: z.string(), sheet: z.string(), range: z.string() })),
      names: z.array(z.object({ name: z.string(), refers_to: z.string() })),
    }),
    hints: { readOnly: true },
    run: async ({ path }) => {
      const book = await openBook(world, path);
      const sheets = book.entries.map((entry) => {
        const { name, state, cells } = entry;
        const base = { name, state, used: "", formulas: 0, holds: ["a chart sheet"] };
        return cells ? { name, state, ...aboutSheet(book, book.sheet(name)) } : base;
      });
      const tables = tablesOf(book).map(({ name, sheet, area }) => {
        return { name, sheet, range: areaName(area) };
      });
      const defined = book.root.child("definedNames")?.elements ?? [];
      const names = defined
        .filter((e) => e.get("hidden") !== "1")
        .map((e) => ({ name: e.get("name") ?? "", refers_to: e.text }))
        .slice(0, 200);
      const lines = [
        `${book.path}: ${sheets.length} sheet${sheets.length === 1 ? "" : "s"}`,
        ...sheets.map(({ name, used, state, formulas, holds }) => {
          const facts = [
            used === "" ? "empty" : used,
            ...(formulas > 0 ? [`${formulas} formulas`] : []),
            ...(state === "visible" ? [] : [state]),
            ...holds,
          ];
          return `- "${name}": ${facts.join(", ")}`;
        }),
        ...tables.map((t) => `Table ${t.name}: "${t.sheet}" ${t.range}`),
        ...names.map((n) => `Name ${n.name}: ${n.refers_to}`),
      ];
      return { text: lines.join("\n"), data: { sheets, tables, names } };
    },
  });
}

const HOLDS: readonly (readonly [string, string])[] = [
  ["mergeCells", "merged areas"],
  ["conditionalFormatting", "conditional formats"],
  ["dataValidations", "validations"],
  ["hyperlinks", "links"],
  ["autoFilter", "a filter"],
  ["sheetProtection", "protection"],
];
const RELATED: Readonly<Record<string, string>> = {
  drawing: "charts or pictures",
  comments: "notes",
  pivotTable: "a pivot table",
};

function aboutSheet(book: Book, sheet: Sheet) {
  const { rows, columns } = sheet.data.used();
  const used = rows === 0 ? "" : areaName({ top: 1, left: 1, bottom: rows, right: columns });
  const inside = HOLDS.filter(([name]) => sheet.root.child(name) !== undefined).map(([, as]) => as);
  const tied = book.opc.relations(sheet.part).flatMap(({ type }) => RELATED[type] ?? []);
  return { used, formulas: sheet.formulaCount, holds: [...inside, ...new Set(tied)] };
}

const COLUMNS = 100;
const BY_CELL = z.record(z.string(), z.string());

function readRange(world: World): Tool {
  return tool({
    name: "read_range",
    title: "Read cells",
    description:
      "Reads cells with row numbers and column letters: values, formulas, number formats, notes. " +
      "Dates are shown as 2026-03-02. Texts that look like something else stand in quotes. Long " +
      "ranges come in pages: when `next` is given, call again with it as `range`.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.optional().describe('"A1:D20", "B:D", "5:9"; all cells in use if left out'),
      limit: z.int().min(1).max(1000).default(100).describe("Rows in one page"),
    }),
    output: z.object({
      sheet: z.string(),
      range: z.string().describe("The cells of this page"),
      used: z.string().describe("All cells in use"),
      rows: z.array(z.object({ row: z.number(), cells: z.record(z.string(), z.unknown()) })),
      formulas: BY_CELL,
      dates: z.array(z.string()).describe("Cells that are dates, not texts"),
      errors: z.array(z.string()).describe("Cells that are errors, not texts"),
      formats: BY_CELL,
      merged: z.array(z.string()),
      notes: BY_CELL,
      next: z.string().optional(),
    }),
    hints: { readOnly: true },
    run: async ({ path, sheet: name, range, limit }) => {
      const book = await openBook(world, path);
      const sheet = book.sheet(name);
      const { rows, columns } = sheet.data.used();
      const used = { top: 1, left: 1, bottom: Math.max(rows, 1), right: Math.max(columns, 1) };
      const asked = range === undefined ? used : askedArea(range);
      return page(book, sheet, { asked, used: rows === 0 ? undefined : used, limit });
    },
  });
}

interface Wanted {
  readonly asked: Area;
  readonly used: Area | undefined;
  readonly limit: number;
}

function page(book: Book, sheet: Sheet, { asked, used, limit }: Wanted) {
  const inUse = used && overlap(asked, used);
  const right = Math.min(inUse?.right ?? asked.left, asked.left + COLUMNS - 1);
  const area = { ...(inUse ?? asked), right };
  const single = asked.top === asked.bottom && asked.left === asked.right;
  const read = inUse === undefined ? emptyPage() : readRows(book, sheet, area, limit, single);
  const bottom = read.next === undefined ? area.bottom : read.next - 1;
  const end = read.next !== undefined && { ...area, top: read.next };
  const seen = inUse === undefined ? asked : { ...area, bottom: Math.min(bottom, MAX_ROW) };
  const merged = sheet.merged.filter((one) => overlap(one, seen) !== undefined).map(areaName);
  const notes = notesOf(book, sheet).filter(({ row, column }) => contains(seen, row, column));
  const said = Object.fromEntries(
    notes.map((n) => [cellName(n.row, n.column), n.text.slice(0, 500)]),
  );
  const formats = formatsOf(
    book,
    sheet,
    read.rows.map(({ row }) => row),
    seen,
  );
  const next = end ? areaName(end) : undefined;
  const data = {
    sheet: sheet.name,
    range: areaName(seen),
    used: used === undefined ? "" : areaName(used),
    rows: read.rows,
    formulas: read.formulas,
    dates: read.dates,
    errors: read.errors,
    formats: Object.fromEntries(formats.map((f) => [f.range, f.format])),
    merged,
    notes: said,
    ...(next === undefined ? {} : { next }),
  };
  const letters = Array.from({ length: right - area.left + 1 }, (_, n) =>
    columnName(area.left + n),
  );
  const formulas = Object.entries(read.formulas).map(([cell, formula]) => `${cell} ${formula}`);
  const lines = [
    `"${sheet.name}" ${data.range}${used === undefined ? " (the sheet is empty)" : `, in use: ${data.used}`}`,
    ...(read.lines.length > 0 ? [`row | ${letters.join(" | ")}`, ...read.lines] : []),
    ...(inUse !== undefined && read.rows.length === 0 ? ["All these cells are empty."] : []),
    ...(formulas.length > 0 ? [`Formulas: ${formulas.join("; ")}`] : []),
    ...uncomputedText(read.uncomputed),
    ...(formats.length > 0
      ? [`Formats: ${formats.map((f) => `${f.range} ${f.format}`).join("; ")}`]
      : []),
    ...(merged.length > 0 ? [`Merged: ${merged.join(", ")}`] : []),
    ...Object.entries(said).map(([cell, text]) => `Note at ${cell}: ${text}`),
    ...(inUse !== undefined && right < inUse.right
      ? [`Columns after ${columnName(right)} are not shown; ask for fewer columns at a time.`]
      : []),
    ...(next === undefined ? [] : [`More rows: read_range with range "${next}".`]),
  ];
  return { text: lines.join("\n"), data };
}

interface Page {
  readonly rows: { row: number; cells: Record<string, Value> }[];
  readonly lines: string[];
  readonly formulas: Record<string, string>;
  readonly dates: string[];
  readonly errors: string[];
  /** Formulas that were written by a program that does not compute. */
  readonly uncomputed: string[];
  next: number | undefined;
}

type Value = string | number | boolean | null;

const NO_VALUE = "(not computed)";
const MOST_UNCOMPUTED = 20;

function uncomputedText(cells: readonly string[]): string[] {
  if (cells.length === 0) return [];
  const more = cells.length - MOST_UNCOMPUTED;
  const which = cells.slice(0, MOST_UNCOMPUTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return [
    `No value is stored for ${which}: recalculate_workbook computes what can be computed here, and says what cannot.`,
  ];
}

function emptyPage(): Page {
  return {
    rows: [],
    lines: [],
    formulas: {},
    dates: [],
    errors: [],
    uncomputed: [],
    next: undefined,
  };
}

/** Rows that hold something, up to the limits of an answer. */
function readRows(book: Book, sheet: Sheet, area: Area, limit: number, single: boolean): Page {
  const found = emptyPage();
  let bytes = 0;
  for (const row of sheet.data.rows) {
    if (row < area.top || row > area.bottom) continue;
    const values: Record<string, Value> = {};
    const line: string[] = [];
    for (let column = area.left; column <= area.right; column++) {
      const cell = sheet.data.cell(row, column);
      const content = book.valueOf(cell);
      const at = cellName(row, column);
      const isUncomputed = cell?.formula !== undefined && content.value === null;
      line.push(isUncomputed ? NO_VALUE : shown(content, single ? LIMITS.cellText : 400));
      if (isUncomputed) found.uncomputed.push(at);
      if (isUncomputed || content.value !== null) values[columnName(column)] = content.value;
      if (content.type === "date") found.dates.push(at);
      if (content.type === "error") found.errors.push(at);
      if (cell?.formula !== undefined) {
        const formula = `=${sheet.formulaText(row, cell)}`;
        found.formulas[at] = formula;
        bytes += 2 * formula.length;
      }
    }
    if (line.every((text) => text === "")) continue;
    const text = `${row} | ${line.join(" | ")}`;
    bytes += text.length;
    if (found.rows.length > 0 && (found.rows.length === limit || bytes > LIMITS.answerBytes)) {
      found.next = row;
      const isOfRow = (at: string) => at.replace(/^[A-Z]+/, "") === String(row);
      for (const at of Object.keys(found.formulas)) if (isOfRow(at)) delete found.formulas[at];
      for (const cells of [found.dates, found.errors, found.uncomputed]) {
        while (isOfRow(cells.at(-1) ?? "")) cells.pop();
      }
      break;
    }
    found.rows.push({ row, cells: values });
    found.lines.push(text);
  }
  return found;
}

/** Number formats other than General, as runs down the columns. */
function formatsOf(book: Book, sheet: Sheet, rows: readonly number[], { left, right }: Area) {
  const runs: { range: string; format: string }[] = [];
  for (let column = left; column <= Math.min(right, MAX_COLUMN); column++) {
    let [start, end, format] = [0, 0, "General"];
    const close = () => {
      const area = { top: start, bottom: end, left: column, right: column };
      if (format !== "General") runs.push({ range: areaName(area), format });
    };
    for (const row of rows) {
      const cell = sheet.data.cell(row, column);
      const own = cell === undefined ? "General" : book.styles.format(cell.style);
      if (own === format) end = row;
      else {
        close();
        [start, end, format] = [row, row, own];
      }
    }
    close();
  }
  return runs.slice(0, 60);
}
