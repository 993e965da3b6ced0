import { type DefaultTreeAdapterTypes, parse } from "parse5";
import type { Fields } from "./fields.ts";
import { fieldName } from "./front-matter.ts";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

export interface HtmlText {
  readonly title: string;
  /** From `<meta name="…" content="…">`. */
  readonly fields: Fields;
  readonly text: string;
}

const SILENT = new Set(
  "head title script style template noscript svg iframe textarea select".split(" "),
);
const OWN_LINE = new Set(
  (
    "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form " +
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul caption"
  ).split(" "),
);
const NO_FIELDS = new Set(["viewport", "generator", "robots", "color-scheme", "theme-color"]);

/** A page as a reader has it: its title, what it says of itself, and its text line by line. */
export function htmlText(source: string): HtmlText {
  const document = parse(source);
  const fields: Record<string, string> = {};
  let [title, heading] = ["", ""];
  const lines = new Lines();
  for (const step of walk(document)) {
    const { node } = step;
    if (!("tagName" in node)) {
      if ("value" in node && node.nodeName === "#text") lines.add(node.value);
      continue;
    }
    const tag = node.tagName;
    if (step.leaving) {
      if (tag === "dt") lines.add(": ");
      else if (OWN_LINE.has(tag)) lines.end();
      continue;
    }
    if (tag === "title" && title === "") title = plain(node);
    if (tag === "h1" && heading === "") heading = plain(node);
    if (tag === "meta") {
      const [name, content] = [attribute(node, "name"), attribute(node, "content")];
      if (name && content && !NO_FIELDS.has(name)) fields[fieldName(name)] = content;
    }
    if (OWN_LINE.has(tag) && tag !== "dd") lines.end();
    if (/^h[1-6]$/.test(tag)) lines.add(`${"#".repeat(Number(tag[1]))} `);
    if (tag === "li") lines.add("- ");
    if (tag === "td" || tag === "th") lines.cell();
    if (tag === "img") lines.add(attribute(node, "alt") ?? "");
  }
  return { title: title || heading, fields, text: lines.text() };
}

/** The value of an attribute, if it is there. */
export function attribute(node: Element, name: string): string | undefined {
  return node.attrs.find((each) => each.name === name)?.value;
}

/** Every node in the order of the page, elements twice; not by recursion, which depth could end. */
export function* walk(root: Node): Generator<{ readonly node: Node; readonly leaving: boolean }> {
  const stack: { node: Node; leaving: boolean }[] = [{ node: root, leaving: false }];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { node, leaving } = step;
    yield step;
    if (leaving || !("childNodes" in node)) continue;
    stack.push({ node, leaving: true });
    const silent = node !== root && "tagName" in node && SILENT.has(node.tagName);
    const inside = silent ? facts(node) : node.childNodes;
    for (let at = inside.length - 1; at >= 0; at--) {
      const child = inside[at];
      if (child !== undefined) stack.push({ node: child, leaving: false });
    }
  }
}

/** Of what is silent, a head still says title and meta. */
function facts(node: Element): readonly Node[] {
  return node.tagName === "head" ? node.childNodes.filter((each) => "tagName" in each) : [];
}

/** The text of an element in one line. */
export function plain(node: Element): string {
  const parts: string[] = [];
  for (const { node: each } of walk(node)) {
    if (each.nodeName === "#text" && "value" in each) parts.push(each.value);
  }
  return parts.join("").replaceAll(/\s+/g, " ").trim();
}

/** Lines of text with the blanks of HTML made one. */
class Lines {
  readonly #lines: string[] = [];
  #line = "";

  add(text: string): void {
    const next = text.replaceAll(/[\s\u00a0]+/g, " ");
    this.#line += this.#line === "" || this.#line.endsWith(" ") ? next.trimStart() : next;
  }

  /** A new cell of a table's row. */
  cell(): void {
    if (this.#line !== "") this.#line = `${this.#line.trimEnd()} | `;
  }

  end(): void {
    if (this.#line.trim() !== "") this.#lines.push(this.#line.trim());
    this.#line = "";
  }

  text(): string {
    this.end();
    return this.#lines.join("\n");
  }
}
