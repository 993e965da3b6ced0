import { type Block, type Cell, type Inline, withoutBold } from "./blocks.ts";

const STYLE =
  "body{font-family:sans-serif;max-width:50em;margin:2em auto;line-height:1.4}" +
  "table{border-collapse:collapse}th,td{border:1px solid #999;padding:.25em .5em;vertical-align:top}" +
  "pre{background:#f4f4f4;padding:.5em}";

/** The document as one page of HTML. `lost` gets what it leaves out. */
export function writeHtml(blocks: readonly Block[], title: string, lost: Set<string>): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    ...bodyLines(blocks, lost),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function bodyLines(blocks: readonly Block[], lost: Set<string>): string[] {
  const lines: string[] = [];
  const open: { tag: string; level: number }[] = [];
  const close = (level: number) => {
    for (let last = open.at(-1); last !== undefined && last.level > level; last = open.at(-1)) {
      lines.push(`</li></${last.tag}>`);
      open.pop();
    }
  };
  for (const block of blocks) {
    if (block.kind === "item") openItem(block, open, close, lines, lost);
    else {
      close(block.kind === "paragraph" ? (block.indent ?? 0) - 1 : -1);
      lines.push(blockHtml(block, lost));
    }
  }
  close(-1);
  return lines;
}

function openItem(
  block: Block & { kind: "item" },
  open: { tag: string; level: number }[],
  close: (level: number) => void,
  lines: string[],
  lost: Set<string>,
): void {
  const tag = block.ordered ? "ol" : "ul";
  close(block.level);
  const same = open.at(-1);
  if (same?.level === block.level && same.tag !== tag) close(block.level - 1);
  if (open.at(-1)?.level === block.level) lines.push("</li>");
  else {
    lines.push(`<${tag}${listStart(block.label, block.ordered)}>`);
    open.push({ tag, level: block.level });
  }
  lines.push(`<li>${inlineHtml(block.inlines, lost)}`);
}

const TYPES = [
  ...([
    [/^\d+\D*$/, "1"],
    [/^[a-z]\W*$/, "a"],
    [/^[A-Z]\W*$/, "A"],
  ] as const),
];

function listStart(label: string, ordered: boolean): string {
  if (!ordered) return "";
  const type = TYPES.find(([pattern]) => pattern.test(label))?.[1] ?? "1";
  const number = Number(/\d+/.exec(label)?.[0] ?? 1);
  return `${type === "1" ? "" : ` type="${type}"`}${number === 1 ? "" : ` start="${number}"`}`;
}

function blockHtml(block: Exclude<Block, { kind: "item" }>, lost: Set<string>): string {
  switch (block.kind) {
    case "heading": {
      const tag = `h${Math.min(6, block.level)}`;
      return `<${tag}>${inlineHtml(block.inlines, lost)}</${tag}>`;
    }
    case "paragraph":
      return `<p>${inlineHtml(block.inlines, lost)}</p>`;
    case "quote":
      return `<blockquote><p>${inlineHtml(block.inlines, lost)}</p></blockquote>`;
    case "code": {
      const name = block.language === "" ? "" : ` class="language-${escaped(block.language)}"`;
      return `<pre><code${name}>${escaped(block.text)}\n</code></pre>`;
    }
    case "table":
      return tableHtml(block.rows, block.header, lost);
    case "rule":
      return "<hr>";
    case "page-break":
      return '<hr style="break-after:page">';
  }
}

function tableHtml(rows: readonly (readonly Cell[])[], header: boolean, lost: Set<string>): string {
  const lines = rows.map((row, y) => {
    const tag = header && y === 0 ? "th" : "td";
    const cells = row.map((cell, x) => {
      if (cell.covered !== undefined) return "";
      const inner = cellHtml(tag === "th" ? withoutBold(cell) : cell, lost);
      return `<${tag}${spans(rows, x, y)}>${inner}</${tag}>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return ["<table>", ...lines, "</table>"].join("\n");
}

function spans(rows: readonly (readonly Cell[])[], x: number, y: number): string {
  let wide = 1;
  while (rows[y]?.[x + wide]?.covered === "left") wide++;
  let high = 1;
  while (rows[y + high]?.[x]?.covered === "above") high++;
  return `${wide > 1 ? ` colspan="${wide}"` : ""}${high > 1 ? ` rowspan="${high}"` : ""}`;
}

function cellHtml(cell: Cell, lost: Set<string>): string {
  const [first, ...rest] = cell.blocks;
  if (first?.kind === "paragraph" && rest.length === 0) return inlineHtml(first.inlines, lost);
  return bodyLines(cell.blocks, lost).join("\n");
}

function inlineHtml(inlines: readonly Inline[], lost: Set<string>): string {
  return inlines.map((one) => inlineTag(one, lost)).join("");
}

function inlineTag(one: Inline, lost: Set<string>): string {
  if (one.placeholder && one.text.startsWith("[image")) {
    lost.add("images (a mark stands in their place)");
  }
  let text = escaped(one.text).replaceAll("\n", "<br>\n").replaceAll("\t", "&emsp;");
  if (one.code) text = `<code>${text}</code>`;
  if (one.strike) text = `<s>${text}</s>`;
  if (one.underline && one.link === undefined) text = `<u>${text}</u>`;
  if (one.italic) text = `<em>${text}</em>`;
  if (one.bold) text = `<strong>${text}</strong>`;
  if (one.link !== undefined) text = `<a href="${escaped(one.link)}">${text}</a>`;
  if (one.change === "added") return `<ins>${text}</ins>`;
  return one.change === "removed" ? `<del>${text}</del>` : text;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
