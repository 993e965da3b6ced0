import { ToolError } from "../tool-error.ts";

/**
 * A caller's text for one line of a file or header. Line breaks and other control characters are
 * refused: they could start a header or a property of their own.
 */
export function oneLine(what: string, text: string): string {
  const plain = text.trim();
  if (/[\p{Cc}\u2028\u2029]/u.test(plain)) {
    throw new ToolError(
      `${what} must be one line of text without line breaks or control characters.`,
    );
  }
  return plain.toWellFormed();
}

/** A caller's text of many lines: ends of lines become "\n", other control characters go. */
export function manyLines(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "");
}

/** At most `most` characters, and an ellipsis where something was cut. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}

/** Text from files for a line of an answer: its blanks and line breaks are single spaces. */
export function inLine(text: string, most = 300): string {
  return cut(
    text
      .slice(0, most * 4)
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim(),
    most,
  );
}

/** "1 message", "3 messages". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
