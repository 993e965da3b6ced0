import { LIMITS } from "./limits.ts";
import { type Block, blockText, type Cell, type Inline } from "./model/blocks.ts";

/** One line of what a reader is shown; long blocks have several. */
export interface Line {
  /** The place of its block, from 0. */
  readonly block: number;
  readonly text: string;
}

export interface ShowOptions {
  /** Bold, italic, code and links as Markdown's marks. */
  readonly marks?: boolean;
}

/** The lines that show these blocks, each beginning with its id. */
export function linesOf(
  blocks: readonly Block[],
  ids: readonly string[],
  options: ShowOptions = {},
): Line[] {
  return blocks.flatMap((block, n) => {
    const named = "style" in block ? block.style : undefined;
    const style = named === undefined || named === "List Paragraph" ? "" : ` · ${named}`;
    const [first = "", ...rest] = shown(block, options);
    const head = `[${ids[n] ?? n + 1}${style}] ${first}`;
    return [head, ...rest].flatMap(cutLine).map((text) => ({ block: n, text }));
  });
}

function shown(block: Block, options: ShowOptions): string[] {
  switch (block.kind) {
    case "heading":
      return [`${"#".repeat(block.level)} ${inlineShown(block.inlines, options)}`];
    case "item":
      return hanging(
        `${"  ".repeat(block.level)}${block.label} ${inlineShown(block.inlines, options)}`,
      );
    case "quote":
      return hanging(`> ${inlineShown(block.inlines, options)}`);
    case "code":
      return [`code ${block.language}`.trimEnd(), ...block.text.split("\n").map((l) => `    ${l}`)];
    case "table":
      return tableShown(block.rows, options);
    case "rule":
      return ["(rule)"];
    case "page-break":
      return [block.page === undefined ? "(page break)" : `(page ${block.page})`];
    case "paragraph": {
      const text = inlineShown(block.inlines, options);
      return text === "" ? ["(empty)"] : hanging(text, block.verbatim === true);
    }
  }
}

function hanging(text: string, verbatim = false): string[] {
  return verbatim ? text.split("\n") : text.replaceAll("\n", "\n    ").split("\n");
}

function tableShown(rows: readonly (readonly Cell[])[], options: ShowOptions): string[] {
  const width = Math.max(0, ...rows.map((row) => row.length));
  const size = `${rows.length} row${rows.length === 1 ? "" : "s"} x ${width}`;
  const lines = rows.map((row, n) => {
    const cells = row.map((cell) => cellShown(cell, options));
    return `  ${n + 1} | ${cells.join(" | ")}`;
  });
  return [`table, ${size} column${width === 1 ? "" : "s"}:`, ...lines];
}

/** What a cell says in one line; "<" and "^" for cells that others cover. */
export function cellShown(cell: Cell, options: ShowOptions = {}): string {
  if (cell.covered === "left") return "<";
  if (cell.covered === "above") return "^";
  const texts = cell.blocks.map((block) => {
    if (block.kind === "table") {
      const rows = block.rows.map((row) => row.map((c) => cellShown(c, options)).join(", "));
      return `{table: ${rows.join("; ")}}`;
    }
    if (!("inlines" in block)) return blockText(block);
    const mark = block.kind === "item" ? `${block.label} ` : "";
    return mark + inlineShown(block.inlines, options);
  });
  const text = texts.filter((one) => one.trim() !== "").join(" / ");
  return text.replaceAll("\n", " / ").replaceAll("|", "\\|");
}

/**
 * A text with the marks that change what it says: struck text `~~so~~`, tracked changes
 * `{++added++}` and `{--removed--}`; other looks if asked for.
 */
function inlineShown(inlines: readonly Inline[], { marks = false }: ShowOptions = {}): string {
  const parts = inlines.map((one) => {
    let { text } = one;
    if (marks && !one.placeholder && text.trim() !== "") {
      if (one.code) text = `\`${text}\``;
      if (one.italic) text = around(text, "*");
      if (one.bold) text = around(text, "**");
      if (one.link !== undefined) text = `[${text}](${one.link})`;
    }
    if (one.strike && text.trim() !== "") text = around(text, "~~");
    if (one.change === "added") return `{++${text}++}`;
    return one.change === "removed" ? `{--${text}--}` : text;
  });
  return parts.join("");
}

function around(text: string, mark: string): string {
  return text.replace(/^(\s*)([\s\S]*?)(\s*)$/, `$1${mark}$2${mark}$3`);
}

function cutLine(line: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < line.length || at === 0; at += LIMITS.lineChars) {
    const part = line.slice(at, at + LIMITS.lineChars);
    parts.push(at === 0 ? part : `… ${part}`);
  }
  return parts;
}

export interface Page {
  readonly lines: readonly Line[];
  /** Where the next page begins, if there is one. */
  readonly next: number | undefined;
}

/** The lines from `start` on that fit one answer; at least one. */
export function pageOf(lines: readonly Line[], start: number, chars: number): Page {
  let [end, used] = [start, 0];
  while (end < lines.length) {
    used += (lines[end]?.text.length ?? 0) + 1;
    if (used > chars && end > start) break;
    end++;
  }
  return { lines: lines.slice(start, end), next: end < lines.length ? end : undefined };
}
