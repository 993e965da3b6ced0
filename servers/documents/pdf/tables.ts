import { linesOfTexts, lineText, type Segment, type TextLine } from "./lines.ts";
import type { PdfText, Ruling } from "./texts.ts";

export interface PdfTable {
  /** Where it begins and ends, from the page's top. */
  readonly top: number;
  readonly bottom: number;
  readonly rows: readonly (readonly string[])[];
}

const NEAR = 3;
const MAX_CELLS = 20_000;

/** Tables with drawn lines, and the texts that are in none of them. */
export function ruledTables(
  texts: readonly PdfText[],
  rulings: readonly Ruling[],
): { tables: PdfTable[]; rest: PdfText[] } {
  const tables: PdfTable[] = [];
  let rest = [...texts];
  for (const grid of gridsOf(rulings)) {
    const { xs, ys } = grid;
    const [left = 0, right = 0] = [xs[0], xs.at(-1)];
    const [top = 0, bottom = 0] = [ys[0], ys.at(-1)];
    const middle = (text: PdfText) => text.y - text.size * 0.3;
    const inside = rest.filter((text) => {
      const x = text.x + Math.min(text.width, 4) / 2;
      return x > left - 1 && x < right + 1 && middle(text) > top && middle(text) < bottom;
    });
    const cells = new Map<string, PdfText[]>();
    for (const text of inside) {
      const key = cellOf(grid, text.x + Math.min(text.width, 4) / 2, middle(text));
      cells.set(key, [...(cells.get(key) ?? []), text]);
    }
    if (cells.size < 2) continue;
    const rows = Array.from({ length: ys.length - 1 }, (_, y) =>
      Array.from({ length: xs.length - 1 }, (_, x) => cellText(cells.get(`${y} ${x}`) ?? [])),
    );
    tables.push({ top, bottom, rows: withoutBlank(rows) });
    const taken = new Set(inside);
    rest = rest.filter((text) => !taken.has(text));
  }
  return { tables, rest };
}

function cellText(texts: readonly PdfText[]): string {
  return linesOfTexts(texts).map(lineText).join(" ").replace(/\s+/g, " ");
}

/** The cell at a place; where no line parts it from the one above or at its left, that one. */
function cellOf({ xs, ys, lines }: Grid, left: number, top: number): string {
  let [x, y] = [slot(xs, left), slot(ys, top)];
  const parted = (upright: boolean, at: number, across: number) => {
    return lines.some((line) => {
      const here = line.upright === upright && Math.abs(line.at - at) <= NEAR;
      return here && line.from <= across && line.to >= across;
    });
  };
  const middle = (edges: readonly number[], n: number) =>
    ((edges[n] ?? 0) + (edges[n + 1] ?? 0)) / 2;
  while (x > 0 && !parted(true, xs[x] ?? 0, middle(ys, y))) x--;
  while (y > 0 && !parted(false, ys[y] ?? 0, middle(xs, x))) y--;
  return `${y} ${x}`;
}

function slot(edges: readonly number[], at: number): number {
  let n = 0;
  while (n + 2 < edges.length && at >= (edges[n + 1] ?? 0)) n++;
  return n;
}

/** Rows and columns that have no text in them are borders that were drawn double, or spacers. */
function withoutBlank(rows: readonly (readonly string[])[]): string[][] {
  const kept = rows.filter((row) => row.some((cell) => cell !== ""));
  const width = kept[0]?.length ?? 0;
  const used = Array.from({ length: width }, (_, x) => kept.some((row) => row[x] !== ""));
  return kept.map((row) => row.filter((_, x) => used[x]));
}

interface Grid {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly lines: readonly Ruling[];
}

/** Lines that touch each other, as grids; those with at least two columns. */
function gridsOf(rulings: readonly Ruling[]): Grid[] {
  const upright = merged(rulings.filter((one) => one.upright));
  const level = merged(rulings.filter((one) => !one.upright));
  const all = [...upright, ...level];
  const parent = all.map((_, n) => n);
  const find = (n: number): number => {
    let at = n;
    while (parent[at] !== at) at = parent[at] ?? at;
    return at;
  };
  upright.forEach((v, n) => {
    level.forEach((h, m) => {
      const touches =
        v.at >= h.from - NEAR &&
        v.at <= h.to + NEAR &&
        h.at >= v.from - NEAR &&
        h.at <= v.to + NEAR;
      if (touches) parent[find(n)] = find(upright.length + m);
    });
  });
  const groups = Map.groupBy(all, (one) => find(all.indexOf(one)));
  const grids: Grid[] = [];
  for (const group of groups.values()) {
    const xs = distinct(group.filter((one) => one.upright).map(({ at }) => at));
    const ys = distinct(group.filter((one) => !one.upright).map(({ at }) => at));
    const size = (xs.length - 1) * (ys.length - 1);
    if (xs.length >= 3 && ys.length >= 2 && size <= MAX_CELLS) grids.push({ xs, ys, lines: group });
  }
  return grids.sort((a, b) => (a.ys[0] ?? 0) - (b.ys[0] ?? 0));
}

/** Lines drawn in pieces, cell by cell, as one; at most some hundreds. */
function merged(rulings: readonly Ruling[]): Ruling[] {
  const sorted = [...rulings].sort((a, b) => a.at - b.at || a.from - b.from);
  const found: Ruling[] = [];
  for (const one of sorted) {
    const same = found.findLastIndex((other, n) => {
      if (found.length - n > 60) return false;
      const near = Math.abs(other.at - one.at) <= 1.5;
      return near && one.from <= other.to + NEAR && one.to >= other.from - NEAR;
    });
    const other = found[same];
    if (other === undefined) found.push(one);
    else {
      const [from, to] = [Math.min(other.from, one.from), Math.max(other.to, one.to)];
      found[same] = { ...other, from, to };
    }
  }
  return found.slice(0, 1_500);
}

function distinct(values: readonly number[]): number[] {
  const found: number[] = [];
  for (const value of [...values].sort((a, b) => a - b)) {
    if (found.length === 0 || value - (found.at(-1) ?? 0) > NEAR) found.push(value);
  }
  return found;
}

export interface Run {
  readonly kind: "table" | "columns" | "lines";
  readonly lines: readonly TextLine[];
  readonly table?: PdfTable;
}

/** Lines cut into runs: tables without drawn lines, text in columns, and all else. */
export function runsOf(lines: readonly TextLine[]): Run[] {
  const runs: Run[] = [];
  let at = 0;
  while (at < lines.length) {
    const end = runEnd(lines, at);
    const run = lines.slice(at, end);
    const found = end - at >= 2 ? judged(run) : undefined;
    if (found !== undefined) runs.push(found);
    else {
      const last = runs.at(-1);
      if (last?.kind === "lines")
        runs[runs.length - 1] = { kind: "lines", lines: [...last.lines, ...run] };
      else runs.push({ kind: "lines", lines: run });
    }
    at = end;
  }
  return runs;
}

/** As long as lines have several segments, or go on with a cell of the line above. */
function runEnd(lines: readonly TextLine[], start: number): number {
  const first = lines[start];
  let end = start + 1;
  if (first === undefined || first.segments.length < 2) return end;
  for (; end < lines.length; end++) {
    const [line, above] = [lines[end], lines[end - 1]];
    if (line === undefined || above === undefined) break;
    if (line.y - above.y > 3.2 * Math.max(line.size, above.size)) break;
    if (line.segments.length > 1) continue;
    const [only] = line.segments;
    const starts = lines
      .slice(start, end)
      .flatMap(({ segments }) => segments.slice(1).map(({ x }) => x));
    const close = line.y - above.y < 1.6 * line.size;
    if (!close || only === undefined || !starts.some((x) => Math.abs(x - only.x) < NEAR)) break;
  }
  return end;
}

function judged(lines: readonly TextLine[]): Run | undefined {
  const rivers = riversOf(lines);
  if (rivers.length === 0) return undefined;
  const cells = lines.map((line) => cut(line.segments, rivers));
  const texts = cells.map((row) => row.map((cell) => cell.map(({ text }) => text).join(" ")));
  if (rivers.length <= 2 && lines.length >= 4 && isProse(cells)) return { kind: "columns", lines };
  const rows: string[][] = [];
  for (const row of texts) {
    const above = rows.at(-1);
    const goesOn = above !== undefined && row[0] === "" && above[0] !== "";
    if (!goesOn) rows.push([...row]);
    else rows[rows.length - 1] = above.map((text, n) => `${text} ${row[n] ?? ""}`.trim());
  }
  const [top, bottom] = [lines[0]?.y ?? 0, lines.at(-1)?.y ?? 0];
  return { kind: "table", lines, table: { top: top - 8, bottom, rows } };
}

/** Text in columns fills them: lines are long, and nearly all as long as the column is wide. */
function isProse(cells: readonly (readonly (readonly Segment[])[])[]): boolean {
  const columns = (cells[0] ?? []).map((_, n) =>
    cells.map((row) => row[n] ?? []).filter((c) => c.length > 0),
  );
  return columns.every((column) => {
    const widths = column.map((cell) => (cell.at(-1)?.end ?? 0) - (cell[0]?.x ?? 0));
    const letters = column.reduce(
      (sum, cell) => sum + cell.reduce((n, { text }) => n + text.length, 0),
      0,
    );
    const widest = Math.max(...widths);
    const full = widths.filter((width) => width > 0.66 * widest).length;
    return column.length >= 3 && letters / column.length >= 20 && full >= 0.7 * column.length;
  });
}

/** Where upright strips without any text part the segments of all these lines. */
export function riversOf(lines: readonly TextLine[]): number[] {
  const spans = lines.flatMap(({ segments }) => segments).sort((a, b) => a.x - b.x);
  const rivers: number[] = [];
  let end = spans[0]?.end ?? 0;
  for (const span of spans) {
    if (span.x - end > 3) rivers.push((end + span.x) / 2);
    end = Math.max(end, span.end);
  }
  return rivers.length > 60 ? [] : rivers;
}

function cut(segments: readonly Segment[], rivers: readonly number[]): Segment[][] {
  const cells: Segment[][] = Array.from({ length: rivers.length + 1 }, () => []);
  for (const one of segments) cells[rivers.filter((x) => x < one.x).length]?.push(one);
  return cells;
}
