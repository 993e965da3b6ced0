/** What a document says of itself, by name: `{ author: "Ana Ruiz", year: 2024, tags: ["tax"] }`. */
export type Fields = Readonly<Record<string, FieldValue>>;
export type FieldValue = string | number | boolean | readonly string[];

/** A text as a field's value: a number where it is written as one, a boolean, or the text. */
export function fieldValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  // "007" and "1e5" are names rather than numbers.
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/.test(text)) return Number(text);
  return text;
}

/** All texts of a value. */
export function textsOf(value: FieldValue): readonly string[] {
  return typeof value === "object" ? value : [String(value)];
}

/** As words are compared: lower case, without accents and signs, one blank between words. */
export function folded(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}+/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** A condition on one field: `year:2024`, `author:"Ana Ruiz"`, `date:>=2024-03`, `tags:tax*`. */
export interface Filter {
  readonly field: string;
  readonly value: string;
}

/** Whether a stored value answers the filter. */
export function answers(stored: string | number, written: string): boolean {
  const compared = /^(>=|<=|>|<)(.+)$/.exec(written);
  if (compared !== null) {
    const [, sign = "", bound = ""] = compared;
    const order = compare(stored, bound.trim());
    return sign.startsWith(">")
      ? order > 0 || (sign === ">=" && order === 0)
      : order < 0 || (sign === "<=" && order === 0);
  }
  const range = /^(.*?)\.\.(.*)$/.exec(written);
  if (range !== null) {
    const [, from = "", to = ""] = range;
    return (from === "" || compare(stored, from) >= 0) && (to === "" || compare(stored, to) <= 0);
  }
  const words = ` ${folded(String(stored))} `;
  const wanted = folded(written);
  if (wanted === "") return words.trim() === "";
  return words.includes(written.endsWith("*") ? ` ${wanted}` : ` ${wanted} `);
}

/** Numbers as numbers; else as text, where "2024-03-15" is neither before nor after "2024-03". */
function compare(stored: string | number, bound: string): number {
  const [left, right] = [Number(stored), Number(bound)];
  if (!Number.isNaN(left) && !Number.isNaN(right) && bound !== "") return left - right;
  const text = String(stored).toLowerCase();
  const other = bound.toLowerCase();
  const head = /^\d{4}-/.test(other) || /^\d{4}$/.test(other) ? text.slice(0, other.length) : text;
  return head < other ? -1 : Number(head > other);
}

/** An order that no locale changes. */
export function byCode(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
