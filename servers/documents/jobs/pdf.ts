import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import { formatOf } from "../open-any.ts";
import type { FormField } from "../pdf/forms.ts";
import { pageOf } from "../show.ts";
import { counted, type FileInput, lineOfCursor } from "./input.ts";

interface PdfPageInput extends FileInput {
  readonly page: number;
  readonly cursor?: string | undefined;
}

function requirePdf(input: FileInput): Buffer {
  const bytes = Buffer.from(input.bytes);
  if (formatOf(bytes, input.path) === "pdf") return bytes;
  throw new ToolError(
    `${input.path} is no PDF. read_document reads it; convert_document can make a PDF of it.`,
  );
}

export async function readPdfPage(input: PdfPageInput): Promise<JobResult> {
  const bytes = requirePdf(input);
  const { ofPage, openPdf, pageOfPdf } = await import("../pdf/open.ts");
  const { sheetOf } = await import("../pdf/texts.ts");
  const { linesOfTexts } = await import("../pdf/lines.ts");
  const file = await openPdf(bytes);
  const sheet = await ofPage(input.page, sheetOf(await pageOfPdf(file, input.page)));
  const pages = file.numPages;
  await file.loadingTask.destroy();
  const all = linesOfTexts(sheet.texts).flatMap(({ segments }) => {
    return segments.map(({ text, x, y, width, size }) => ({
      ...{ text, x: round(x), y: round(y), width: round(width), size: round(size) },
    }));
  });
  const lines = all.map(({ text, x, y }, block) => ({ block, text: `x ${x}  y ${y} | ${text}` }));
  const start = lineOfCursor(input.cursor);
  const page = pageOf(lines, start, LIMITS.answerChars / 2);
  const next = page.next === undefined ? undefined : `L${page.next}`;
  const head =
    `Page ${input.page} of ${pages}, ${round(sheet.width)} x ${round(sheet.height)} points; ` +
    "x and y are from its top left corner to where a text begins on its line.";
  const none = sheet.images > 0 ? "No text; images only. render_page shows it." : "No text.";
  const more = next === undefined ? [] : [`--- call again with cursor "${next}" for more ---`];
  const body = all.length === 0 ? [none] : page.lines.map(({ text }) => text);
  return {
    text: [head, ...body, ...more].join("\n"),
    data: {
      ...{ path: input.path, page: input.page, pages, width: round(sheet.width) },
      height: round(sheet.height),
      texts: all.slice(start, page.next ?? all.length),
      ...(next !== undefined && { next_cursor: next }),
    },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export async function readPdfForm(input: FileInput): Promise<JobResult> {
  const bytes = requirePdf(input);
  const { readForm } = await import("../pdf/forms.ts");
  const fields = (await readForm(bytes)).slice(0, 400);
  const head =
    fields.length === 0
      ? `${input.path} has no form fields.`
      : `${input.path} has ${counted(fields.length, "form field")}:`;
  return {
    text: [head, ...fields.map(fieldLine)].join("\n"),
    data: { path: input.path, fields },
  };
}

function fieldLine(field: FormField): string {
  const marks = [field.readOnly && "read-only", field.required && "required"].filter(Boolean);
  const options = field.options === undefined ? "" : ` {${field.options.slice(0, 40).join(" | ")}}`;
  const more = marks.length > 0 ? ` (${marks.join(", ")})` : "";
  return `${field.name}, ${field.kind}${options}${more}: ${JSON.stringify(field.value)}`;
}

interface FillInput extends FileInput {
  readonly values: Readonly<Record<string, string>>;
  readonly flatten: boolean;
  readonly to: string;
}

export async function fillPdfForm(input: FillInput): Promise<JobResult> {
  const pdf = requirePdf(input);
  const { fillForm } = await import("../pdf/forms.ts");
  const { flatten, now, values, to } = input;
  const { bytes, fields } = await fillForm(pdf, values, { flatten, now: new Date(now) });
  const done = counted(Object.keys(values).length, "field");
  const shown = fields.filter(({ name }) => Object.hasOwn(values, name));
  return {
    file: bytes,
    text: [
      `Filled ${done} into ${to}${flatten ? ", and made them plain text" : ""}.`,
      ...shown.map(fieldLine),
    ].join("\n"),
    data: { path: to, fields: shown },
  };
}
