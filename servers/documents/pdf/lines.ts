import type { PdfText } from "./texts.ts";

/** Texts of one line without a wide gap between. */
export interface Segment extends PdfText {
  readonly end: number;
}

export interface TextLine {
  readonly y: number;
  readonly size: number;
  readonly segments: readonly Segment[];
}

/** Texts as lines from top to bottom, cut into segments where gaps are wide. */
export function linesOfTexts(texts: readonly PdfText[]): TextLine[] {
  const sorted = [...texts].sort((a, b) => a.y - b.y || a.x - b.x);
  const groups: PdfText[][] = [];
  let base = Number.NEGATIVE_INFINITY;
  for (const text of sorted) {
    const last = groups.at(-1);
    const tallest = Math.max(text.size, last?.[0]?.size ?? 0);
    if (last !== undefined && text.y - base <= 0.4 * tallest) last.push(text);
    else {
      groups.push([text]);
      base = text.y;
    }
  }
  return groups.map(lineOf);
}

function lineOf(group: readonly PdfText[]): TextLine {
  const segments: Segment[] = [];
  for (const text of [...group].sort((a, b) => a.x - b.x)) {
    const last = segments.at(-1);
    const end = text.x + text.width;
    const gap = text.x - (last?.end ?? 0);
    const size = Math.max(text.size, last?.size ?? 0);
    // What is drawn twice at one place is drawn bold.
    const again = last?.text.endsWith(text.text) && gap < -0.8 * text.width;
    if (again) continue;
    if (last === undefined || gap > 0.9 * size) {
      segments.push({ ...text, text: text.text.trim(), end });
      continue;
    }
    const blank = gap > 0.12 * size || /\s$/.test(last.text) || /^\s/.test(text.text);
    const joined = `${last.text.trimEnd()}${blank ? " " : ""}${text.text.trim()}`;
    const [most, width] = [Math.max(end, last.end), Math.max(end, last.end) - last.x];
    segments[segments.length - 1] = { ...last, text: joined, end: most, width, size };
  }
  const size = Math.max(...segments.map((one) => one.size));
  return { y: group[0]?.y ?? 0, size, segments };
}

/** A line's text, segments parted by two blanks. */
export function lineText(line: TextLine): string {
  return line.segments.map(({ text }) => text).join("  ");
}
