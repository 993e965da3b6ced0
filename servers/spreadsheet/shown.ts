import type { CellValue } from "./book.ts";

const AMBIGUOUS =
  /^(?:[-+]?[\d.,]+(?:e[-+]?\d+)?%?|true|false|#.*|=.*|".*|\d{4}-\d\d-\d\d.*|\s.*|.*\s)$/is;

/** A value in a line of text: a text that could be taken for something else stands in quotes. */
export function shown({ type, value }: CellValue, longest = 400): string {
  if (value === null) return "";
  if (type === "boolean") return value === true ? "TRUE" : "FALSE";
  if (type !== "text") return String(value);
  const text = String(value);
  const cut =
    text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return text === "" || AMBIGUOUS.test(cut) || /[|\n\r\t]/.test(cut) ? JSON.stringify(cut) : cut;
}
