import { type Fields, fieldValue } from "./fields.ts";

export interface FrontMatter {
  readonly fields: Fields;
  /** What follows it; the whole text where there is none. */
  readonly body: string;
}

/**
 * The front matter of a Markdown document: `key: value` lines between two lines of `---`, with
 * quoted texts, numbers, `[a, b]` and lists of `- item` lines. What is richer YAML than that stays
 * the text that it is; nothing makes it fail.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const found = /^---[ \t]*\n([\s\S]*?)\n?^---[ \t]*(?:\n|$)/m.exec(text);
  if (found === null || found.index !== 0) return { fields: {}, body: text };
  return { fields: parsed(found[1] ?? ""), body: text.slice(found[0].length) };
}

function parsed(block: string): Fields {
  const fields: Record<string, Fields[string]> = {};
  let list: string[] = [];
  for (const line of block.split("\n")) {
    const item = /^\s*-\s+(.+)$/.exec(line);
    if (item !== null) {
      list.push(String(scalar(item[1] ?? "")));
      continue;
    }
    const pair = /^([\p{L}\p{N}_][\p{L}\p{N}_. -]*?)\s*:(?:\s+(.*))?$/u.exec(line);
    if (pair === null) continue;
    const [, name = "", written = ""] = pair;
    if (written.trim() === "") {
      list = [];
      fields[fieldName(name)] = list;
    } else {
      fields[fieldName(name)] = value(written.trim());
    }
  }
  const filled = Object.entries(fields).filter(([, each]) => !Array.isArray(each) || each.length);
  return Object.fromEntries(filled);
}

/** A name as a query can write it: "Last updated" is `last_updated`. */
export function fieldName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_");
}

function value(written: string): Fields[string] {
  const list = /^\[(.*)\]$/.exec(written);
  if (list === null) return scalar(written);
  const items = (list[1] ?? "").match(/"[^"]*"|'[^']*'|[^,]+/g) ?? [];
  return items.map((item) => String(scalar(item.trim()))).filter((item) => item !== "");
}

function scalar(written: string): string | number | boolean {
  const quoted = /^(["'])([\s\S]*)\1$/.exec(written);
  if (quoted !== null) return quoted[2] ?? "";
  const plain = written.replace(/\s+#.*$/, "");
  const read = fieldValue(plain);
  return Array.isArray(read) ? plain : read;
}
