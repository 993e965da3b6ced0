import { beginOf, opensAt, partsOf } from "./json-text.ts";

/** A number that would not be written as it was said: `1.0`, `9007199254740993`, `-0`. */
interface RawNumber {
  readonly rawJSON: string;
}

/** ECMAScript has these; TypeScript does not know them yet. */
const json = JSON as unknown as {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** From objects and lists to the text that they were read from. */
const texts = new WeakMap<object, string>();

/** Levels of a message on which it may be taken apart; what is deeper is kept as part of these. */
const TAKEN_APART = 4;

/**
 * Parses JSON so that `exactJson` writes it again as it was said: digits of numbers, order, escapes,
 * members named twice. Whoever takes a message apart down to the fourth level, and puts it together
 * anew, keeps this of its parts. An object from here must not be changed.
 */
export function parseExact(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isContainer(value)) remember(value, text, beginOf(text), TAKEN_APART);
  return value;
}

/** JSON of a value, with all that came from `parseExact` as it was said. */
export function exactJson(value: unknown): string {
  if (!isContainer(value) || json.isRawJSON(value)) return JSON.stringify(value) ?? "null";
  const said = texts.get(value);
  if (said !== undefined) return said;
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${exactJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/**
 * Makes the numbers that are members of this object, from `parseExact`, such that they are written as
 * they were said, in whatever object they end up; but for those of these names.
 */
export function keepDigits(value: object, but: readonly string[]): void {
  const text = texts.get(value);
  if (text === undefined) return;
  const members = value as Record<string, unknown>;
  // Of members named twice the last one counts, as in the value.
  const last = new Map(partsOf(text, 0).map((part) => [part.key, part]));
  for (const [key, { start, end }] of last) {
    const number = Object.hasOwn(value, key) ? members[key] : undefined;
    if (typeof number !== "number" || but.includes(String(key))) continue;
    members[key] = asSaid(number, text.slice(start, end));
  }
}

/** JSON whose numbers are written as they were said, wherever in it they are. Slower. */
export function parseRawNumbers(text: string): unknown {
  return json.parse(text, (_key, value, { source }) => {
    return typeof value === "number" && source !== undefined ? asSaid(value, source) : value;
  });
}

/** Whether this is a number that is kept as it was said, and not an object. */
export function isRawNumber(value: unknown): boolean {
  return json.isRawJSON(value);
}

function asSaid(number: number, source: string): unknown {
  return String(number) === source ? number : json.rawJSON(source);
}

function remember(value: object, text: string, start: number, levels: number): void {
  const parts = levels === 0 ? [] : partsOf(text, start);
  for (const { key, start: from, end } of parts) {
    const part: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    if (!isContainer(part) || !opensAt(text, from)) continue;
    // Of members named twice the last one counts, in the text as in the value.
    if (Array.isArray(part) !== (text[from] === "[")) continue;
    texts.set(part, text.slice(from, end));
    remember(part, text, from, levels - 1);
  }
  if (levels === TAKEN_APART) texts.set(value, text.trim());
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
