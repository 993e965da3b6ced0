import { ToolError } from "../kit/tool-error.ts";
import type { Filter } from "./fields.ts";
import { fieldName } from "./front-matter.ts";

/** A word, phrase or prefix, as an expression of FTS5, and which index it is asked of. */
export interface Term {
  /** Words match in all their forms ("stems"); phrases and prefixes as written ("exact"). */
  readonly index: "stems" | "exact";
  readonly expression: string;
  /** What to mark in a snippet: the same in whatever column. */
  readonly mark: string;
}

/** What must hold: one of the terms, or one of the filters. */
export type Clause =
  | { readonly kind: "terms"; readonly negated: boolean; readonly anyOf: readonly Term[] }
  | { readonly kind: "filters"; readonly negated: boolean; readonly anyOf: readonly Filter[] };

export interface Query {
  readonly clauses: readonly Clause[];
  /** How the query was understood where that might surprise. */
  readonly notes: readonly string[];
}

const MOST_TERMS = 40;
const COLUMNS = new Set(["title", "body"]);
const PARTS = /(-|\bNOT\s+)?(?:([\p{L}\p{N}_.-]+):)?(?:"([^"]*)"?|([^\s"]+))/gu;

interface Part {
  readonly negated: boolean;
  readonly or: boolean;
  readonly of: Term | Filter;
}

/**
 * A query as a person types it: words that must all occur, "a phrase", -without, begin*,
 * field:value, this OR that. Any text is one; what has no word in it asks for everything.
 * Throws `ToolError` for more terms than anybody types.
 */
export function parseQuery(written: string, fields: ReadonlySet<string>): Query {
  const notes: string[] = [];
  const parts = partsOf(written, fields, notes);
  if (parts.length > MOST_TERMS) {
    throw new ToolError(
      `The query has ${parts.length} terms; at most ${MOST_TERMS} are taken. Leave out common words.`,
    );
  }
  const clauses: Clause[] = [];
  for (const { of: term, or, negated } of parts) {
    const kind = "field" in term ? "filters" : "terms";
    const last = clauses.at(-1);
    if (or && last !== undefined && last.kind === kind && last.negated === negated) {
      const anyOf = [...last.anyOf, term] as never;
      clauses[clauses.length - 1] = { kind, negated, anyOf };
    } else {
      if (or && last !== undefined) {
        notes.push(
          "OR joins words with words and filters with filters; elsewhere it was left out.",
        );
      }
      clauses.push({ kind, negated, anyOf: [term] as never });
    }
  }
  return { clauses, notes };
}

function partsOf(written: string, fields: ReadonlySet<string>, notes: string[]): Part[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them is part of a word.
  const text = written.replaceAll(/[\u0000-\u001f]/g, " ").replaceAll(/[“”„«»]/g, '"');
  const parts: Part[] = [];
  let or = false;
  for (const [whole, minus, prefix, phrase, word = ""] of text.matchAll(PARTS)) {
    if (whole === "OR" || whole === "|" || whole === "||") {
      or = parts.length > 0;
      continue;
    }
    if (whole === "AND" || whole === "+" || whole === "&&") continue;
    const negated = minus !== undefined;
    for (const of of partOf({ prefix, phrase, word }, fields, notes)) {
      parts.push({ negated, or, of });
      or = false;
    }
  }
  return parts;
}

interface Found {
  readonly prefix: string | undefined;
  readonly phrase: string | undefined;
  readonly word: string;
}

function partOf({ prefix, phrase, word }: Found, fields: ReadonlySet<string>, notes: string[]) {
  const value = phrase ?? word;
  if (prefix === undefined) return termsOf({ phrase, word });
  const name = fieldName(prefix);
  if (COLUMNS.has(name)) return termsOf({ phrase, word }, name);
  if (fields.has(name)) return [{ field: name, value }];
  if (value !== "" && !value.startsWith("//")) {
    const known = [...fields].sort().join(", ") || "none";
    notes.push(`There is no field "${prefix}", so it was searched as words. Fields: ${known}.`);
  }
  return [...termsOf({ phrase: undefined, word: prefix }), ...termsOf({ phrase, word })];
}

function termsOf(
  { phrase, word }: Pick<Found, "phrase" | "word">,
  column?: string,
): readonly Term[] {
  const text = spaced(phrase ?? word);
  if (!/[\p{L}\p{N}]/u.test(text)) return [];
  const quoted = `"${text.replaceAll('"', " ").trim()}"`;
  const begins = phrase === undefined && /[\p{L}\p{N}]\*$/u.test(word.replace(/[),.;!?]+$/, ""));
  const within = column === undefined ? "" : `${column} : `;
  const tail = begins ? " *" : "";
  return [
    {
      index: begins || phrase !== undefined ? "exact" : "stems",
      expression: `${within}${quoted}${tail}`,
      mark: `${quoted}${tail}`,
    },
  ];
}

const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/gu;

/** Scripts without blanks between words, letter by letter, so that any part of a line is found. */
export function spaced(text: string): string {
  return text.replaceAll(UNSPACED, " $& ");
}

/** Whether `spaced` changes it. */
export function isUnspaced(text: string): boolean {
  return text.search(UNSPACED) >= 0;
}
