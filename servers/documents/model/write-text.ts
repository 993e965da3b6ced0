import { type Block, type Cell, cellText, current, type Inline } from "./blocks.ts";

const WIDEST = 60;

/** The document as plain text: blocks parted by blank lines, tables in columns. */
export function writeText(blocks: readonly Block[], lost: Set<string>): string {
  const parts: string[] = [];
  let inList = false;
  for (const block of blocks) {
    const item = block.kind === "item";
    if (parts.length > 0) parts.push(item && inList ? "\n" : "\n\n");
    parts.push(blockPlain(block, lost));
    inList = item;
  }
  return `${parts.join("")}\n`;
}

function blockPlain(block: Block, lost: Set<string>): string {
  switch (block.kind) {
    case "code":
      return block.text;
    case "table":
      return tablePlain(block.rows, lost);
    case "rule":
    case "page-break":
      return "-".repeat(20);
    case "item": {
      const mark = block.ordered ? block.label : "-";
      const text = words(block.inlines, lost).replaceAll("\n", `\n${" ".repeat(mark.length + 1)}`);
      return `${"  ".repeat(block.level)}${mark} ${text}`;
    }
    case "heading":
      return words(block.inlines, lost).replaceAll("\n", " ");
    case "quote":
      return words(block.inlines, lost).replace(/^/gm, "> ");
    case "paragraph":
      return words(block.inlines, lost).replace(/^/gm, "  ".repeat(block.indent ?? 0));
  }
}

function words(inlines: readonly Inline[], lost: Set<string>): string {
  for (const one of inlines) {
    if (one.bold || one.italic || one.underline || one.strike)
      lost.add("bold, italic and the like");
    if (one.link !== undefined) lost.add("where links lead to");
    if (one.change !== undefined) lost.add("tracked changes (they are written as if accepted)");
    if (one.placeholder && one.text.startsWith("[image")) {
      lost.add("images (a mark stands in their place)");
    }
  }
  return current(inlines);
}

function tablePlain(rows: readonly (readonly Cell[])[], lost: Set<string>): string {
  const texts = rows.map((row) => row.map((cell) => cellText(cell).replace(/\s+/g, " ").trim()));
  if (rows.some((row) => row.some(({ covered }) => covered !== undefined))) {
    lost.add("merged cells (the covered ones are empty)");
  }
  const count = Math.max(0, ...texts.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, n) =>
    Math.min(WIDEST, Math.max(1, ...texts.map((row) => [...(row[n] ?? "")].length))),
  );
  const lines = texts.map((row) =>
    row
      .map((text, n) => text + " ".repeat(Math.max(0, (widths[n] ?? 0) - [...text].length)))
      .join("  ")
      .trimEnd(),
  );
  return lines.join("\n");
}
