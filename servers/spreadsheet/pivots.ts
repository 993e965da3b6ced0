import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import type { Sheet } from "./sheet.ts";
import { tablesOf } from "./tables.ts";
import type { Element } from "./xml.ts";

/** Where the pivot tables of a book take their rows from. */
export function pivotSources(book: Book): Element[] {
  return book.opc.parts
    .filter((part) => /pivotCacheDefinition[^/]*\.xml$/i.test(part))
    .flatMap((part) => [...book.opc.xml(part).root.walk()])
    .filter(({ local }) => local === "worksheetSource");
}

/** @throws ToolError if a pivot table lies on this sheet or reads it: it could not follow. */
export function requireNoPivots(book: Book, sheet: Sheet): void {
  const here = book.opc.relations(sheet.part).some(({ type }) => type === "pivotTable");
  const tables = tablesOf(book).filter((table) => table.sheet === sheet.name);
  const read = pivotSources(book).some((source) => {
    const name = source.get("name")?.toLowerCase();
    return source.get("sheet") === sheet.name || tables.some((t) => t.name.toLowerCase() === name);
  });
  if (!here && !read) return;
  throw new ToolError(
    `A pivot table ${here ? "lies on" : "is made from"} "${sheet.name}"; it could not follow this ` +
      "change. Nothing was written. Values may still be changed with write_range.",
  );
}
