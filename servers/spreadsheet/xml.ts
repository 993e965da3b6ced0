import { ToolError } from "../kit/tool-error.ts";

/**
 * XML kept as its text: what is not changed is written as it was read, byte for byte. Comments,
 * blanks and text are strings among the children.
 */
export class Element {
  /** The opening tag as text, without its angle brackets and its closing slash. */
  #tag: string;
  readonly name: string;
  children: (Element | string)[];
  #empty: boolean;

  constructor(tag: string, children: (Element | string)[] = [], empty = children.length === 0) {
    this.#tag = tag;
    this.name = /^[^\s/>]+/.exec(tag)?.[0] ?? "";
    this.children = children;
    this.#empty = empty;
  }

  get(attribute: string): string | undefined {
    return attributeOf(this.#tag, attribute);
  }

  set(attribute: string, value: string | number | undefined): this {
    this.#tag = withAttribute(this.#tag, attribute, value);
    return this;
  }

  /** The opening tag's text. */
  get head(): string {
    return this.#tag;
  }

  get elements(): Element[] {
    return this.children.filter((child) => child instanceof Element);
  }

  /** The name without its namespace's prefix. */
  get local(): string {
    return this.name.slice(this.name.indexOf(":") + 1);
  }

  child(local: string): Element | undefined {
    return this.elements.find((element) => element.local === local);
  }

  all(local: string): Element[] {
    return this.elements.filter((element) => element.local === local);
  }

  /** Every element inside, itself first. */
  *walk(): Generator<Element> {
    yield this;
    for (const child of this.children) if (child instanceof Element) yield* child.walk();
  }

  get text(): string {
    const parts = this.children.map((c) => (c instanceof Element ? c.text : textOf(c)));
    return parts.join("");
  }

  set text(value: string) {
    this.children = [escapeText(value)];
  }

  remove(child: Element): void {
    this.children = this.children.filter((other) => other !== child);
  }

  clone(): Element {
    const children = this.children.map((c) => (c instanceof Element ? c.clone() : c));
    return new Element(this.#tag, children, this.#empty);
  }

  toString(): string {
    if (this.children.length === 0 && this.#empty) return `<${this.#tag}/>`;
    return `<${this.#tag}>${this.children.join("")}</${this.name}>`;
  }
}

/** A document: what stands before its root, the root, and what stands after. */
export interface XmlDocument {
  readonly before: string;
  readonly root: Element;
  readonly after: string;
}

export function documentText({ before, root, after }: XmlDocument): string {
  return `${before}${root}${after}`;
}

export interface Tag {
  readonly kind: "open" | "close" | "empty";
  readonly name: string;
  /** From "<" up to and with ">". */
  readonly start: number;
  readonly end: number;
}

const DEPTH = 200;

/** @throws ToolError, naming `part`, if it is not well formed. */
export function parseXml(text: string, part: string): XmlDocument {
  const top: Element[] = [];
  const open: { element: Element; name: string }[] = [];
  let at = 0;
  let before = "";
  for (let tag = nextTag(text, 0, part); tag !== undefined; tag = nextTag(text, tag.end, part)) {
    const parent = open.at(-1);
    const blank = text.slice(at, tag.start);
    if (parent !== undefined) {
      if (blank !== "") parent.element.children.push(blank);
    } else if (top.length === 0) before = blank;
    at = tag.end;
    if (tag.kind === "close") {
      if (parent?.name !== tag.name) throw malformed(part, tag.start);
      open.pop();
      continue;
    }
    const inner = text.slice(tag.start + 1, tag.end - (tag.kind === "empty" ? 2 : 1));
    const element = new Element(inner.trimEnd(), [], tag.kind === "empty");
    (parent?.element.children ?? top).push(element);
    if (tag.kind === "open") open.push({ element, name: tag.name });
    if (open.length > DEPTH) throw malformed(part, tag.start);
  }
  const [root] = top;
  if (root === undefined || top.length > 1 || open.length > 0) throw malformed(part, at);
  return { before, root, after: text.slice(at) };
}

/** The next tag at or after `from`; comments, instructions and CDATA are stepped over. */
export function nextTag(text: string, from: number, part: string): Tag | undefined {
  let start = text.indexOf("<", from);
  while (start >= 0) {
    const next = text.charCodeAt(start + 1);
    if (next !== 33 /* ! */ && next !== 63 /* ? */) break;
    const closing = text.startsWith("<!--", start)
      ? "-->"
      : text.startsWith("<![CDATA[", start)
        ? "]]>"
        : "?>";
    const end = text.indexOf(closing, start + 2);
    if (end < 0) throw malformed(part, start);
    start = text.indexOf("<", end + closing.length);
  }
  if (start < 0) return undefined;
  let end = text.indexOf(">", start);
  // An attribute's value may hold ">".
  while (end > 0 && openQuote(text, start, end)) end = text.indexOf(">", end + 1);
  if (end < 0) throw malformed(part, start);
  const close = text.charCodeAt(start + 1) === 47;
  const empty = !close && text.charCodeAt(end - 1) === 47;
  let nameEnd = start + (close ? 2 : 1);
  const nameStart = nameEnd;
  while (nameEnd < end && !isNameEnd(text.charCodeAt(nameEnd))) nameEnd++;
  if (nameEnd === nameStart) throw malformed(part, start);
  const kind = close ? "close" : empty ? "empty" : "open";
  return { kind, name: text.slice(nameStart, nameEnd), start, end: end + 1 };
}

function isNameEnd(code: number): boolean {
  return code <= 32 || code === 47 || code === 62;
}

function openQuote(text: string, start: number, end: number): boolean {
  let quote = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (quote === 0 && (code === 34 || code === 39)) quote = code;
    else if (code === quote) quote = 0;
  }
  return quote !== 0;
}

export function malformed(part: string, at: number): ToolError {
  return new ToolError(
    `The workbook's part ${part} is not well-formed XML (near character ${at}). The file is damaged.`,
  );
}

/** An attribute's value in the text of a tag. */
export function attributeOf(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : unescapeXml(value);
}

function withAttribute(tag: string, name: string, value: string | number | undefined): string {
  const pattern = new RegExp(`\\s+${name}\\s*=\\s*(?:"[^"]*"|'[^']*')`);
  const written = value === undefined ? "" : ` ${name}="${escapeAttribute(String(value))}"`;
  return pattern.test(tag) ? tag.replace(pattern, () => written) : tag + written;
}

function textOf(raw: string): string {
  const pieces = raw.split(/<!\[CDATA\[([\s\S]*?)\]\]>/);
  const plain = (piece: string) => unescapeXml(piece.replace(/<!--[\s\S]*?-->/g, ""));
  return pieces.map((piece, n) => (n % 2 === 1 ? piece : plain(piece))).join("");
}

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

export function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return NAMED[name] ?? whole;
    const code = name[1] === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (c) => (c === "&" ? "&amp;" : c === "<" ? "&lt;" : "&gt;"));
}

export function escapeAttribute(text: string): string {
  return escapeText(text)
    .replaceAll('"', "&quot;")
    .replace(/[\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
