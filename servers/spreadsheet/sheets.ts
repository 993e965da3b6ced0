import { ToolError } from "../kit/tool-error.ts";
import { renameLinks } from "./anchors.ts";
import type { Book } from "./book.ts";
import { DECLARATION } from "./opc.ts";
import { pivotSources, requireNoPivots } from "./pivots.ts";
import { renameRewrite, rewriteFormulas } from "./rewrite.ts";
import { Element } from "./xml.ts";

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";

/** @throws ToolError for a name that a sheet cannot have, or that is taken. */
export function requireSheetName(book: Book | undefined, name: string, own?: string): void {
  const said = JSON.stringify(name);
  if (name.trim() === "" || name.length > 31 || /[[\]:*?/\\]|^'|'$/.test(name)) {
    throw new ToolError(
      `${said} cannot name a sheet: 1 to 31 characters, without [ ] : * ? / \\ and no ' at its ends.`,
    );
  }
  const taken = book?.entries.some((entry) => {
    return entry.name !== own && entry.name.toLowerCase() === name.toLowerCase();
  });
  if (taken) throw new ToolError(`${book?.path} has a sheet ${said} already.`);
}

/** Adds an empty sheet, at `position` counted from 1. */
export function addSheet(book: Book, name: string, position?: number): void {
  requireSheetName(book, name);
  addPart(book, name, EMPTY_SHEET, position);
}

export const EMPTY_SHEET = `${DECLARATION}<worksheet xmlns="${MAIN}"><dimension ref="A1"/><sheetData/></worksheet>`;

/** A sheet of this text; the answer is its part. */
export function addPart(book: Book, name: string, text: string, position?: number): string {
  const part = book.opc.freeName("xl/worksheets/sheet", ".xml");
  book.opc.add(part, text, TYPE);
  const id = book.opc.relate(book.part, "worksheet", part);
  const sheets = book.root.child("sheets");
  if (sheets === undefined) throw new ToolError(`${book.path} lists no sheets; it is damaged.`);
  const used = sheets.elements.map((e) => Number(e.get("sheetId") ?? 0));
  const prefix = relationPrefix(book.root);
  const made = new Element("sheet")
    .set("name", name)
    .set("sheetId", Math.max(0, ...used) + 1)
    .set(`${prefix}:id`, id);
  const at = Math.min(position ?? sheets.elements.length + 1, sheets.elements.length + 1) - 1;
  sheets.children = sheets.elements.toSpliced(at, 0, made);
  moveScopes(book, (index) => (index >= at ? index + 1 : index));
  return part;
}

/** The prefix by which the book names relations, declared if there is none. */
function relationPrefix(root: Element): string {
  const declared = /xmlns:(\w+)\s*=\s*["'][^"']*officeDocument[^"']*relationships["']/.exec(
    root.head,
  );
  if (declared?.[1] !== undefined) return declared[1];
  const own = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  root.set("xmlns:r", own);
  return "r";
}

export function renameSheet(book: Book, from: string, to: string): void {
  const sheet = book.sheet(from);
  requireSheetName(book, to, sheet.name);
  const rewrite = renameRewrite(sheet.name, to);
  rewriteFormulas(book, rewrite);
  for (const { root } of book.sheets) renameLinks(root, (link) => rewrite(link, undefined));
  for (const source of pivotSources(book)) {
    if (source.get("sheet") === sheet.name) source.set("sheet", to);
  }
  book.entries.find(({ name }) => name === sheet.name)?.element.set("name", to);
  sheet.name = to;
}

/** Takes a sheet away; what read it comes to #REF!. */
export function deleteSheet(book: Book, asked: string): void {
  const sheet = book.sheet(asked);
  const { entries } = book;
  const index = entries.findIndex(({ part }) => part === sheet.part);
  const entry = entries[index];
  if (entry === undefined) return;
  if (!entries.some(({ state }, n) => n !== index && state === "visible")) {
    throw new ToolError(`"${sheet.name}" is the last visible sheet; a workbook keeps one.`);
  }
  requireNoPivots(book, sheet);
  const names = book.root.child("definedNames");
  for (const name of names?.elements ?? []) {
    if (name.get("localSheetId") === String(index)) names?.remove(name);
  }
  if (names?.elements.length === 0) book.root.remove(names);
  rewriteFormulas(book, renameRewrite(sheet.name, undefined));
  book.root.child("sheets")?.remove(entry.element);
  moveScopes(book, (n) => (n > index ? n - 1 : n));
  book.opc.unrelate(book.part, entry.relation);
  book.forget(sheet.part);
  removeTree(book, sheet.part);
}

/** Removes a part, and what hung on it alone. */
function removeTree(book: Book, part: string): void {
  const below = book.opc.relations(part).filter(({ external }) => !external);
  book.opc.remove(part);
  for (const { target } of below) {
    const held = book.opc.parts.some((other) => {
      return !other.endsWith(".rels") && book.opc.relations(other).some((r) => r.target === target);
    });
    if (!held && book.opc.has(target)) removeTree(book, target);
  }
}

/** Sheets are counted by place in names' scopes and in what is open. */
function moveScopes(book: Book, place: (index: number) => number): void {
  const scoped = book.root.child("definedNames")?.elements ?? [];
  for (const name of scoped) {
    const scope = name.get("localSheetId");
    if (scope !== undefined) name.set("localSheetId", place(Number(scope)));
  }
  const last = (book.root.child("sheets")?.elements.length ?? 1) - 1;
  for (const view of book.root.child("bookViews")?.elements ?? []) {
    for (const name of ["activeTab", "firstSheet"]) {
      const index = view.get(name);
      if (index !== undefined) view.set(name, Math.min(place(Number(index)), last));
    }
  }
}
