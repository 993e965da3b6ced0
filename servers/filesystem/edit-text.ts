import { diffArrays } from "diff";
import { ToolError } from "../kit/tool-error.ts";
import { type Indent, indentOf, reindented } from "./indentation.ts";
import {
  findMatch,
  hasOldMacLines,
  type Line,
  linesOf,
  type Match,
  trimmed,
} from "./line-match.ts";

export interface Edit {
  readonly oldText: string;
  readonly newText: string;
}

/**
 * A text after these edits, each on what those before it made. What an edit leaves as it is keeps its
 * letters, its white space and the ends of its lines; lines that it adds end as those around them do,
 * and one that was found but for its indentation keeps the file's.
 * @throws ToolError with the words of the reference server where an edit has no place
 */
export function edited(text: string, edits: readonly Edit[], asSaid: readonly Edit[]): string {
  return edits.reduce((before, edit, at) => {
    const match = findMatch(before, edit.oldText);
    if (match !== undefined) return replaced(before, match, edit);
    const said = asSaid[at]?.oldText ?? edit.oldText;
    throw new ToolError(`Could not find exact match for edit:\n${said}`);
  }, text);
}

function replaced(text: string, { from, to, isLoose }: Match, { oldText, newText }: Edit): string {
  const [before, found, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  if (oldText === newText) return text;
  const [asked, wanted] = [plainLines(oldText), plainLines(newText)];
  // An edit of nothing but the ends of lines means them.
  if (asked.join("\n") === wanted.join("\n")) return before + newText + after;
  const real = linesOf(found, hasOldMacLines(text));
  const known = isLoose ? indentsOf(asked, real) : [];
  const lines = aligned(asked, wanted, real, (line, at) => {
    const same = indentsOf(asked.slice(at, at + 1), real.slice(at, at + 1));
    return isLoose ? reindented(line, [...same, ...known]) : line;
  });
  return before + joined(lines, usualEnd(real, before, after, newText)) + after;
}

function plainLines(text: string): string[] {
  return linesOf(text).map((line) => line.text);
}

function indentsOf(asked: readonly string[], real: readonly Line[]): Indent[] {
  return asked.flatMap((line, at) => {
    const found = real[at];
    if (found === undefined || trimmed(line) === "") return [];
    return { asked: indentOf(line), real: indentOf(found.text) };
  });
}

/** Of more than this many other lines each one counts as another. */
const COMPARED = { maxEditLength: 2_000 };

/** The wanted lines; of those that were there before, what is really there. */
function aligned(
  asked: string[],
  wanted: string[],
  real: readonly Line[],
  added: (line: string, insteadOf: number) => string,
): Line[] {
  const result: Line[] = [];
  let [at, gone]: [number, readonly Line[]] = [0, []];
  const changes = diffArrays(asked, wanted, COMPARED) ?? [
    { value: asked, removed: true },
    { value: wanted, added: true },
  ];
  for (const { value, added: isNew, removed } of changes) {
    if (isNew) {
      // A line that takes another's place is indented and ends as that was.
      const lines = value.map((line, n) => {
        const insteadOf = n < gone.length ? at - gone.length + n : asked.length;
        return { text: added(line, insteadOf), end: gone[n]?.end ?? "" };
      });
      result.push(...lines);
      continue;
    }
    const lines = real.slice(at, at + value.length);
    at += value.length;
    gone = removed ? lines : [];
    if (!removed) result.push(...lines);
  }
  return result;
}

/** Each line but the last has an end: its own, else that of the line before it, else the usual one. */
function joined(lines: readonly Line[], usual: string): string {
  let last = usual;
  return lines
    .map(({ text, end }, at) => {
      if (at === lines.length - 1) return text;
      last = end === "" ? last : end;
      return text + last;
    })
    .join("");
}

/** How lines end here: in what was found, else behind it, else before it, else as the caller said. */
function usualEnd(real: readonly Line[], before: string, after: string, newText: string): string {
  const inside = real.find(({ end }) => end !== "")?.end;
  if (inside !== undefined) return inside;
  const end = hasOldMacLines(before + after) ? "\r" : "\n";
  const next = after.indexOf(end);
  const place = next < 0 ? before.lastIndexOf(end) : next;
  if (place < 0) return linesOf(newText)[0]?.end || "\n";
  const isTwo = end === "\n" && (next < 0 ? before : after)[place - 1] === "\r";
  return isTwo ? "\r\n" : end;
}
