/** A place in a text that an edit replaces, and how it was found. */
export interface Match {
  readonly from: number;
  readonly to: number;
  /** Its lines are those that were asked for but for white space at their ends. */
  readonly isLoose: boolean;
}

/** A line and what ends it: "\n", "\r\n", a lone "\r" where there are no others; "" at the end. */
export interface Line {
  readonly text: string;
  readonly end: string;
}

/** A text has "\r" as the end of its lines only if it has no "\n" at all, as on old Macs. */
export function linesOf(text: string, isOldMac = hasOldMacLines(text)): Line[] {
  const parts = text.split(isOldMac ? /(\r)/ : /(\r?\n)/);
  return Array.from({ length: Math.ceil(parts.length / 2) }, (_, at) => {
    return { text: parts[2 * at] ?? "", end: parts[2 * at + 1] ?? "" };
  });
}

export function hasOldMacLines(text: string): boolean {
  return text.includes("\r") && !text.includes("\n");
}

/** White space of ASCII alone: other bytes may be parts of letters. */
export function trimmed(line: string): string {
  return line.replace(/^[ \t\f\v\r]+|[ \t\f\v\r]+$/g, "");
}

/**
 * The first place that says what is asked for: letter by letter, else but for the ends of lines, else
 * line by line but for white space around each.
 */
export function findMatch(text: string, asked: string): Match | undefined {
  if (asked.includes("\r")) {
    const at = text.indexOf(asked);
    if (at >= 0) return exact(at, at + asked.length);
  }
  const isOldMac = hasOldMacLines(text);
  const plain = linesOf(text, isOldMac);
  const wanted = linesOf(asked).map((line) => line.text);
  const joined = plain.map((line) => line.text).join("\n");
  const at = joined.indexOf(wanted.join("\n"));
  if (at >= 0) {
    const shift = shifts(plain);
    return exact(
      at + shift(at),
      at + wanted.join("\n").length + shift(at + wanted.join("\n").length),
    );
  }
  return looseMatch(plain, wanted);
}

function exact(from: number, to: number): Match {
  return { from, to, isLoose: false };
}

/** By how much a place in the text lies behind the same place where each line ends with "\n". */
function shifts(lines: readonly Line[]): (at: number) => number {
  const starts: { readonly at: number; readonly shift: number }[] = [];
  let [at, shift] = [0, 0];
  for (const { text, end } of lines) {
    starts.push({ at, shift });
    at += text.length + 1;
    shift += Math.max(0, end.length - 1);
  }
  return (place) => starts.findLast((start) => start.at <= place)?.shift ?? 0;
}

function looseMatch(lines: readonly Line[], wanted: readonly string[]): Match | undefined {
  const asked = wanted.map(trimmed);
  // "a line\n" ends with an empty text after its end, which is no line of its own.
  const endsWithBreak = asked.length > 1 && wanted.at(-1) === "";
  const count = endsWithBreak ? asked.length - 1 : asked.length;
  if (asked.every((line) => line === "")) return undefined;
  const there = lines.map(({ text }) => trimmed(text));
  const first = there.findIndex((_, at) => {
    return asked.slice(0, count).every((line, more) => there[at + more] === line);
  });
  if (first < 0) return undefined;
  const found = lines.slice(first, first + count);
  const from = lengthOf(lines.slice(0, first));
  const last = found.at(-1)?.end ?? "";
  return { from, to: from + lengthOf(found) - (endsWithBreak ? 0 : last.length), isLoose: true };
}

function lengthOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { text, end }) => sum + text.length + end.length, 0);
}
