import type { Book } from "./book.ts";
import { type Area, contains, readArea } from "./refs.ts";
import { type Element, unescapeXml } from "./xml.ts";

/** A table of a workbook, as its part says it. */
export interface Table {
  readonly name: string;
  readonly sheet: string;
  readonly part: string;
  readonly area: Area;
  readonly headers: number;
  readonly totals: number;
  readonly columns: readonly string[];
  readonly root: Element;
}

/** The tables of all sheets, in their order. */
export function tablesOf(book: Book): Table[] {
  return book.entries.flatMap((entry) => {
    const parts = book.opc.relations(entry.part).filter(({ type }) => type === "table");
    return parts.flatMap(({ target }) => {
      if (!book.opc.has(target)) return [];
      const { root } = book.opc.xml(target);
      const area = readArea(root.get("ref") ?? "");
      if (area === undefined) return [];
      return [
        {
          name: root.get("displayName") ?? root.get("name") ?? "",
          sheet: entry.name,
          part: target,
          area,
          headers: Number(root.get("headerRowCount") ?? 1),
          totals: Number(root.get("totalsRowCount") ?? 0),
          columns: columnNames(root),
          root,
        },
      ];
    });
  });
}

function columnNames(root: Element): string[] {
  const columns = root.child("tableColumns")?.all("tableColumn") ?? [];
  // A line break in a header is written as _x000a_ here, in the header's cell as itself.
  return columns.map((c) => unescapeXml(c.get("name") ?? "").replace(/_x000a_/gi, "\n"));
}

export function tableAt(
  tables: readonly Table[],
  sheet: string,
  row: number,
  column: number,
): Table | undefined {
  return tables.find((table) => table.sheet === sheet && contains(table.area, row, column));
}

/** What is asked for in "Sales[[#Totals],[Amount]]". */
interface Asked {
  readonly parts: ReadonlySet<string>;
  readonly first: string | undefined;
  readonly last: string | undefined;
}

/**
 * The cells that a structured reference means for a formula in `row`; a text says why there are
 * none. `inside`: with its outer brackets.
 */
export function structuredArea(table: Table, inside: string, row: number): Area | string {
  const { parts, first, last } = asked(inside.slice(1, -1).trim());
  const place = (name: string) => {
    return table.columns.findIndex((other) => other.toLowerCase() === name.toLowerCase());
  };
  const from = first === undefined ? 0 : place(first);
  const to =
    last === undefined ? (first === undefined ? table.columns.length - 1 : from) : place(last);
  if (from < 0 || to < 0) {
    return `table ${table.name} has no column "${from < 0 ? first : last}"`;
  }
  const { top, bottom, left } = table.area;
  const columns = { left: left + Math.min(from, to), right: left + Math.max(from, to) };
  const [dataTop, dataBottom] = [top + table.headers, bottom - table.totals];
  if (parts.has("#this row")) {
    if (row < dataTop || row > dataBottom) return `row ${row} is no data row of ${table.name}`;
    return { ...columns, top: row, bottom: row };
  }
  if (parts.has("#all")) return { ...columns, top, bottom };
  const data = parts.size === 0 || parts.has("#data");
  const start = parts.has("#headers") ? top : data ? dataTop : dataBottom + 1;
  const end = parts.has("#totals") ? bottom : data ? dataBottom : dataTop - 1;
  if (start > end) return `table ${table.name} has no such row`;
  return { ...columns, top: start, bottom: end };
}

function asked(inside: string): Asked {
  const parts = new Set<string>();
  let rest = inside;
  if (rest.startsWith("@")) {
    parts.add("#this row");
    rest = rest.slice(1);
  }
  const names: string[] = [];
  for (const item of rest.startsWith("[") ? bracketed(rest) : [rest]) {
    const name = plainName(item);
    if (name === "") continue;
    if (/^#(?:all|data|headers|totals|this row)$/i.test(item)) parts.add(item.toLowerCase());
    else names.push(name);
  }
  return { parts, first: names[0], last: names[1] };
}

/** What stands in the brackets of "[#Totals],[A]:[B]". */
function bracketed(text: string): string[] {
  return Array.from(text.matchAll(/\[((?:'.|[^\]'])*)\]/gs), ([, inner = ""]) => inner.trim());
}

function plainName(escaped: string): string {
  return escaped.replace(/'(.)/gs, "$1");
}
