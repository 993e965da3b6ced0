import { sha256 } from "./hash.ts";

/** Deeper JSON is refused: it parses, but crashes whatever walks it by recursion. */
export const MAX_JSON_DEPTH = 100;
/** Each value costs memory, however short its text: more of them are refused. */
const MAX_JSON_VALUES = 500_000;
const SHOWN_LETTERS = 1_000;
/** Levels that the arguments of a call are deeper than the message with it. */
const AROUND_ARGUMENTS = 3;
const LEFT_OUT = "cloche/left_out";

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [MINUS, ZERO, NINE] = [0x2d, 0x30, 0x39];

/** A member of an object or an item of a list, and where its value stands in the text. */
export interface JsonPart {
  readonly key: string | number;
  readonly start: number;
  readonly end: number;
}

/**
 * Why this text is not even parsed: too deep, too many values, a number that no computer holds. It
 * need not be JSON; if it is, none of it is overlooked.
 */
export function costOf(text: string, maxDepth = MAX_JSON_DEPTH): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === QUOTE) {
      at = endOfText(text, at);
    } else if (letter === OPEN_LIST || letter === OPEN_OBJECT) {
      depth += 1;
      values += 1;
      if (depth > maxDepth) return `it is nested deeper than ${MAX_JSON_DEPTH}`;
    } else if (letter === CLOSE_LIST || letter === CLOSE_OBJECT) {
      depth -= 1;
    } else if (letter === COMMA) {
      values += 1;
    } else if (letter === MINUS || (letter >= ZERO && letter <= NINE)) {
      const end = endOfScalar(text, at);
      if (!Number.isFinite(Number(text.slice(at, end)))) return tooLarge(text.slice(at, end));
      at = end - 1;
    }
    if (values > MAX_JSON_VALUES) return `it holds more than ${MAX_JSON_VALUES} values`;
  }
  return undefined;
}

/** What the object or list that begins at `open` consists of; of broken JSON, what can be told. */
export function partsOf(text: string, open: number): readonly JsonPart[] {
  const parts: JsonPart[] = [];
  const isList = text.charCodeAt(open) === OPEN_LIST;
  let at = afterBlanks(text, open + 1);
  for (let index = 0; at < text.length && !isClosing(text.charCodeAt(at)); index++) {
    let key: string | number = index;
    if (!isList) {
      const end = endOfValue(text, at);
      key = keyOf(text.slice(at, end));
      at = afterBlanks(text, afterBlanks(text, end) + 1);
    }
    const end = endOfValue(text, at);
    parts.push({ key, start: at, end });
    at = afterBlanks(text, end);
    if (text.charCodeAt(at) !== COMMA) break;
    at = afterBlanks(text, at + 1);
  }
  return parts;
}

/** Whether an object or a list begins here. */
export function opensAt(text: string, at: number): boolean {
  const letter = text.charCodeAt(at);
  return letter === OPEN_LIST || letter === OPEN_OBJECT;
}

/** Where the JSON text begins. */
export function beginOf(text: string): number {
  return afterBlanks(text, 0);
}

/**
 * The same text without the arguments of calls that are at fault, or without any if that is not
 * enough; in their place stands what they were. They are members named "arguments", at most `depth`
 * levels down.
 */
export function withoutArguments(text: string, depth: number): string {
  const all = argumentsIn(text, beginOf(text), depth);
  const bad = all.filter(({ start, end }) => {
    return costOf(text.slice(start, end), MAX_JSON_DEPTH - AROUND_ARGUMENTS) !== undefined;
  });
  const kept = without(text, bad);
  return costOf(kept) === undefined ? kept : without(text, all);
}

/** Whether these arguments were left out. */
export function areLeftOut(args: unknown): boolean {
  return typeof args === "object" && args !== null && Object.hasOwn(args, LEFT_OUT);
}

function without(text: string, parts: readonly JsonPart[]): string {
  let [kept, from] = ["", 0];
  for (const { start, end } of parts) {
    kept += `${text.slice(from, start)}${leftOut(text.slice(start, end))}`;
    from = end;
  }
  return kept + text.slice(from);
}

/** Stands for JSON that is not kept: how long it was, its hash and its beginning. */
function leftOut(text: string): string {
  const bytes = Buffer.byteLength(text);
  const head = text.slice(0, SHOWN_LETTERS).toWellFormed();
  return JSON.stringify({ [LEFT_OUT]: { bytes, sha256: sha256(text), head } });
}

const HALF = /\\u[dD][89a-fA-F]/;
const ESCAPES =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./gs;

/**
 * The same JSON with halves of surrogate pairs replaced by U+FFFD. They are no text: many programs
 * stop at them.
 */
export function wellFormed(text: string): string {
  const whole = text.toWellFormed();
  if (!HALF.test(whole)) return whole;
  return whole.replace(ESCAPES, (found) => (found.length === 6 ? "\\ufffd" : found));
}

/** Line ends stand between the values of JSON only; there, a blank means the same. */
export function oneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replaceAll(/[\r\n]+/g, " ") : json;
}

function argumentsIn(text: string, open: number, depth: number): readonly JsonPart[] {
  if (depth < 0 || !opensAt(text, open)) return [];
  return partsOf(text, open).flatMap((part) => {
    return part.key === "arguments" ? [part] : argumentsIn(text, part.start, depth - 1);
  });
}

function tooLarge(number: string): string {
  const shown = number.length <= 40 ? number : `${number.slice(0, 40)}…`;
  return `the number ${shown} is too large`;
}

/** Where the text that begins at this quote ends: at its own quote, or nowhere. */
function endOfText(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

function endOfScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the value that begins here. */
function endOfValue(text: string, start: number): number {
  if (text.charCodeAt(start) === QUOTE) return Math.min(text.length, endOfText(text, start) + 1);
  if (!opensAt(text, start)) return endOfScalar(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === QUOTE) at = endOfText(text, at);
    else if (letter === OPEN_LIST || letter === OPEN_OBJECT) depth += 1;
    else if (isClosing(letter)) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function keyOf(text: string): string {
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    return "";
  }
}

function afterBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(letter: number): boolean {
  return letter === 0x20 || letter === 0x09 || letter === 0x0a || letter === 0x0d;
}

function isClosing(letter: number): boolean {
  return letter === CLOSE_LIST || letter === CLOSE_OBJECT;
}

function isDelimiter(letter: number): boolean {
  return letter === COMMA || letter === QUOTE || isClosing(letter) || isBlank(letter);
}
