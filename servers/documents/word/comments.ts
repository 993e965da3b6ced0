import { ToolError } from "../../kit/tool-error.ts";
import { isolated } from "./pieces.ts";
import { commentsOf, paragraphIds, threadsOf } from "./read-comments.ts";
import { textElements } from "./run-text.ts";
import { wordDate } from "./tracking.ts";
import type { WordFile } from "./word-file.ts";
import {
  attr,
  childrenOf,
  declareNamespace,
  descendants,
  type Element,
  elements,
  insertAfter,
  make,
  nameOf,
  remove,
  setAttr,
  W,
  W14,
  W15,
} from "./xml.ts";

const EXTENDED = {
  name: "commentsExtended.xml",
  content: "application/vnd.openxmlformats-officedocument.wordprocessingml.commentsExtended+xml",
  xml: `<w15:commentsEx xmlns:w15="${W15}"/>`,
};
const EXTENDED_TYPE = "http://schemas.microsoft.com/office/2011/relationships/commentsExtended";

export interface NewComment {
  readonly text: string;
  readonly author: string;
  readonly now: Date;
}

/** Hangs a comment on a stretch of a paragraph; its id. */
export function addComment(
  file: WordFile,
  place: { readonly paragraph: Element; readonly start: number; readonly end: number },
  comment: NewComment,
): string {
  const id = writeComment(file, comment).id;
  const { paragraph, start, end } = place;
  const runs = start < end ? isolated(paragraph, start, end) : [];
  const [first, last] = [runs[0], runs.at(-1)];
  const marks = marksOf(file, id);
  if (first === undefined || last === undefined) {
    const properties = elements(paragraph).find((one) => nameOf(one) === "w:pPr");
    paragraph.insertBefore(marks.start, properties?.nextSibling ?? paragraph.firstChild);
    paragraph.appendChild(marks.end);
    paragraph.appendChild(marks.reference);
  } else {
    const [from, to] = [topOf(first, paragraph), topOf(last, paragraph)];
    paragraph.insertBefore(marks.start, from);
    insertAfter(marks.reference, to);
    insertAfter(marks.end, to);
  }
  file.touch(file.main);
  return id;
}

/** The child of the paragraph that a run lies in. */
function topOf(run: Element, paragraph: Element): Element {
  let node = run;
  while (node.parentNode !== null && node.parentNode !== paragraph)
    node = node.parentNode as Element;
  return node;
}

function marksOf(file: WordFile, id: string) {
  const own = { "w:id": id };
  const reference = make(file.document, "w:r", {}, [
    make(file.document, "w:commentReference", own),
  ]);
  return {
    start: make(file.document, "w:commentRangeStart", own),
    end: make(file.document, "w:commentRangeEnd", own),
    reference,
  };
}

function writeComment(file: WordFile, { text, author, now }: NewComment) {
  const part = file.requirePart("comments", {
    name: "comments.xml",
    content: "comments",
    xml: `<w:comments xmlns:w="${W}" xmlns:w14="${W14}"/>`,
  });
  const document = file.part(part);
  declareNamespace(document, "w14", true);
  const root = document.documentElement;
  if (root === null) throw new Error("comments without a root");
  const ids = childrenOf(root, "w:comment").map((one) => Number(attr(one, "w:id")) || 0);
  const id = String(ids.reduce((most, n) => Math.max(most, n), -1) + 1);
  const paragraph = make(document, "w:p", { "w14:paraId": freeParagraphId(file) }, [
    make(document, "w:r", {}, textElements(document, text)),
  ]);
  const initials = (author.match(/\p{L}+/gu) ?? [])
    .map((word) => word[0])
    .join("")
    .slice(0, 3);
  const facts = { "w:id": id, "w:author": author, "w:date": wordDate(now), "w:initials": initials };
  const comment = make(document, "w:comment", facts, [paragraph]);
  root.appendChild(comment);
  file.touch(part);
  return { id, comment };
}

/** Ids of paragraphs must differ in the whole file, and be below 80000000 (hexadecimal). */
function freeParagraphId(file: WordFile): string {
  const parts = [...file.textParts(), file.related("comments") ?? ""].filter(Boolean);
  const taken = new Set(
    parts.flatMap((part) =>
      descendants(file.part(part), "w:p").flatMap((p) => attr(p, "w14:paraId") ?? []),
    ),
  );
  let number = 0x10000000 + taken.size;
  while (taken.has(hex(number))) number++;
  return hex(number);
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, "0");
}

/** Answers a comment; the id of the answer. */
export function answerComment(file: WordFile, id: string, comment: NewComment): string {
  const parent = threadId(file, requireComment(file, id));
  const made = writeComment(file, comment);
  const own = threadId(file, made.comment);
  const entry = threadEntry(file, own);
  setAttr(entry, "w15:paraIdParent", parent);
  threadEntry(file, parent);
  for (const reference of descendants(file.body, "w:commentReference")) {
    if (attr(reference, "w:id") !== id) continue;
    const marks = marksOf(file, made.id);
    insertAfter(marks.reference, reference.parentNode ?? reference);
    for (const [name, mark] of [
      ["w:commentRangeStart", marks.start],
      ["w:commentRangeEnd", marks.end],
    ] as const) {
      const other = descendants(file.body, name).find((one) => attr(one, "w:id") === id);
      if (other !== undefined) insertAfter(mark, other);
    }
  }
  file.touch(file.main);
  return made.id;
}

export function resolveComment(file: WordFile, id: string): void {
  const entry = threadEntry(file, threadId(file, requireComment(file, id)));
  setAttr(entry, "w15:done", "1");
}

/** Takes a comment away, and the answers to it. How many went. */
export function removeComment(file: WordFile, id: string): number {
  requireComment(file, id);
  const all = commentsOf(file);
  const gone = new Set([id, ...all.filter(({ answers }) => answers === id).map((one) => one.id)]);
  for (const part of file.textParts()) {
    const marks = ["w:commentRangeStart", "w:commentRangeEnd", "w:commentReference"];
    for (const mark of descendants(file.part(part), ...marks)) {
      if (!gone.has(attr(mark, "w:id") ?? "")) continue;
      const run = mark.parentNode;
      remove(mark);
      const lonely =
        run !== null && nameOf(run) === "w:r" && elements(run).every((o) => nameOf(o) === "w:rPr");
      if (lonely) remove(run);
      file.touch(part);
    }
  }
  for (const one of gone) {
    const comment = requireComment(file, one);
    for (const own of paragraphIds(comment)) {
      const thread = threadsOf(file).get(own);
      if (thread !== undefined) remove(thread.element);
    }
    remove(comment);
  }
  for (const type of ["comments", "commentsExtended"]) {
    const part = file.related(type);
    if (part !== undefined) file.touch(part);
  }
  return gone.size;
}

function requireComment(file: WordFile, id: string): Element {
  const part = file.related("comments");
  const all = part === undefined ? [] : descendants(file.part(part), "w:comment");
  const found = all.find((one) => attr(one, "w:id") === id);
  if (found !== undefined) return found;
  const ids = all.map((one) => attr(one, "w:id")).join(", ");
  throw new ToolError(
    `There is no comment ${id}. ${ids === "" ? "The document has no comments." : `There are: ${ids}.`}`,
  );
}

/** The id of the last paragraph of a comment, which threads go by; it gets one if it has none. */
function threadId(file: WordFile, comment: Element): string {
  const document = comment.ownerDocument;
  const part = file.related("comments");
  const last = descendants(comment, "w:p").at(-1);
  if (document === null || last === undefined || part === undefined)
    throw new Error("no paragraph");
  const known = attr(last, "w14:paraId");
  if (known !== undefined) return known;
  declareNamespace(document, "w14", true);
  const id = freeParagraphId(file);
  setAttr(last, "w14:paraId", id);
  file.touch(part);
  return id;
}

function threadEntry(file: WordFile, id: string): Element {
  const part = file.related("commentsExtended") ?? file.addPart(EXTENDED_TYPE, EXTENDED).name;
  const document = file.part(part);
  file.touch(part);
  const known = threadsOf(file).get(id);
  if (known !== undefined) return known.element;
  const entry = make(document, "w15:commentEx", { "w15:paraId": id, "w15:done": "0" });
  document.documentElement?.appendChild(entry);
  return entry;
}
