import { isolated, setText, textPieces } from "./pieces.ts";
import { textElements } from "./run-text.ts";
import { addMarked, markRemoved, type Tracking } from "./tracking.ts";
import {
  around,
  attr,
  childOf,
  descendants,
  type Element,
  elements,
  make,
  nameOf,
  remove,
} from "./xml.ts";

export interface Search {
  readonly text: string;
  readonly matchCase: boolean;
  readonly wholeWords: boolean;
  /** Words are found that a line's end cuts in two. */
  readonly overLines?: boolean;
}

/** Where a text stands in another, from the first place on, without overlaps. */
export function placesOf(haystack: string, search: Search): Place[] {
  return [...eachPlace(haystack, search)];
}

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** The same, one by one, for texts that may have millions. */
export function* eachPlace(haystack: string, search: Search): Generator<Place> {
  const loose = patternOf(search);
  const letter = "[\\p{L}\\p{N}_]";
  const whole = search.wholeWords ? `(?<!${letter})${loose}(?!${letter})` : loose;
  const pattern = new RegExp(whole, search.matchCase ? "gu" : "giu");
  for (const match of haystack.matchAll(pattern)) {
    yield { start: match.index, end: match.index + match[0].length };
  }
}

/** What a caller types stands for what Word and PDFs put in its place. */
const LIKE: readonly (readonly [typed: RegExp, pattern: string])[] = [
  [/[ \u00a0\u2007\u202f]/, "[ \\u00a0\\u2007\\u202f]"],
  [/['\u2018\u2019]/, "['\\u2018\\u2019]"],
  [/["\u201c\u201d\u201e]/, '["\\u201c\\u201d\\u201e]'],
  [/[-\u2010\u2011]/, "[-\\u2010\\u2011]"],
];

/** Letters count however they are composed; in a search for reading, also over hyphens at line ends. */
function patternOf({ text, overLines = false }: Search): string {
  const parts = [...text.normalize("NFC")].map((letter) => {
    const like = LIKE.find(([typed]) => typed.test(letter));
    if (like !== undefined) return overLines && letter === " " ? "\\s+" : like[1];
    const forms = [...new Set([letter, letter.normalize("NFD")])].map(escaped);
    return forms.length === 1 ? forms.join("") : `(?:${forms.join("|")})`;
  });
  // A letter with an accent of its own is another letter.
  return `${parts.join(overLines ? "(?:\\u00ad\\s*|[-\\u2010]\\s+)?" : "")}(?!\\p{M})`;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** All paragraphs of a part, also those in tables, text boxes and notes. */
export function paragraphsOf(root: Element): Element[] {
  return descendants(root, "w:p");
}

/** A text box is there twice, for new and for old programs: only the first counts. */
export function isCopy(paragraph: Element): boolean {
  return around(paragraph, "mc:Fallback") !== undefined;
}

/**
 * Puts `text` where `start` to `end` of the paragraph's text is, in the look of its first letter.
 * What lies between and is no text (images, marks of notes) stays.
 */
export function replaceRange(
  paragraph: Element,
  { start, end }: { readonly start: number; readonly end: number },
  text: string,
  tracking?: Tracking,
): void {
  if (tracking === undefined && replacedInPlace(paragraph, start, end, text)) return;
  const runs = isolated(paragraph, start, end);
  const [first] = runs;
  const document = paragraph.ownerDocument;
  if (first === undefined || document === null) return;
  const look = childOf(first, "w:rPr");
  const run = make(document, "w:r", {}, [
    ...(look === undefined ? [] : [look.cloneNode(true)]),
    ...textElements(document, text),
  ]);
  if (tracking === undefined) {
    first.parentNode?.insertBefore(run, first);
    for (const one of runs) clearRun(one);
    if (text === "") remove(run);
    return;
  }
  markRemoved(runs, tracking);
  const last = runs.at(-1);
  if (text !== "" && last !== undefined) addMarked([run], last, tracking);
}

/** Inside of one `w:t` nothing is split. */
function replacedInPlace(paragraph: Element, start: number, end: number, text: string): boolean {
  if (/[\n\t]/.test(text)) return false;
  let at = 0;
  for (const piece of textPieces(paragraph)) {
    const [from, to] = [start - at, end - at];
    at += piece.text.length;
    if (from < 0 || to > piece.text.length) continue;
    if (nameOf(piece.node) !== "w:t") return false;
    setText(piece.node, piece.text.slice(0, from) + text + piece.text.slice(to));
    return true;
  }
  return false;
}

/** Takes the text out of a run, and the run too if nothing else is in it. */
function clearRun(run: Element): void {
  for (const node of elements(run)) {
    const isText = ["w:t", "w:tab", "w:cr", "w:sym", "w:noBreakHyphen"].includes(nameOf(node));
    const isBreak = nameOf(node) === "w:br" && attr(node, "w:type") === undefined;
    if (isText || isBreak) remove(node);
  }
  if (elements(run).some((node) => nameOf(node) !== "w:rPr")) return;
  const parent = run.parentNode;
  remove(run);
  if (parent !== null && parent.firstChild === null && EMPTY.has(nameOf(parent))) remove(parent);
}

const EMPTY = new Set(["w:hyperlink", "w:ins", "w:smartTag"]);

/** Marks everything in a paragraph as taken out, images too. */
export function markParagraphRemoved(paragraph: Element, tracking: Tracking): void {
  const runs = descendants(paragraph, "w:r").filter((run) => {
    return around(run, "w:del", "w:moveFrom") === undefined;
  });
  markRemoved(runs, tracking);
}
