import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { idsOf, opening } from "../ids.ts";
import { formatOf, openWord } from "../open-any.ts";
import { type BlockEdit, editBlocks } from "../word/edit-blocks.ts";
import { editTable, type TableEdit } from "../word/edit-table.ts";
import { type AroundPage, setAroundPage } from "../word/header-footer.ts";
import { textOf } from "../word/pieces.ts";
import { readBody, requireBlock } from "../word/read-word.ts";
import { isCopy, paragraphsOf, placesOf, replaceRange } from "../word/replace.ts";
import { type Tracking, trackingFor } from "../word/tracking.ts";
import type { WordFile } from "../word/word-file.ts";
import { is } from "../word/xml.ts";
import { counted, type FileInput } from "./input.ts";

export interface Tracked extends FileInput {
  /** Whether the edit is a tracked change; as the document says if it is not said. */
  readonly tracked?: boolean | undefined;
}

function trackingOf(file: WordFile, input: Tracked): Tracking | undefined {
  const wanted = input.tracked ?? file.setting("w:trackRevisions");
  return wanted ? trackingFor(file, input.author, new Date(input.now)) : undefined;
}

function saying(tracking: Tracking | undefined): string {
  return tracking === undefined ? "" : " as tracked changes";
}

interface ReplaceInput extends Tracked {
  readonly edits: readonly {
    readonly find: string;
    readonly replace: string;
    readonly count?: number | undefined;
  }[];
  readonly match_case: boolean;
  readonly whole_words: boolean;
}

export async function replaceText(input: ReplaceInput): Promise<JobResult> {
  const bytes = Buffer.from(input.bytes);
  const format = formatOf(bytes, input.path);
  if (format === "pdf" || format === "mail") {
    throw new ToolError(
      `${input.path} is ${format === "pdf" ? "a PDF" : "an e-mail"}; its text cannot be replaced. ` +
        "Convert it with convert_document and edit the copy.",
    );
  }
  if (format !== "docx") return replaceInText(input, bytes);
  const file = openWord(bytes, input.path);
  const tracking = trackingOf(file, input);
  const counts = input.edits.map((edit) => replaceInWord(file, edit, input, tracking));
  return replaced(input, counts, file.bytes(), saying(tracking));
}

function replaceInWord(
  file: WordFile,
  { find, replace, count = Number.POSITIVE_INFINITY }: ReplaceInput["edits"][number],
  { match_case: matchCase, whole_words: wholeWords }: ReplaceInput,
  tracking: Tracking | undefined,
): number {
  let left = count;
  let done = 0;
  for (const part of file.textParts()) {
    for (const paragraph of paragraphsOf(file.part(part) as never)) {
      const copy = isCopy(paragraph);
      const all = placesOf(textOf(paragraph), { text: find, matchCase, wholeWords });
      const places = copy ? all : all.slice(0, Math.max(0, left));
      for (const place of places.reverse()) replaceRange(paragraph, place, replace, tracking);
      if (places.length > 0) file.touch(part);
      if (copy) continue;
      left -= places.length;
      done += places.length;
    }
  }
  return done;
}

function replaceInText(input: ReplaceInput, bytes: Buffer): JobResult {
  if (input.tracked === true) {
    throw new ToolError(`${input.path} is no Word document; only those have tracked changes.`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ToolError(
      `${input.path} is not UTF-8 text. Convert it with iconv in the terminal first.`,
      { cause },
    );
  }
  const counts = input.edits.map(({ find, replace, count }) => {
    const search = { text: find, matchCase: input.match_case, wholeWords: input.whole_words };
    const places = placesOf(text, search).slice(0, count ?? Number.POSITIVE_INFINITY);
    const pieces: string[] = [];
    let at = 0;
    for (const { start, end } of places) {
      pieces.push(text.slice(at, start), replace);
      at = end;
    }
    text = pieces.join("") + text.slice(at);
    return places.length;
  });
  return replaced(input, counts, Buffer.from(text), "");
}

function replaced(
  { edits, path }: ReplaceInput,
  counts: readonly number[],
  file: Buffer,
  how: string,
): JobResult {
  const missing = edits.filter((_, n) => counts[n] === 0).map(({ find }) => `"${find}"`);
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (missing.length > 0) {
    throw new ToolError(
      `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not in ${path}, so nothing was ` +
        "changed. A text must lie within one paragraph; find_in_document shows how it is written.",
    );
  }
  const lines = edits.map(({ find, replace }, n) => `"${find}" -> "${replace}": ${counts[n]}`);
  return {
    file,
    text: [`Replaced ${counted(total, "place")} in ${path}${how}.`, ...lines].join("\n"),
    data: { path, replaced: total, counts },
  };
}

interface BlocksInput extends Tracked {
  readonly edits: readonly BlockEdit[];
}

export async function editDocumentBlocks(input: BlocksInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const tracking = trackingOf(file, input);
  const done = editBlocks(file, input.edits, tracking);
  return edited(input.path, file, done, saying(tracking));
}

function edited(path: string, file: WordFile, done: readonly string[], how: string): JobResult {
  const blocks = readBody(file).map(({ block }) => block);
  const what = done.map((one) => `- ${one}`);
  return {
    file: file.bytes(),
    text: [
      `Edited ${path}${how}; it has ${counted(blocks.length, "block")} now.`,
      ...what,
      "Ids of blocks that did not change are still good.",
    ].join("\n"),
    data: { path, total_blocks: blocks.length, done },
  };
}

interface TableInput extends Tracked {
  readonly table: string;
  readonly edits: readonly TableEdit[];
}

export async function editDocumentTable(input: TableInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const { block, element } = requireBlock(file, readBody(file), input.table);
  if (!is(element, "w:tbl")) {
    throw new ToolError(
      `Block ${input.table} is no table: "${opening(block)}". Give the id of a table.`,
    );
  }
  const tracking = trackingOf(file, input);
  const done = editTable(file, element, input.edits, tracking);
  const after = readBody(file);
  const now = after.findIndex((one) => one.element === element);
  const id = idsOf(after.map(({ block }) => block))[now] ?? "";
  return {
    file: file.bytes(),
    text: [
      `Edited the table in ${input.path}${saying(tracking)}; its id is ${id} now.`,
      ...done.map((one) => `- ${one}`),
    ].join("\n"),
    data: { path: input.path, table: id, done },
  };
}

interface AroundInput extends FileInput, AroundPage {}

export async function setHeaderFooter(input: AroundInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const sections = setAroundPage(file, input);
  const pages = { default: "all pages", first: "the first page", even: "even pages" }[input.pages];
  const done = input.text === "" ? "Removed" : "Set";
  const own = { first: "The first page", even: "Even pages", default: "" }[input.pages];
  const hint =
    own === ""
      ? ""
      : ` ${own} now ${input.pages === "first" ? "has" : "have"} a header and a footer apart from the others.`;
  return {
    file: file.bytes(),
    text: `${done} the ${input.where} of ${pages} in ${input.path} (${counted(sections, "section")}).${hint}`,
    data: { path: input.path, sections },
  };
}
