import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { attribute, htmlText, plain, walk } from "../search/html-text.ts";

type Element = DefaultTreeAdapterTypes.Element;

export interface ReadablePage {
  readonly title: string;
  readonly text: string;
  readonly links: readonly { readonly text: string; readonly href: string }[];
  readonly forms: readonly ReadableForm[];
}

export interface ReadableForm {
  readonly method: string;
  readonly action: string;
  /** As "name: label (kind, value)". */
  readonly fields: readonly string[];
}

/** A page for who has no browser: its text, where its links lead, what its forms ask. */
export function readablePage(source: string): ReadablePage {
  const { title, text } = htmlText(source);
  const document = parse(source);
  const links: { text: string; href: string }[] = [];
  const forms = new Map<Element | string, ReadableForm & { fields: string[] }>();
  const labels = new Map<string, string>();
  const open: Element[] = [];
  for (const { node, leaving } of walk(document)) {
    if (!("tagName" in node)) continue;
    if (leaving) {
      if (open.at(-1) === node) open.pop();
      continue;
    }
    const href = attribute(node, "href");
    if (node.tagName === "a" && href) links.push({ text: plain(node), href });
    if (node.tagName === "label") labels.set(attribute(node, "for") ?? "", plain(node));
    if (node.tagName === "form") {
      open.push(node);
      const method = (attribute(node, "method") ?? "get").toUpperCase();
      forms.set(node, { method, action: attribute(node, "action") ?? "", fields: [] });
    }
    const form = open.at(-1);
    const field = fieldOf(node, labels);
    if (form !== undefined && field !== undefined) forms.get(form)?.fields.push(field);
  }
  return { title, text, links, forms: [...forms.values()] };
}

function fieldOf(node: Element, labels: ReadonlyMap<string, string>): string | undefined {
  const name = attribute(node, "name");
  if (name === undefined) return undefined;
  const tag = node.tagName;
  if (tag !== "input" && tag !== "select" && tag !== "textarea") return undefined;
  const label = labels.get(attribute(node, "id") ?? "") ?? attribute(node, "aria-label");
  const kind = tag === "input" ? (attribute(node, "type") ?? "text") : tag;
  const value = attribute(node, "value");
  const said = value ? `${kind}, ${value}` : kind;
  return label ? `${name}: ${label} (${said})` : `${name} (${said})`;
}
