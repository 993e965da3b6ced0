import { type Block, blockText, type Cell, type Inline, withoutBold } from "./blocks.ts";

/** The document as GitHub's Markdown. `lost` gets what Markdown cannot say. */
export function writeMarkdown(blocks: readonly Block[], lost: Set<string>): string {
  const parts: string[] = [];
  let inList = false;
  for (const block of blocks) {
    const text = blockMarkdown(block, lost);
    const item = block.kind === "item";
    parts.push(parts.length === 0 ? "" : item && inList ? "\n" : "\n\n", text);
    inList = item;
  }
  return `${parts.join("")}\n`;
}

function blockMarkdown(block: Block, lost: Set<string>): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(Math.min(6, block.level))} ${oneLine(block.inlines, lost)}`;
    case "paragraph": {
      const text = guarded(inlineMarkdown(block.inlines, lost, "  \n"));
      return indented(text, " ".repeat((block.indent ?? 0) * 4));
    }
    case "item": {
      const mark = block.ordered ? numbered(block.label, lost) : "-";
      const text = inlineMarkdown(block.inlines, lost, "  \n");
      return indented(`${mark} ${text}`, "    ".repeat(block.level), mark.length + 1);
    }
    case "quote":
      return inlineMarkdown(block.inlines, lost, "  \n").replace(/^/gm, "> ");
    case "code": {
      const longest = Math.max(2, ...[...block.text.matchAll(/`+/g)].map(([run]) => run.length));
      const fence = "`".repeat(longest + 1);
      return `${fence}${block.language}\n${block.text}\n${fence}`;
    }
    case "table":
      return tableMarkdown(block.rows, block.header, lost);
    case "rule":
      return "---";
    case "page-break":
      lost.add("page breaks (Markdown has no pages)");
      return "---";
  }
}

function numbered(label: string, lost: Set<string>): string {
  const plain = /^(\d{1,9})[.)]$/.exec(label);
  if (plain !== null) return label;
  lost.add(`list labels such as "${label}" (kept as text)`);
  return `- ${label}`;
}

function indented(text: string, indent: string, hang = 0): string {
  return indent + text.replaceAll("\n", `\n${indent}${" ".repeat(hang)}`);
}

/** What would be read as a heading, a list, a quote or a rule at the start of a line. */
function guarded(text: string): string {
  return text
    .replace(/^(\s*)(#{1,6}\s|[-+]\s|>|=+\s*$|-+\s*$)/gm, "$1\\$2")
    .replace(/^(\s*\d{1,9})([.)]\s)/gm, "$1\\$2");
}

function tableMarkdown(
  rows: readonly (readonly Cell[])[],
  header: boolean,
  lost: Set<string>,
): string {
  const width = Math.max(1, ...rows.map((row) => row.length));
  const lines = rows.map((row, y) => {
    const own = header && y === 0 ? row.map(withoutBold) : row;
    const cells = Array.from({ length: width }, (_, n) => cellMarkdown(own[n], lost));
    return `| ${cells.join(" | ")} |`;
  });
  const blank = `|${"  |".repeat(width)}`;
  const [first = blank, ...rest] = header || lines.length === 0 ? lines : [blank, ...lines];
  return [first, `|${" --- |".repeat(width)}`, ...rest].join("\n");
}

function cellMarkdown(cell: Cell | undefined, lost: Set<string>): string {
  if (cell?.covered !== undefined) lost.add("merged cells (the covered ones are empty)");
  const texts = (cell?.blocks ?? []).map((block) => {
    if (block.kind === "table") lost.add("tables inside of table cells (kept as text)");
    if (!("inlines" in block)) return blockText(block).replace(/\s*\n\s*/g, "<br>");
    const mark = block.kind === "item" ? `${block.label} ` : "";
    return mark + inlineMarkdown(block.inlines, lost, "<br>");
  });
  return texts.filter(Boolean).join("<br>").replaceAll("|", "\\|").replaceAll("\n", "<br>");
}

function oneLine(inlines: readonly Inline[], lost: Set<string>): string {
  return inlineMarkdown(inlines, lost, " ").trim();
}

const MARKS = [
  ["bold", "**"],
  ["italic", "*"],
  ["strike", "~~"],
] as const;

/** Text with its marks, nested as they must be; removed text is left out. */
function inlineMarkdown(inlines: readonly Inline[], lost: Set<string>, lineBreak: string): string {
  const kept = inlines.filter(({ change }) => change !== "removed");
  if (inlines.some(({ change }) => change !== undefined)) {
    lost.add("tracked changes (they are written as if accepted)");
  }
  const parts: string[] = [];
  for (let at = 0; at < kept.length; ) {
    const link = kept[at]?.link;
    let end = at + 1;
    while (end < kept.length && kept[end]?.link === link) end++;
    const text = marked(kept.slice(at, end), lost, lineBreak);
    const target = link?.replace(/[\s()<>]/g, (letter) => encodeURIComponent(letter));
    parts.push(
      target === undefined
        ? text
        : text.replace(/^(\s*)([\s\S]*?)(\s*)$/, (_, a, b, c) => {
            return `${a}[${b}](${target})${c}`;
          }),
    );
    at = end;
  }
  return parts.join("");
}

/** Marks open and close around words, never around the blanks at their ends. */
function marked(inlines: readonly Inline[], lost: Set<string>, lineBreak: string): string {
  let [text, blanks] = ["", ""];
  const open: (typeof MARKS)[number][] = [];
  const closeTo = (count: number) => {
    while (open.length > count) text += open.pop()?.[1] ?? "";
  };
  for (const one of inlines) {
    const [, before = "", core = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(one.text) ?? [];
    if (core === "") {
      blanks += one.text;
      continue;
    }
    const first = open.findIndex(([look]) => !one[look]);
    if (first >= 0) closeTo(first);
    text += (blanks + before).replaceAll("\n", lineBreak);
    for (const mark of MARKS) {
      if (!one[mark[0]] || open.includes(mark)) continue;
      text += mark[1];
      open.push(mark);
    }
    text += coreMarkdown(one, core, lost, lineBreak);
    blanks = after;
  }
  closeTo(0);
  return text + blanks.replaceAll("\n", lineBreak);
}

function coreMarkdown(one: Inline, core: string, lost: Set<string>, lineBreak: string): string {
  if (one.placeholder) {
    if (core.startsWith("[image")) lost.add("images (a mark stands in their place)");
    return core;
  }
  if (one.underline && one.link === undefined) lost.add("underlines");
  return one.code ? codeSpan(core) : escaped(core).replaceAll("\n", lineBreak);
}

function codeSpan(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function escaped(text: string): string {
  return text
    .replace(/[\\`[\]<]|\*(?!\s)|(?<!\s)\*/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replaceAll("~~", "\\~\\~");
}
