import { escapeAttribute, escapeText, unescapeXml } from "./xml.ts";

/** A formula as the file holds it. */
export interface Formula {
  /** Without "=", with the prefixes of the file's format; "" for a follower of a shared formula. */
  readonly text: string;
  readonly kind: "normal" | "shared" | "array" | "dataTable";
  /** The other attributes, such as `si`, `ref`, `ca`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export function plainFormula(text: string): Formula {
  return { text, kind: "normal", attributes: {} };
}

/** A cell as the file holds it, its attributes in plain text. */
export interface Cell {
  readonly column: number;
  readonly style: number;
  /** The file's type: "n", "s", "str", "inlineStr", "b", "e" or "d". */
  readonly type: string;
  readonly value: string | undefined;
  readonly formula: Formula | undefined;
  /** `<is>` as text, for inline strings. */
  readonly inline: string | undefined;
  /** Attributes kept as they are, such as `cm`. */
  readonly extra: string;
}

const ATTRIBUTE = /([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

export function attributesOf(tag: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = "", double, single] of tag.matchAll(ATTRIBUTE)) {
    found[name] = unescapeXml(double ?? single ?? "");
  }
  return found;
}

/** `tag` is the opening tag's text, `inside` what stands between it and its end. */
export function readCell(tag: string, inside: string, column: number): Cell {
  const { r: _, s = "0", t = "n", ...extra } = attributesOf(tag);
  const kept = Object.entries(extra).map(([name, text]) => ` ${name}="${escapeAttribute(text)}"`);
  return {
    column,
    style: Number(s) || 0,
    type: t,
    value: readValue(inside),
    formula: inside.includes("<f") ? readFormula(inside) : undefined,
    inline: t === "inlineStr" ? /<is\b[\s\S]*<\/is>|<is\s*\/>/.exec(inside)?.[0] : undefined,
    extra: kept.join(""),
  };
}

function readValue(inside: string): string | undefined {
  const start = inside.indexOf("<v");
  if (start < 0) return undefined;
  const from = inside.indexOf(">", start) + 1;
  if (inside[from - 2] === "/") return undefined;
  const to = inside.indexOf("</v", from);
  return to < 0 ? undefined : unescapeXml(inside.slice(from, to));
}

function readFormula(inside: string): Formula | undefined {
  const found = /<f(\s[^>]*?)?(?:\/>|>([\s\S]*?)<\/f\s*>)/.exec(inside);
  if (found === null) return undefined;
  const { t = "normal", ...attributes } = attributesOf(found[1] ?? "");
  const kind = t === "shared" || t === "array" || t === "dataTable" ? t : "normal";
  return { text: unescapeXml(found[2] ?? ""), kind, attributes };
}

export function cellText(cell: Cell, name: string): string {
  const { style, type, value, formula, inline, extra } = cell;
  const typed = type === "n" ? "" : ` t="${type}"`;
  const styled = style === 0 ? "" : ` s="${style}"`;
  const inside = [
    formula === undefined ? "" : formulaText(formula),
    value === undefined ? "" : `<v${blanks(value)}>${escapeText(value)}</v>`,
    inline ?? "",
  ].join("");
  const tag = `<c r="${name}"${styled}${typed}${extra}`;
  return inside === "" ? `${tag}/>` : `${tag}>${inside}</c>`;
}

function formulaText({ text, kind, attributes }: Formula): string {
  const typed = kind === "normal" ? "" : ` t="${kind}"`;
  const rest = Object.entries(attributes).map(([name, value]) => {
    return ` ${name}="${escapeAttribute(value)}"`;
  });
  const tag = `<f${typed}${rest.join("")}`;
  return text === "" ? `${tag}/>` : `${tag}>${escapeText(text)}</f>`;
}

function blanks(text: string): string {
  return /^\s|\s$|\n/.test(text) ? ' xml:space="preserve"' : "";
}

// What XML cannot hold, the format writes as _xHHHH_.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
const UNSPEAKABLE = /[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)/g;

/** A text as an inline string. */
export function inlineText(text: string): string {
  const encoded = text.toWellFormed().replace(UNSPEAKABLE, (sign) => {
    return `_x${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
  });
  return `<is><t${blanks(encoded)}>${escapeText(encoded)}</t></is>`;
}

export function decodedText(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
}

/** The text of `<is>` or `<si>`: of all its runs, without what says how to pronounce it. */
export function richText(xml: string): string {
  const spoken = xml.replace(/<rPh\b[\s\S]*?<\/rPh\s*>/g, "");
  let text = "";
  for (const [, piece = ""] of spoken.matchAll(/<t(?:\s[^>]*)?(?<!\/)>([\s\S]*?)<\/t\s*>/g)) {
    text += unescapeXml(piece);
  }
  return decodedText(text);
}
