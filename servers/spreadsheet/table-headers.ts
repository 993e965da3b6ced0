import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { tokens } from "./formula.ts";
import { type Area, cellName, overlap } from "./refs.ts";
import { type Table, tablesOf } from "./tables.ts";
import type { EditLog } from "./workbooks.ts";
import { escapeAttribute } from "./xml.ts";

/**
 * The columns of tables take the names that were written into their headers, as programs want it.
 * The answer says which did. @throws ToolError where a header is left that none can be, or formulas
 * say the old name.
 */
export function renameColumns(book: Book, log: EditLog): string[] {
  const said: string[] = [];
  for (const table of tablesOf(book)) {
    const { area, sheet: name } = table;
    const header = { ...area, bottom: area.top };
    const written = log.changed.filter((c) => c.sheet === name && isCell(c.area));
    if (table.headers !== 1 || !written.some((c) => overlap(c.area, header))) continue;
    const sheet = book.sheet(name);
    const elements = table.root.child("tableColumns")?.all("tableColumn") ?? [];
    for (const [n, old] of table.columns.entries()) {
      const column = area.left + n;
      const { type, value } = book.valueOf(sheet.data.cell(area.top, column));
      const where = cellName(area.top, column);
      if (String(value) === old) continue;
      if (type !== "text" || String(value).trim() === "") throw noHeader(table, where, old);
      requireOther(book, table, where, String(value));
      requireUnsaid(book, table, where, old);
      elements[n]?.set("name", escapeAttribute(String(value)).replace(/&#10;/g, "_x000a_"));
      said.push(`Column "${old}" of table ${table.name} is now "${value}".`);
    }
  }
  return said;
}

/** Written by itself, not moved with others. */
function isCell({ top, left, bottom, right }: Area): boolean {
  return top === bottom && left === right;
}

function noHeader({ name }: Table, where: string, old: string): ToolError {
  return new ToolError(
    `${where} is the header of column "${old}" of table ${name}, which has to be a text. Nothing was ` +
      'written. Write a name there, a number as {"text": "2026"}.',
  );
}

function requireOther(
  book: Book,
  { area, sheet, name }: Table,
  where: string,
  value: string,
): void {
  const { data } = book.sheet(sheet);
  const same = Array.from({ length: area.right - area.left + 1 }, (_, n) => {
    return String(book.valueOf(data.cell(area.top, area.left + n)).value ?? "").toLowerCase();
  }).filter((header) => header === value.toLowerCase());
  if (same.length < 2) return;
  throw new ToolError(
    `Table ${name} would have two columns "${value}" (${where}). Nothing was written. Write another name.`,
  );
}

function requireUnsaid(book: Book, table: Table, where: string, old: string): void {
  const wanted = `[${old.replace(/['#[\]]/g, "'$&").toLowerCase()}]`;
  for (const sheet of book.sheets) {
    for (const { row, cell, text } of sheet.formulas()) {
      const says = tokens(text).some(({ kind, text: part }) => {
        const [owner = ""] = part.toLowerCase().split("[");
        const own = owner === "" || owner === table.name.toLowerCase();
        return kind === "table" && own && part.toLowerCase().includes(wanted);
      });
      if (!says) continue;
      throw new ToolError(
        `${where} is the header of column "${old}" of table ${table.name}, and the formula in ` +
          `${sheet.name}!${cellName(row, cell.column)} reads it by that name. Nothing was written. Let that ` +
          "formula name the cells instead, then write the header.",
      );
    }
  }
}
