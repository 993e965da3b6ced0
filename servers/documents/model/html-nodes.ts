import type { DefaultTreeAdapterTypes } from "parse5";
import type { Block, Inline, Look } from "./blocks.ts";

export type HtmlNode = DefaultTreeAdapterTypes.ChildNode;
export type HtmlElement = DefaultTreeAdapterTypes.Element;

export const HTML_DEPTH = 300;
const MAX_SPAN = 100;

export function isCell(node: HtmlNode): node is HtmlElement {
  return "tagName" in node && (node.tagName === "td" || node.tagName === "th");
}

export function span(cell: HtmlElement, name: string): number {
  return Math.min(MAX_SPAN, Math.max(1, Number(attribute(cell, name) ?? 1) || 1));
}

export function rowsOf(table: HtmlElement): HtmlElement[] {
  return table.childNodes.flatMap((node): HtmlElement[] => {
    if (!("tagName" in node)) return [];
    if (node.tagName === "tr") return [node];
    return ["thead", "tbody", "tfoot"].includes(node.tagName) ? rowsOf(node) : [];
  });
}

export function lookOf(node: HtmlElement): Look {
  switch (node.tagName) {
    case "b":
    case "strong":
    case "th":
      return { bold: true };
    case "i":
    case "em":
    case "cite":
      return { italic: true };
    case "u":
    case "ins":
      return { underline: true };
    case "s":
    case "del":
    case "strike":
      return { strike: true };
    case "code":
    case "kbd":
    case "samp":
    case "tt":
      return { code: true };
    case "a": {
      const link = attribute(node, "href");
      return link === undefined || /^\s*(javascript|data):/i.test(link) ? {} : { link };
    }
    default:
      return {};
  }
}

export function image(node: HtmlElement): Inline {
  const said = attribute(node, "alt") || attribute(node, "src")?.slice(0, 100) || "";
  return { text: said === "" ? "[image]" : `[image: ${said}]`, placeholder: true };
}

export function code(node: HtmlElement): Block {
  const inner = node.childNodes.find((one) => one.nodeName === "code") as HtmlElement | undefined;
  const name = /language-(\S+)/.exec((inner && attribute(inner, "class")) ?? "")?.[1];
  return { kind: "code", text: textIn(node).replace(/\n$/, ""), language: name ?? "" };
}

export function isHidden(node: HtmlElement): boolean {
  if (attribute(node, "hidden") !== undefined) return true;
  return /display\s*:\s*none/i.test(attribute(node, "style") ?? "");
}

export function inQuote(node: HtmlElement): boolean {
  return node.parentNode?.nodeName === "blockquote";
}

export function attribute(node: HtmlElement, name: string): string | undefined {
  return node.attrs.find((one) => one.name === name)?.value;
}

export function seek(parent: HtmlElement, name: string): HtmlElement | undefined {
  for (const node of parent.childNodes) {
    if (!("tagName" in node)) continue;
    if (node.tagName === name) return node;
    if (node.tagName === "head") {
      const found = seek(node, name);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function textIn(node: HtmlElement | undefined, depth = 0): string {
  if (node === undefined || depth > HTML_DEPTH) return "";
  const texts = node.childNodes.map((one): string => {
    if ("tagName" in one) return one.tagName === "br" ? "\n" : textIn(one, depth + 1);
    return "value" in one ? one.value : "";
  });
  return texts.join("");
}
