import * as z from "zod";
import type { Tool } from "../../kit/tool.ts";
import {
  type DocumentParts,
  documentTool,
  pathField,
  shared,
  trackedField,
} from "./document-tool.ts";

const overwrite = z.boolean().default(false).describe("Replace a file that is there already");
const page_size = z.enum(["A4", "Letter"]).default("A4").describe("Of .docx and .pdf");
const landscape = z.boolean().default(false);
const blockId = z.string().min(3).max(30);
const edits = { readOnly: false, destructive: true };
const creates = { readOnly: false, destructive: false };

export function writingTools(parts: DocumentParts): Tool[] {
  return [
    createDocument(parts),
    convertDocument(parts),
    replaceText(parts),
    editBlocks(parts),
    editTable(parts),
    setHeaderFooter(parts),
  ];
}

function createDocument(parts: DocumentParts): Tool {
  const spec = {
    name: "create_document",
    title: "Create a document",
    description:
      "Writes a new document from Markdown: headings, paragraphs, lists, tables, bold, links. The " +
      "ending of the path says what it becomes: .docx, .pdf, .html, .md or .txt.",
    input: z.object({
      path: pathField("letters/invitation.docx"),
      markdown: z.string().min(1).max(2_000_000).describe("The content, as GitHub's Markdown"),
      title: z.string().max(300).optional().describe("Of the file's properties"),
      page_size,
      landscape,
      overwrite,
    }),
    output: z.object({
      ...shared,
      bytes: z.number(),
      blocks: z.number(),
      not_kept: z.array(z.string()),
    }),
    hints: creates,
  };
  return documentTool(parts, spec, ({ path, overwrite }) => ({ to: path, overwrite }));
}

function convertDocument(parts: DocumentParts): Tool {
  const spec = {
    name: "convert_document",
    title: "Convert a document",
    description:
      "Makes a copy of a document in another format: from .docx, .pdf, .md, .html, .eml or .txt to " +
      ".docx, .pdf, .md, .html or .txt. Structure is kept; the answer says what is not.",
    input: z.object({
      path: pathField("notes.md"),
      to: pathField("notes.docx"),
      page_size,
      landscape,
      overwrite,
    }),
    output: z.object({
      from: z.string(),
      to: z.string(),
      bytes: z.number(),
      not_kept: z.array(z.string()),
    }),
    hints: creates,
  };
  return documentTool(parts, spec, ({ path, to, overwrite }) => ({ from: path, to, overwrite }));
}

function replaceText(parts: DocumentParts): Tool {
  const spec = {
    name: "replace_text",
    title: "Replace text",
    description:
      "Replaces words everywhere in a Word document (also in tables, headers, footers and notes), " +
      "keeping their look, or in a Markdown, HTML or text file. Each text must lie within one " +
      "paragraph. If one of them is not found, nothing is changed.",
    input: z.object({
      path: pathField("contract.docx"),
      edits: z
        .array(
          z.object({
            find: z.string().min(1).max(5_000),
            replace: z.string().max(20_000),
            count: z.int().min(1).optional().describe("Only the first so many. Default: all"),
          }),
        )
        .min(1)
        .max(200),
      match_case: z.boolean().default(true),
      whole_words: z.boolean().default(false),
      tracked: trackedField,
    }),
    output: z.object({ ...shared, replaced: z.number(), counts: z.array(z.number()) }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

function editBlocks(parts: DocumentParts): Tool {
  const spec = {
    name: "edit_blocks",
    title: "Edit paragraphs of a Word document",
    description:
      "Inserts, replaces, deletes or restyles blocks of a .docx by the ids that read_document " +
      "shows; all edits of a call or none. New content is Markdown and takes the document's styles; " +
      "plain paragraphs look as their neighbour.",
    input: z.object({
      path: pathField("minutes.docx"),
      edits: z
        .array(
          z.object({
            action: z.enum([
              "insert_after",
              "insert_before",
              "replace",
              "delete",
              "append",
              "set_style",
            ]),
            block: blockId.optional().describe("Its id, such as 12-k3f9; not for append"),
            markdown: z.string().max(500_000).optional().describe("New content"),
            style: z
              .string()
              .max(200)
              .optional()
              .describe('Style of the document for paragraphs, such as "heading 2"'),
          }),
        )
        .min(1)
        .max(200),
      tracked: trackedField,
    }),
    output: z.object({ ...shared, total_blocks: z.number(), done: z.array(z.string()) }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

function editTable(parts: DocumentParts): Tool {
  const spec = {
    name: "edit_table",
    title: "Edit a table of a Word document",
    description:
      "Sets cells, and inserts or deletes rows and columns, in a table of a .docx. Edits are done " +
      "in order; new rows look as the row whose place they take, or as the last. " +
      "For a new table use edit_blocks.",
    input: z.object({
      path: pathField("budget.docx"),
      table: blockId.describe("Id of the table's block, such as 7-a1b2"),
      edits: z
        .array(
          z.object({
            action: z.enum([
              "set_cell",
              "insert_row",
              "delete_row",
              "insert_column",
              "delete_column",
            ]),
            row: z.int().min(1).max(20_000).optional().describe("From 1"),
            column: z.int().min(1).max(63).optional().describe("From 1"),
            text: z.string().max(100_000).optional().describe("For set_cell"),
            values: z
              .array(z.string().max(20_000))
              .max(20_000)
              .optional()
              .describe("Texts for a new row or column, in order"),
          }),
        )
        .min(1)
        .max(500),
      tracked: trackedField,
    }),
    output: z.object({ ...shared, table: z.string(), done: z.array(z.string()) }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

function setHeaderFooter(parts: DocumentParts): Tool {
  const spec = {
    name: "set_header_footer",
    title: "Set header or footer",
    description:
      "Sets the text above or below the pages of a .docx, in all its sections. Tabs part left, " +
      "middle and right; {page} and {pages} become page numbers. An empty text takes it away.",
    input: z.object({
      path: pathField("report.docx"),
      where: z.enum(["header", "footer"]),
      text: z.string().max(2_000).describe('Such as "Confidential\\t\\tPage {page} of {pages}"'),
      pages: z
        .enum(["default", "first", "even"])
        .default("default")
        .describe('"first": another one for the first page. "even": for even pages'),
      replace: z.boolean().default(false).describe("Also if an image or table there gets lost"),
    }),
    output: z.object({ ...shared, sections: z.number() }),
    hints: { ...edits, idempotent: true },
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}
