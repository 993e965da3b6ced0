import type { Book } from "./book.ts";
import { readArea } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import type { Element } from "./xml.ts";

export interface Note {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

/** The notes (old comments) on cells of a sheet. */
export function notesOf(book: Book, sheet: Sheet): Note[] {
  const parts = book.opc.relations(sheet.part).filter(({ type }) => type === "comments");
  return parts.flatMap(({ target }) => {
    if (!book.opc.has(target)) return [];
    const list = book.opc.xml(target).root.child("commentList")?.all("comment") ?? [];
    return list.flatMap((comment) => {
      const area = readArea(comment.get("ref") ?? "");
      if (area === undefined) return [];
      return [{ row: area.top, column: area.left, text: textOf(comment) }];
    });
  });
}

function textOf(comment: Element): string {
  const texts = [...comment.walk()].filter(({ local }) => local === "t");
  return texts.map(({ text }) => text).join("");
}
