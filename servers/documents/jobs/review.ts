import { ToolError } from "../../kit/tool-error.ts";
import type { JobResult } from "../engine.ts";
import { idsOf } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { openWord } from "../open-any.ts";
import { pageOf } from "../show.ts";
import { changesOf, settle } from "../word/changes.ts";
import { addComment, answerComment, removeComment, resolveComment } from "../word/comments.ts";
import { textOf } from "../word/pieces.ts";
import { commentsOf } from "../word/read-comments.ts";
import { readBody, requireBlock, type WordBlock } from "../word/read-word.ts";
import { paragraphsOf, placesOf } from "../word/replace.ts";
import type { WordFile } from "../word/word-file.ts";
import { type Element, is } from "../word/xml.ts";
import { counted, type FileInput, lineOfCursor } from "./input.ts";

interface ListInput extends FileInput {
  readonly cursor?: string | undefined;
}

export async function listComments(input: ListInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path, { edit: false });
  const places = placesOfBlocks(file);
  const all = commentsOf(file).map(({ paragraph, ...comment }) => ({
    ...comment,
    text: comment.text.slice(0, 4_000),
    block: paragraph === undefined ? "" : (places(paragraph) ?? ""),
  }));
  const lines = all.map(({ id, author, date, text, about, answers, resolved, block }) => {
    const marks = [answers && `answers comment ${answers}`, resolved && "resolved"].filter(Boolean);
    const more = marks.length > 0 ? ` (${marks.join(", ")})` : "";
    const where = block === "" ? "" : ` on [${block}] "${short(about)}"`;
    return `comment ${id}, ${author}${date && ` ${date.slice(0, 16)}`}${more}${where}: ${text}`;
  });
  return listed(input, "comment", lines, (from, to) => ({
    comments: all
      .slice(from, to)
      .map(({ answers, ...one }) => ({ ...one, ...(answers && { answers }) })),
  }));
}

export async function listChanges(input: ListInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path, { edit: false });
  const places = placesOfBlocks(file);
  const all = changesOf(file).map(({ element, part, ...change }, n) => ({
    ...{ number: n + 1, ...change, text: change.text.slice(0, 2_000) },
    place: places(element) ?? part.replace(/^.*\//, "").replace(".xml", ""),
  }));
  const lines = all.map(({ number, kind, text, author, date, place }) => {
    return `${number}. ${kind} by ${author}${date && ` ${date.slice(0, 16)}`} in [${place}]: "${short(text, 300)}"`;
  });
  return listed(input, "tracked change", lines, (from, to) => ({ changes: all.slice(from, to) }));
}

function listed(
  input: ListInput,
  noun: string,
  all: readonly string[],
  data: (from: number, to: number) => Record<string, unknown>,
): JobResult {
  const start = lineOfCursor(input.cursor);
  const lines = all.map((text, block) => ({ block, text }));
  const page = pageOf(lines, start, LIMITS.answerChars);
  const end = page.next ?? all.length;
  const next = page.next === undefined ? undefined : `L${page.next}`;
  const more = next === undefined ? [] : [`--- call again with cursor "${next}" for more ---`];
  const head = `${input.path} has ${all.length === 0 ? "no" : all.length} ${noun}${all.length === 1 ? "" : "s"}.`;
  return {
    text: [head, ...page.lines.map(({ text }) => text), ...more].join("\n"),
    data: {
      ...{ path: input.path, total: all.length, ...data(start, end) },
      ...(next !== undefined && { next_cursor: next }),
    },
  };
}

/** Gives the id of the block that an element lies in. */
function placesOfBlocks(file: WordFile): (element: Element) => string | undefined {
  const blocks = readBody(file);
  const ids = idsOf(blocks.map(({ block }) => block));
  const known = new Map<unknown, string>(blocks.map(({ element }, n) => [element, ids[n] ?? ""]));
  return (element) => {
    for (let up: unknown = element; up !== null && up !== undefined; ) {
      const found = known.get(up);
      if (found !== undefined) return found;
      up = (up as Element).parentNode;
    }
    return undefined;
  };
}

interface AddInput extends FileInput {
  readonly text: string;
  readonly block?: string | undefined;
  readonly quote?: string | undefined;
  readonly answers?: string | undefined;
}

export async function addDocumentComment(input: AddInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const comment = { text: input.text, author: input.author, now: new Date(input.now) };
  if (input.answers !== undefined) {
    const id = answerComment(file, input.answers, comment);
    return commented(input, file, id, `answers comment ${input.answers}`);
  }
  if (input.block === undefined) {
    throw new ToolError('Give "block", the id of the block to comment on, or "answers".');
  }
  const target = targetOf(requireBlock(file, readBody(file), input.block), input.quote);
  const id = addComment(file, target, comment);
  return commented(input, file, id, `is on ${input.quote ? `"${input.quote}"` : input.block}`);
}

function commented(input: AddInput, file: WordFile, id: string, how: string): JobResult {
  return {
    file: file.bytes(),
    text: `Comment ${id} by ${input.author} ${how} in ${input.path}.`,
    data: { path: input.path, id },
  };
}

function targetOf({ element }: WordBlock, quote: string | undefined) {
  const paragraphs = is(element, "w:p") ? [element] : paragraphsOf(element);
  for (const paragraph of paragraphs) {
    if (quote === undefined) return { paragraph, start: 0, end: textOf(paragraph).length };
    const search = { text: quote, matchCase: true, wholeWords: false };
    const [place] = placesOf(textOf(paragraph), search);
    if (place !== undefined) return { paragraph, ...place };
  }
  throw new ToolError(
    `"${quote}" is not in that block, so nothing was changed. Quote its text exactly, or leave ` +
      '"quote" out to comment on the whole block.',
  );
}

interface CloseInput extends FileInput {
  readonly comment: string;
  readonly action: "resolve" | "delete";
}

export async function closeComment(input: CloseInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const { action, comment, path } = input;
  const gone = action === "delete" ? removeComment(file, comment) : 0;
  if (action === "resolve") resolveComment(file, comment);
  const answers = gone > 1 ? ` and ${counted(gone - 1, "answer")}` : "";
  return {
    file: file.bytes(),
    text: `${action === "delete" ? "Deleted" : "Resolved"} comment ${comment}${answers} in ${path}.`,
    data: { path, left: commentsOf(file).length },
  };
}

interface SettleInput extends FileInput {
  readonly decision: "accept" | "reject";
  readonly changes?: readonly number[] | undefined;
  readonly author_is?: string | undefined;
}

export async function settleChanges(input: SettleInput): Promise<JobResult> {
  const file = openWord(Buffer.from(input.bytes), input.path);
  const all = changesOf(file);
  if (all.length === 0) throw new ToolError(`${input.path} has no tracked changes.`);
  const wrong = input.changes?.find((number) => number > all.length);
  if (wrong !== undefined) {
    throw new ToolError(
      `There is no change ${wrong}: ${input.path} has ${counted(all.length, "tracked change")}. ` +
        "list_tracked_changes shows their numbers. Nothing was changed.",
    );
  }
  const numbers = input.changes === undefined ? undefined : new Set(input.changes);
  const by = input.author_is?.toLowerCase();
  const done = settle(file, input.decision, ({ author }, n) => {
    return (numbers?.has(n + 1) ?? true) && (by === undefined || author.toLowerCase() === by);
  });
  if (done === 0) {
    const authors = [...new Set(all.map(({ author }) => author))].join(", ");
    throw new ToolError(
      `No tracked change is by ${input.author_is}. There are some by: ${authors}.`,
    );
  }
  const left = changesOf(file).length;
  const did = input.decision === "accept" ? "Accepted" : "Rejected";
  return {
    file: file.bytes(),
    text: `${did} ${counted(done, "tracked change")} in ${input.path}; ${left} left.`,
    data: { path: input.path, settled: done, left },
  };
}

function short(text: string, most = 100): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
