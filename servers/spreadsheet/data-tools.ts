import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { type Book, cellOf } from "./book.ts";
import { mapReferences, referenceText, sheetPrefix, tokens } from "./formula.ts";
import { DECLARATION } from "./opc.ts";
import { areaName, askedArea, cellName, overlap } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { placeInOrder } from "./sheet-order.ts";
import { storedFormula } from "./stored-formula.ts";
import { tablesOf } from "./tables.ts";
import { CHANGED, type Done, type EditLog, editBook, PATH, RANGE, SHEET } from "./workbooks.ts";
import { clipped } from "./write-tools.ts";
import { Element, escapeAttribute } from "./xml.ts";

export function dataTools(world: World): Tool[] {
  return [nameDefiner(world), tableMaker(world)];
}

const NAME = /^[\p{L}_\\][\p{L}\p{N}_.]{0,254}$/u;

function requireName(name: string): void {
  const like = /^(?:[a-z]{1,3}\d{1,7}|r|c|r\d*c\d*|true|false)$/i.test(name);
  if (NAME.test(name) && !like) return;
  throw new ToolError(
    `"${name}" cannot be a name: letters, digits, "_" and ".", beginning with a letter, and unlike ` +
      "a cell such as AB12.",
  );
}

function nameDefiner(world: World): Tool {
  return tool({
    name: "define_name",
    title: "Define a name",
    description:
      "Gives a name to cells, a constant or a formula, for use in formulas of the whole workbook; " +
      "changes the name if it is there, and removes it when refers_to is null.",
    input: z.object({
      path: PATH,
      name: z.string().max(255).describe('"TaxRate"'),
      refers_to: z
        .string()
        .max(8000)
        .nullable()
        .describe(
          'Cells with their sheet, "Rates!B2:B9", or a formula, "=0.21"; null to remove the name',
        ),
    }),
    output: CHANGED,
    hints: { readOnly: false, idempotent: true },
    run: async ({ path, name, refers_to: meaning }) =>
      await editBook(world, path, (book, log) => defineName(book, log, name, meaning)),
  });
}

function defineName(book: Book, log: EditLog, name: string, meaning: string | null): Done {
  requireName(name);
  if (tablesOf(book).some((table) => table.name.toLowerCase() === name.toLowerCase())) {
    throw new ToolError(`${book.path} has a table of the name ${name}. Choose another.`);
  }
  let list = book.root.child("definedNames");
  const same = list?.elements.find((e) => {
    return (
      e.get("localSheetId") === undefined && e.get("name")?.toLowerCase() === name.toLowerCase()
    );
  });
  for (const sheet of book.sheets) log.area(sheet.name, askedArea("A:XFD"));
  if (meaning === null) {
    if (same === undefined) throw new ToolError(`${book.path} has no name ${name}.`);
    requireUnused(book, name);
    list?.remove(same);
    if (list?.elements.length === 0) book.root.remove(list);
    return { text: `Removed the name ${name} from ${book.path}.` };
  }
  const text = absolute(book, meaning.replace(/^=/, ""));
  if (list === undefined) {
    list = new Element("definedNames", [], false);
    placeAfter(book.root, list, ["externalReferences", "functionGroups", "sheets"]);
  }
  const element = same ?? new Element("definedName").set("name", name);
  element.text = text;
  if (same === undefined) list.children.push(element);
  return { text: `${name} means ${text} in ${book.path}.` };
}

function requireUnused(book: Book, name: string): void {
  for (const sheet of book.sheets) {
    const user = sheet.formulas().find(({ text }) => {
      return tokens(text).some(
        (t) => t.kind === "name" && t.text.toLowerCase() === name.toLowerCase(),
      );
    });
    if (user === undefined) continue;
    const cell = `${sheet.name}!${cellName(user.row, user.cell.column)}`;
    throw new ToolError(
      `${cell} uses the name ${name}. Nothing was written. Change that formula first.`,
    );
  }
}

/** A name means the same wherever it is used, so its references are made fixed. */
function absolute(book: Book, formula: string): string {
  const place = { sheet: "", row: 1, column: 1 };
  const stored = storedFormula(formula, place, tablesOf(book));
  return mapReferences(stored, (reference) => {
    const { sheet, prefix, first, last } = reference;
    if (sheet === undefined) {
      const example = `${sheetPrefix(book.sheet().name)}${reference.text}`;
      throw new ToolError(`Say the sheet of ${reference.text}, too: ${example}.`);
    }
    if (!sheet.includes("[")) book.sheet(sheet);
    const fixed = { fixedRow: true, fixedColumn: true };
    return referenceText(prefix, { ...first, ...fixed }, last && { ...last, ...fixed });
  });
}

function placeAfter(root: Element, part: Element, before: readonly string[]): void {
  const after = before.flatMap((name) => root.child(name) ?? [])[0];
  const at = after === undefined ? root.children.length : root.children.indexOf(after) + 1;
  root.children.splice(at, 0, part);
}

function tableMaker(world: World): Tool {
  return tool({
    name: "create_table",
    title: "Make a table",
    description:
      "Makes cells with a header row into a table, whose columns formulas can name: " +
      "=SUM(Sales[Amount]), [@Amount] within a row.",
    input: z.object({
      path: PATH,
      sheet: SHEET,
      range: RANGE.describe('With the header row: "A1:D20"'),
      name: z.string().max(255).describe('"Sales"'),
      style: z
        .string()
        .regex(/^TableStyle(?:Light|Medium|Dark)\d{1,2}$/)
        .default("TableStyleMedium2"),
    }),
    output: CHANGED,
    hints: { readOnly: false },
    run: async ({ path, sheet: name, range, name: table, style }) =>
      await editBook(world, path, (book, log) => {
        const sheet = book.sheet(name);
        return createTable(book, log, { sheet, range, table, style });
      }),
  });
}

interface TableAsked {
  readonly sheet: Sheet;
  readonly range: string;
  readonly table: string;
  readonly style: string;
}

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml";

function createTable(book: Book, log: EditLog, { sheet, range, table, style }: TableAsked): Done {
  requireName(table);
  const area = clipped(sheet, askedArea(range));
  const name = areaName(area);
  const tables = tablesOf(book);
  const names = (book.root.child("definedNames")?.elements ?? []).map((e) => e.get("name"));
  const taken = [...tables.map((one) => one.name), ...names];
  if (taken.some((one) => one?.toLowerCase() === table.toLowerCase())) {
    throw new ToolError(`${book.path} uses the name ${table} already. Choose another.`);
  }
  if (area.top === area.bottom) throw new ToolError(`${name} has no row of data below its header.`);
  const other = tables.find((one) => one.sheet === sheet.name && overlap(one.area, area));
  if (other !== undefined) throw new ToolError(`${name} touches table ${other.name}.`);
  if (sheet.merged.some((one) => overlap(one, area))) {
    throw new ToolError(`${name} holds merged cells, which no table can. Unmerge them first.`);
  }
  const filter = sheet.root.child("autoFilter");
  if (filter !== undefined && filter.get("ref") === name) sheet.root.remove(filter);
  const headers = headersOf(book, sheet, area, log);
  const id = Math.max(0, ...tables.map(({ root }) => Number(root.get("id") ?? 0))) + 1;
  const columns = headers.map((header, n) => {
    const text = escapeAttribute(header).replace(/&#10;/g, "_x000a_");
    return `<tableColumn id="${n + 1}" name="${text}"/>`;
  });
  const part = book.opc.freeName("xl/tables/table", ".xml");
  book.opc.add(
    part,
    `${DECLARATION}<table xmlns="${MAIN}" id="${id}" name="${table}" displayName="${table}" ref="${name}" ` +
      `totalsRowShown="0"><autoFilter ref="${name}"/><tableColumns count="${columns.length}">` +
      `${columns.join("")}</tableColumns><tableStyleInfo name="${style}" showFirstColumn="0" ` +
      'showLastColumn="0" showRowStripes="1" showColumnStripes="0"/></table>',
    TYPE,
  );
  const relation = book.opc.relate(sheet.part, "table", part);
  let list = sheet.root.child("tableParts");
  if (list === undefined) {
    list = new Element("tableParts", [], false);
    placeInOrder(sheet.root, list);
  }
  sheet.root.set("xmlns:r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships");
  list.children.push(new Element("tablePart").set("r:id", relation));
  list.set("count", list.elements.length);
  return {
    range: name,
    text: `Made table ${table} of "${sheet.name}" ${name}.`,
  };
}

/** Headers are texts, each its own. */
function headersOf(
  book: Book,
  sheet: Sheet,
  { top, left, right }: ReturnType<typeof askedArea>,
  log: EditLog,
): string[] {
  const seen = new Set<string>();
  return Array.from({ length: right - left + 1 }, (_, n) => {
    const cell = sheet.data.cell(top, left + n);
    const { type, value } = book.valueOf(cell);
    const base = value === null || String(value).trim() === "" ? `Column${n + 1}` : String(value);
    let name = base;
    for (let number = 2; seen.has(name.toLowerCase()); number++) name = `${base}${number}`;
    seen.add(name.toLowerCase());
    if (type !== "text" || name !== value) {
      log.cell(sheet.name, top, left + n, false);
      sheet.data.put(top, cellOf(left + n, cell?.style ?? 0, name));
    }
    return name;
  });
}
