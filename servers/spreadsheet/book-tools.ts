import * as z from "zod";
import type { World } from "../kit/surface.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { copySheet } from "./copy-sheet.ts";
import { newBook } from "./new-book.ts";
import { addSheet, deleteSheet, renameSheet } from "./sheets.ts";
import { CHANGED, editBook, finishEdit, PATH } from "./workbooks.ts";

const NAME = z.string().max(100);

export function bookTools(world: World): Tool[] {
  return [
    createWorkbook(world),
    sheetAdder(world),
    sheetRenamer(world),
    sheetDeleter(world),
    recalculator(world),
  ];
}

function createWorkbook(world: World): Tool {
  return tool({
    name: "create_workbook",
    title: "Create a workbook",
    description:
      "Makes a new, empty .xlsx file with the sheets you name. Refuses to replace a file unless told to.",
    input: z.object({
      path: z.string().max(1024).describe('Where: "reports/june.xlsx"'),
      sheets: z
        .array(NAME)
        .min(1)
        .max(100)
        .default(["Sheet1"])
        .describe("Names of its sheets, in order"),
      overwrite: z.boolean().default(false),
    }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true, idempotent: true },
    run: async ({ path, sheets, overwrite }) => {
      requireXlsx(path);
      return await world.workspace.exclusively(path, async (relative) => {
        if (!overwrite && (await world.workspace.has(relative))) {
          throw new ToolError(
            `${relative} is there already. Choose another name, set overwrite, or work on it as it is.`,
          );
        }
        const said = sheets.map((name) => `"${name}"`).join(", ");
        const text = `Created ${relative} with ${said}.`;
        return await finishEdit(world, newBook(relative, sheets), () => ({ text }));
      });
    },
  });
}

export function requireXlsx(path: string): void {
  if (/\.xlsx$/i.test(path)) return;
  throw new ToolError(`A new workbook is an .xlsx file; ${path} is named otherwise.`);
}

function sheetAdder(world: World): Tool {
  return tool({
    name: "add_sheet",
    title: "Add a sheet",
    description:
      "Adds an empty sheet to a workbook, or a copy of another sheet with all that is on it.",
    input: z.object({
      path: PATH,
      name: NAME.describe('"Summary"'),
      copy_of: z.string().max(100).optional().describe("Sheet to copy"),
      position: z
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe("1 is the first; the last if left out"),
    }),
    output: CHANGED,
    hints: { readOnly: false },
    run: async ({ path, name, copy_of: from, position }) =>
      await editBook(world, path, (book) => {
        if (from === undefined) addSheet(book, name, position);
        else copySheet(book, from, name, position);
        const how = from === undefined ? "Added an empty sheet" : `Copied "${from}" to a sheet`;
        return { text: `${how} "${name}" in ${book.path}.` };
      }),
  });
}

function sheetRenamer(world: World): Tool {
  return tool({
    name: "rename_sheet",
    title: "Rename a sheet",
    description: "Renames a sheet; formulas, names, links and charts that point to it follow.",
    input: z.object({
      path: PATH,
      sheet: NAME.describe("Its name now"),
      name: NAME.describe("Its new name"),
    }),
    output: CHANGED,
    hints: { readOnly: false },
    run: async ({ path, sheet, name }) =>
      await editBook(world, path, (book) => {
        renameSheet(book, sheet, name);
        return { text: `Renamed "${sheet}" to "${name}" in ${book.path}.` };
      }),
  });
}

function sheetDeleter(world: World): Tool {
  return tool({
    name: "delete_sheet",
    title: "Delete a sheet",
    description:
      "Deletes a sheet with all that is on it. Formulas elsewhere that read it come to #REF!.",
    input: z.object({ path: PATH, sheet: NAME }),
    output: CHANGED,
    hints: { readOnly: false, destructive: true },
    run: async ({ path, sheet }) =>
      await editBook(world, path, (book) => {
        deleteSheet(book, sheet);
        const left = book.entries.map(({ name }) => `"${name}"`).join(", ");
        return { text: `Deleted "${sheet}" from ${book.path}. Its sheets now: ${left}.` };
      }),
  });
}

function recalculator(world: World): Tool {
  return tool({
    name: "recalculate_workbook",
    title: "Recalculate a workbook",
    description:
      "Computes all formulas of a workbook and stores their values, for a file that another program " +
      "wrote without values. Every tool that changes a workbook does this by itself.",
    input: z.object({ path: PATH }),
    output: CHANGED,
    hints: { readOnly: false, idempotent: true },
    run: async ({ path }) =>
      await editBook(world, path, (book) => ({ text: `Recalculated ${book.path}.` })),
  });
}
