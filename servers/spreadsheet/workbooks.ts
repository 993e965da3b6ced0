import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { ToolError } from "../kit/tool-error.ts";
import { Book } from "./book.ts";
import { giveBack } from "./give-back.ts";
import { LIMITS } from "./limits.ts";
import { type Edits, type Recalculated, recalculate } from "./recalculate.ts";
import { type Area, cellName } from "./refs.ts";
import type { Sheet } from "./sheet.ts";
import { renameColumns } from "./table-headers.ts";

/** Inputs that many tools share. */
export const PATH = z.string().max(1024).describe('Workbook: "reports/june.xlsx"');
export const SHEET = z.string().max(100).optional().describe("Default: the first sheet");
export const RANGE = z.string().max(40);

/** What tools that change a workbook answer. */
export const CHANGED = z.object({
  path: z.string(),
  range: z.string().optional(),
  errors: z.array(z.string()).describe("Formulas that have come to an error"),
  not_recomputed: z.array(z.string()).describe("Formulas that keep the value they had"),
});
export type Changed = z.infer<typeof CHANGED>;

export async function openBook({ workspace }: World, asked: string): Promise<Book> {
  const { path, bytes } = await workspace.read(asked, { maxBytes: LIMITS.fileBytes });
  const book = Book.open(bytes, path);
  giveBack(book.opc.inflatedBytes);
  return book;
}

/** What an edit says of itself. */
export interface Done {
  readonly range?: string;
  readonly text: string;
  /** Cells whose values the answer tells, since they were given formulas. */
  readonly tell?: { readonly sheet: Sheet; readonly cells: readonly [number, number][] };
}

export class EditLog implements Edits {
  readonly changed: { sheet: string; area: Area }[] = [];
  readonly fresh = new Set<string>();

  cell(sheet: string, row: number, column: number, formula: boolean): void {
    this.changed.push({ sheet, area: { top: row, bottom: row, left: column, right: column } });
    if (formula) this.fresh.add(`${sheet}!${cellName(row, column)}`);
  }

  area(sheet: string, area: Area): void {
    this.changed.push({ sheet, area });
  }
}

/**
 * Changes a workbook: all formulas are computed and their values stored, then the file is replaced
 * whole. If `work` throws, the file stays as it was.
 */
export async function editBook(
  world: World,
  asked: string,
  work: (book: Book, log: EditLog) => Done | Promise<Done>,
): Promise<{ text: string; data: Changed }> {
  return await world.workspace.exclusively(asked, async () => {
    const book = await openBook(world, asked);
    requireUnsigned(book);
    return await finishEdit(world, book, work);
  });
}

/** The same for a book that is in hand, new or read; call it within `exclusively`. */
export async function finishEdit(
  world: World,
  book: Book,
  work: (book: Book, log: EditLog) => Done | Promise<Done>,
): Promise<{ text: string; data: Changed }> {
  const log = new EditLog();
  const done = await work(book, log);
  const renamed = renameColumns(book, log);
  const outcome = await recalculate(book, log);
  for (const sheet of book.sheets) sheet.refreshDimension();
  dropChain(book);
  const bytes = book.toBuffer();
  if (bytes.length > LIMITS.fileBytes) {
    throw new ToolError(`${book.path} would be larger than 32 MiB. Nothing was written.`);
  }
  await world.workspace.write(book.path, bytes);
  giveBack(book.opc.inflatedBytes);
  const { range } = done;
  return {
    text: [done.text, ...renamed, values(book, done), outcomeText(outcome)]
      .filter((t) => t !== "")
      .join("\n"),
    data: {
      path: book.path,
      ...(range === undefined ? {} : { range }),
      errors: outcome.errors.map(({ cell, error }) => `${cell} ${error}`).slice(0, MOST_TOLD),
      not_recomputed: outcome.kept
        .map(({ cell, reason }) => `${cell}: ${reason}`)
        .slice(0, MOST_TOLD),
    },
  };
}

const MOST_TOLD = 30;

function requireUnsigned(book: Book): void {
  if (!book.opc.parts.some((part) => part.startsWith("_xmlsignatures/"))) return;
  throw new ToolError(
    `${book.path} is digitally signed; any change would break the signature. Work on a copy that ` +
      "was saved without it.",
  );
}

/** The order in which formulas were computed last; programs make it anew when it is missing. */
function dropChain(book: Book): void {
  const chain = book.opc.relations(book.part).find(({ type }) => type === "calcChain");
  if (chain === undefined) return;
  book.opc.unrelate(book.part, chain.id);
  book.opc.remove(chain.target);
}

function values(book: Book, { tell }: Done): string {
  if (tell === undefined || tell.cells.length === 0) return "";
  const said = tell.cells.slice(0, MOST_TOLD).map(([row, column]) => {
    const { value } = book.valueOf(tell.sheet.data.cell(row, column));
    return `${cellName(row, column)} = ${JSON.stringify(value)}`;
  });
  const more = tell.cells.length - said.length;
  return `Values: ${said.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}

function outcomeText({ formulas, kept, errors }: Recalculated): string {
  const lines: string[] = [];
  if (formulas > 0) lines.push(`${formulas} formula${formulas === 1 ? "" : "s"} recomputed.`);
  if (errors.length > 0) {
    const said = errors.slice(0, MOST_TOLD).map(({ cell, error }) => `${cell} ${error}`);
    lines.push(`These come to errors: ${said.join(", ")}.`);
  }
  const said = (some: Recalculated["kept"]) =>
    some
      .slice(0, MOST_TOLD)
      .map(({ cell, reason }) => `${cell} (${reason})`)
      .join(", ");
  const [empty, valued] = [kept.filter((one) => one.empty), kept.filter((one) => !one.empty)];
  if (valued.length > 0) {
    lines.push(`These keep their values, for nothing that they read has changed: ${said(valued)}.`);
  }
  if (empty.length > 0) {
    lines.push(
      `These cannot be computed here and have no value: ${said(empty)}. Recalculating again changes ` +
        "nothing; write other formulas there.",
    );
  }
  return lines.join("\n");
}
