import { Lexer, type Token, type Tokens } from "marked";
import { type Block, type Inline, joined, type Look, type Reading } from "./blocks.ts";
import { readHtml } from "./read-html.ts";
import { readText } from "./read-text.ts";

/** Markdown as GitHub has it: headings, lists, tables, quotes, code, emphasis, links. */
export function readMarkdown(text: string): Reading {
  try {
    return structured(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const notes = ["Its marks are too tangled to be read as Markdown; it is shown as plain text."];
    return { blocks: readText(text).blocks, notes };
  }
}

function structured(text: string): Reading {
  const front = /^---\n([\s\S]*?\n)?---\n/.exec(text);
  const blocks = blocksOf(new Lexer({ gfm: true }).lex(text.slice(front?.[0].length ?? 0)), 0);
  if (front !== null) blocks.unshift({ kind: "code", text: front[0].trim(), language: "yaml" });
  return { blocks, notes: [] };
}

function blocksOf(tokens: readonly Token[], depth: number): Block[] {
  return tokens.flatMap((token) => blockOf(token, depth));
}

function blockOf(token: Token, depth: number): Block[] {
  const inside = () => inlinesOf(("tokens" in token ? token.tokens : undefined) ?? [], {});
  switch (token.type) {
    case "heading":
      return [{ kind: "heading", level: (token as Tokens.Heading).depth, inlines: inside() }];
    case "paragraph":
      return [{ kind: "paragraph", inlines: inside() }];
    case "text":
      return [{ kind: "paragraph", inlines: inside() }];
    case "code": {
      const { text, lang } = token as Tokens.Code;
      return [{ kind: "code", text, language: lang ?? "" }];
    }
    case "blockquote":
      return quoted(blocksOf((token as Tokens.Blockquote).tokens, depth));
    case "list":
      return itemsOf(token as Tokens.List, depth);
    case "table":
      return [tableOf(token as Tokens.Table)];
    case "hr":
      return [{ kind: "rule" }];
    case "html":
      return [...readHtml((token as Tokens.HTML).text).blocks];
    default:
      return [];
  }
}

function quoted(blocks: readonly Block[]): Block[] {
  return blocks.map((block): Block => {
    return block.kind === "paragraph" ? { kind: "quote", inlines: block.inlines } : block;
  });
}

function itemsOf(list: Tokens.List, depth: number): Block[] {
  const first = typeof list.start === "number" ? list.start : 1;
  return list.items.flatMap((item, n): Block[] => {
    const inner = blocksOf(
      item.tokens.filter(({ type }) => type !== "checkbox"),
      depth + 1,
    );
    const [head] = inner;
    const label = list.ordered ? `${first + n}.` : "•";
    const box = item.task ? [{ text: item.checked ? "☑ " : "☐ " }] : [];
    const leads = head?.kind === "paragraph";
    const inlines = [...box, ...(leads ? head.inlines : [])];
    const own: Block = { kind: "item", level: depth, label, ordered: list.ordered, inlines };
    const rest = (leads ? inner.slice(1) : inner).map((block): Block => {
      return block.kind === "paragraph" ? { ...block, indent: depth + 1 } : block;
    });
    return [own, ...rest];
  });
}

function tableOf(table: Tokens.Table): Block {
  const rows = [table.header, ...table.rows].map((row) =>
    row.map((cell) => {
      const inlines = inlinesOf(cell.tokens, {});
      return { blocks: [{ kind: "paragraph" as const, inlines }] };
    }),
  );
  return { kind: "table", rows, header: true };
}

function inlinesOf(tokens: readonly Token[], look: Look): Inline[] {
  return joined(tokens.flatMap((token) => inlineOf(token, look)));
}

function inlineOf(token: Token, look: Look): Inline[] {
  const inside = (more: Look) => {
    const tokens = "tokens" in token ? token.tokens : undefined;
    return tokens === undefined
      ? [{ ...look, ...more, text: unescaped("text" in token ? String(token["text"]) : token.raw) }]
      : inlinesOf(tokens, { ...look, ...more });
  };
  switch (token.type) {
    case "strong":
      return inside({ bold: true });
    case "em":
      return inside({ italic: true });
    case "del":
      return inside({ strike: true });
    case "codespan":
      return [{ ...look, code: true, text: (token as Tokens.Codespan).text }];
    case "link":
      return inside({ link: (token as Tokens.Link).href });
    case "image": {
      const { text, href } = token as Tokens.Image;
      return [{ text: `[image: ${text || href}]`, placeholder: true }];
    }
    case "br":
      return [{ ...look, text: "\n" }];
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? [{ ...look, text: "\n" }] : [];
    case "text":
      return inside({}).map((one) => ({ ...one, text: one.text.replaceAll("\n", " ") }));
    default:
      return inside({});
  }
}

const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" },
};

function unescaped(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return NAMED[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
