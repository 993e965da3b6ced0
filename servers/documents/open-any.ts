import { extname } from "node:path";
import { ToolError } from "../kit/tool-error.ts";
import type { Block } from "./model/blocks.ts";
import { decodeText, readText } from "./model/read-text.ts";
import { readWord } from "./word/read-word.ts";
import { WordFile } from "./word/word-file.ts";

export type Format = "docx" | "pdf" | "markdown" | "html" | "text" | "mail";

export const FORMAT_NAMES: Readonly<Record<Format, string>> = {
  ...{ docx: "Word document", pdf: "PDF", markdown: "Markdown", html: "HTML page" },
  ...{ text: "plain text", mail: "e-mail message" },
};

/** A document of any kind, opened and read. */
export interface Opened {
  readonly format: Format;
  readonly blocks: readonly Block[];
  readonly notes: readonly string[];
  readonly title: string | undefined;
  readonly word?: WordFile;
  readonly pages?: number;
}

/** What a file is: by what it begins with, then by its name's ending. */
export function formatOf(bytes: Buffer, path: string): Format {
  if (bytes.subarray(0, 1024).includes("%PDF-")) return "pdf";
  const head = bytes.subarray(0, 4).toString("latin1");
  if (head === "PK\x03\x04" || head === "PK\x05\x06" || head === "\xd0\xcf\x11\xe0") return "docx";
  const end = extname(path).toLowerCase();
  if (end === ".docx" || end === ".docm" || end === ".dotx") {
    const what = bytes.length === 0 ? "is empty" : "is no zip archive, as a Word document is one";
    throw new ToolError(
      `${path} ${what}. It may be damaged, or of another kind than its name says.`,
    );
  }
  if (end === ".pdf") {
    throw new ToolError(`${path} is no PDF: it does not begin as one. It may be damaged or empty.`);
  }
  if (end === ".md" || end === ".markdown") return "markdown";
  if (end === ".html" || end === ".htm" || end === ".xhtml") return "html";
  if (end === ".eml") return "mail";
  if (end === ".rtf") {
    throw new ToolError(
      `${path} is RTF, which these tools do not read. Ask for it as .docx or .pdf.`,
    );
  }
  const start = bytes.subarray(0, 512).toString("latin1").trimStart().toLowerCase();
  return start.startsWith("<!doctype html") || start.startsWith("<html") ? "html" : "text";
}

export async function openAny(bytes: Buffer, path: string): Promise<Opened> {
  const format = formatOf(bytes, path);
  switch (format) {
    case "docx": {
      const word = new WordFile(bytes);
      const { blocks, notes, title } = readWord(word);
      return { format, blocks, notes, title, word };
    }
    case "pdf": {
      const { readPdf } = await import("./pdf/read-pdf.ts");
      const { blocks, notes, title, pages } = await readPdf(bytes);
      return { format, blocks, notes, title, pages };
    }
    case "mail": {
      const { readMail } = await import("./model/read-mail.ts");
      const { blocks, notes, title } = await readMail(bytes);
      return { format, blocks, notes, title };
    }
    default: {
      const { text, notes } = decodeText(bytes);
      const reading = await readAs(format, text);
      const { blocks, title } = reading;
      return { format, blocks, notes: [...notes, ...reading.notes], title };
    }
  }
}

/** The readers of other formats are loaded by who needs them. */
async function readAs(format: "markdown" | "html" | "text", text: string) {
  switch (format) {
    case "markdown":
      return (await import("./model/read-markdown.ts")).readMarkdown(text);
    case "html":
      return (await import("./model/read-html.ts")).readHtml(text);
    default:
      return readText(text);
  }
}

/** @throws ToolError if it is no Word document, or one that must not be edited (unless for reading). */
export function openWord(bytes: Buffer, path: string, { edit = true } = {}): WordFile {
  const format = formatOf(bytes, path);
  if (format === "docx") {
    const file = new WordFile(bytes);
    if (edit) file.requireEditable();
    return file;
  }
  const instead =
    format === "pdf"
      ? "A PDF cannot be edited like this: convert it to .docx with convert_document first, or fill its form with fill_form."
      : "Edit it with replace_text or the file tools, or convert it to .docx with convert_document.";
  throw new ToolError(
    `${path} is a ${FORMAT_NAMES[format]}, and this tool edits .docx. ${instead}`,
  );
}
