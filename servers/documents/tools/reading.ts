import * as z from "zod";
import { type Tool, tool } from "../../kit/tool.ts";
import { ToolError } from "../../kit/tool-error.ts";
import { LIMITS } from "../limits.ts";
import { renderPage } from "../render.ts";
import {
  cursorField,
  type DocumentParts,
  documentTool,
  pathField,
  shared,
} from "./document-tool.ts";

const hints = { readOnly: true };

const block = z.object({
  id: z.string(),
  kind: z.string(),
  page: z.number().optional(),
  text: z.string().optional(),
  level: z.number().optional(),
  label: z.string().optional(),
  style: z.string().optional(),
  first_row: z.number().optional(),
  total_rows: z.number().optional(),
  rows: z.array(z.array(z.string())).optional(),
});

export function readingTools(parts: DocumentParts): Tool[] {
  return [
    readDocument(parts),
    findInDocument(parts),
    extractTables(parts),
    readPdfPage(parts),
    renderTool(parts),
  ];
}

function readDocument(parts: DocumentParts): Tool {
  const spec = {
    name: "read_document",
    title: "Read a document",
    description:
      "Reads a Word document (.docx), PDF, Markdown, HTML, e-mail (.eml) or text file as blocks in " +
      "order: headings, paragraphs, list items, tables. Each block begins with its id, such as " +
      "[12-k3f9], for the tools that edit. Long documents come in pages.",
    input: z.object({
      path: pathField("reports/minutes.docx"),
      view: z
        .enum(["blocks", "outline"])
        .default("blocks")
        .describe('"blocks": all of it. "outline": its headings only'),
      formatting: z
        .boolean()
        .default(false)
        .describe("Also show bold, italic, code and links, with the marks of Markdown"),
      cursor: cursorField,
    }),
    output: z.object({
      ...shared,
      format: z.string(),
      total_blocks: z.number(),
      pages: z.number().optional(),
      title: z.string().optional(),
      notes: z.array(z.string()),
      outline: z.array(z.object({ id: z.string(), level: z.number(), text: z.string() })),
      blocks: z.array(block),
    }),
    hints,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function findInDocument(parts: DocumentParts): Tool {
  const spec = {
    name: "find_in_document",
    title: "Find text in a document",
    description:
      "Finds a text in a document of any kind that read_document reads. Gives each place with the " +
      "block's id, the page of a PDF, the row and column of a table, and the words around it.",
    input: z.object({
      path: pathField("contract.pdf"),
      query: z.string().min(1).max(500).describe("The text to find, as it is written"),
      match_case: z.boolean().default(false),
      whole_words: z.boolean().default(false),
      cursor: cursorField,
    }),
    output: z.object({
      ...shared,
      total: z.number(),
      hits: z.array(
        z.object({
          block: z.string(),
          page: z.number().optional(),
          row: z.number().optional(),
          column: z.number().optional(),
          found: z.string(),
          context: z.string(),
        }),
      ),
    }),
    hints,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function extractTables(parts: DocumentParts): Tool {
  const spec = {
    name: "extract_tables",
    title: "Extract tables",
    description:
      "Gives the tables of a Word document, PDF, HTML page or Markdown file as rows of cells, " +
      "numbered from 1. In a PDF, tables are found by lines and by columns of text.",
    input: z.object({
      path: pathField("invoice.pdf"),
      table: z.int().min(1).max(10_000).optional().describe("Only the table of this number"),
      page: z.int().min(1).max(LIMITS.pdfPages).optional().describe("Only tables of this PDF page"),
      cursor: cursorField,
    }),
    output: z.object({
      ...shared,
      total_tables: z.number(),
      tables: z.array(
        z.object({
          number: z.number(),
          block: z.string(),
          page: z.number().optional(),
          total_rows: z.number(),
          first_row: z.number(),
          rows: z.array(z.array(z.string())),
        }),
      ),
    }),
    hints,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

const pageField = z.int().min(1).max(LIMITS.pdfPages).describe("Page number, from 1");

function readPdfPage(parts: DocumentParts): Tool {
  const spec = {
    name: "read_pdf_page",
    title: "Read a PDF page with positions",
    description:
      "Gives the texts of one PDF page with their positions, for layouts that read_document does " +
      "not show well, such as forms and labels. x and y are points from the top left corner.",
    input: z.object({ path: pathField("form.pdf"), page: pageField, cursor: cursorField }),
    output: z.object({
      ...shared,
      page: z.number(),
      pages: z.number(),
      width: z.number(),
      height: z.number(),
      texts: z.array(
        z.object({
          text: z.string(),
          x: z.number(),
          y: z.number(),
          width: z.number(),
          size: z.number(),
        }),
      ),
    }),
    hints,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function renderTool({ world }: DocumentParts): Tool {
  return tool({
    name: "render_page",
    title: "Show a PDF page as a picture",
    description:
      "Draws one page of a PDF as a PNG picture, for scans, charts and layout. " +
      "For a Word document, make a PDF of it with convert_document first.",
    input: z.object({
      path: pathField("plan.pdf"),
      page: pageField.default(1),
      longest_side: z.int().min(100).max(2_400).default(1_200).describe("In pixels"),
    }),
    output: z.object({ path: z.string(), page: z.number(), bytes: z.number() }),
    hints,
    run: async ({ path, page, longest_side: longest }, { signal }) => {
      const file = await world.workspace.read(path, { maxBytes: LIMITS.fileBytes });
      if (!file.bytes.subarray(0, 1024).includes("%PDF-")) throw noPdf(file.path);
      const picture = await renderPage(file.bytes, { page, longest, signal });
      return {
        text: `Page ${page} of ${file.path}.`,
        data: { path: file.path, page, bytes: picture.length },
        images: [{ data: picture, mimeType: "image/png" }],
      };
    },
  });
}

function noPdf(path: string): ToolError {
  return new ToolError(
    `${path} is no PDF. Make one of it with convert_document, then show a page of that.`,
  );
}
