import { posix } from "node:path";
import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { tokens } from "./formula.ts";
import { relationsOf } from "./opc.ts";
import { renameRewrite } from "./rewrite.ts";
import { addPart, requireSheetName } from "./sheets.ts";
import { tablesOf } from "./tables.ts";

/** Adds a copy of a sheet with all that hangs on it. @throws ToolError for what has no copy. */
export function copySheet(book: Book, from: string, to: string, position?: number): void {
  requireSheetName(book, to);
  const sheet = book.sheet(from);
  const { opc } = book;
  const related = opc.relations(sheet.part);
  const odd = related.find(({ type, external }) => !external && !COPIED.has(type));
  if (odd !== undefined) {
    throw new ToolError(
      `"${sheet.name}" has a part of kind ${odd.type}, which cannot be copied. Nothing was written. ` +
        "Add an empty sheet and copy cells with copy_range.",
    );
  }
  const text = sheet.toString().replace(/\stabSelected="(?:1|true)"/, "");
  const scopes = localNames(book, sheet.name);
  const part = addPart(book, to, text, position);
  copyRelations(book, sheet.part, part);
  renameTables(book, to);
  const index = book.entries.findIndex(({ name }) => name === to);
  const rewrite = renameRewrite(sheet.name, to);
  const list = book.root.child("definedNames");
  for (const name of scopes) {
    const copy = name.clone().set("localSheetId", index);
    copy.text = rewrite(name.text, undefined);
    list?.children.push(copy);
  }
  const copied = book.sheet(to);
  for (const { row, cell, text: formula } of copied.formulas()) {
    const next = rewrite(formula, undefined);
    if (next === formula || cell.formula === undefined) continue;
    copied.unshare();
    copied.data.put(row, { ...cell, formula: { ...cell.formula, text: next } });
  }
  for (const drawing of opc.relations(part).filter(({ type }) => type === "drawing")) {
    for (const chart of opc.relations(drawing.target).filter(({ type }) => /^chart/.test(type))) {
      for (const element of opc.xml(chart.target).root.walk()) {
        if (element.local === "f") element.text = rewrite(element.text, undefined);
      }
    }
  }
}

const COPIED = new Set(
  "drawing comments threadedComment vmlDrawing table printerSettings hyperlink".split(" "),
);
/** What copies may share, since nothing changes it. */
const SHARED = new Set(["image", "printerSettings", "theme", "person"]);

function localNames(book: Book, sheet: string) {
  const index = String(book.entries.findIndex(({ name }) => name === sheet));
  const all = book.root.child("definedNames")?.elements ?? [];
  return all.filter((name) => name.get("localSheetId") === index);
}

function copyRelations(book: Book, from: string, to: string): void {
  const { opc } = book;
  if (!opc.has(relationsOf(from))) return;
  opc.copy(relationsOf(from), relationsOf(to));
  for (const { target, type, external, element } of opc.relations(to)) {
    if (external) continue;
    element.set("Target", `/${SHARED.has(type) ? target : copyPart(book, target)}`);
  }
}

function copyPart(book: Book, part: string): string {
  const extension = posix.extname(part);
  const stem = part.slice(0, part.length - extension.length).replace(/\d+$/, "");
  const copy = book.opc.freeName(stem, extension);
  book.opc.copy(part, copy);
  copyRelations(book, part, copy);
  return copy;
}

/** A table's name and number are its own in all the book. */
function renameTables(book: Book, sheet: string): void {
  const tables = tablesOf(book);
  const ids = tables.map(({ root }) => Number(root.get("id") ?? 0));
  let id = Math.max(0, ...ids);
  const names = new Set(tables.map(({ name }) => name.toLowerCase()));
  const renamed = new Map<string, string>();
  for (const { root, name, sheet: on } of tables) {
    if (on !== sheet) continue;
    let number = 2;
    while (names.has(`${name}_${number}`.toLowerCase())) number++;
    const next = `${name}_${number}`;
    names.add(next.toLowerCase());
    renamed.set(name.toLowerCase(), next);
    root.set("id", ++id).set("name", next).set("displayName", next);
  }
  if (renamed.size === 0) return;
  const copied = book.sheet(sheet);
  copied.unshare();
  for (const { row, cell, text } of copied.formulas()) {
    const next = tokens(text).map((token) => {
      if (token.kind !== "table") return token.text;
      const start = token.text.indexOf("[");
      const name = renamed.get(token.text.slice(0, start).toLowerCase());
      return (name ?? token.text.slice(0, start)) + token.text.slice(start);
    });
    if (cell.formula === undefined) continue;
    copied.data.put(row, { ...cell, formula: { ...cell.formula, text: next.join("") } });
  }
}
