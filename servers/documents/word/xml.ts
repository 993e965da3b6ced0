import { DOMParser, type Document, type Element, type Node, XMLSerializer } from "@xmldom/xmldom";
import { ToolError } from "../../kit/tool-error.ts";
import { LIMITS } from "../limits.ts";

export type { Document, Element, Node };

export const W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
export const R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
export const W14 = "http://schemas.microsoft.com/office/word/2010/wordml";
export const W15 = "http://schemas.microsoft.com/office/word/2012/wordml";
const MC = "http://schemas.openxmlformats.org/markup-compatibility/2006";
const XMLNS = "http://www.w3.org/2000/xmlns/";
const PREFIXES: Readonly<Record<string, string>> = { w: W, r: R, w14: W14, w15: W15, mc: MC };
const NAMES = new Map(Object.entries(PREFIXES).map(([prefix, uri]) => [uri, prefix]));

/** @throws ToolError, naming `part`, if it is not plain well-formed XML. No entity is ever read. */
export function parseXml(bytes: Buffer, part: string): Document {
  const text = decoded(bytes);
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) {
    throw new ToolError(
      `The document's part ${part} declares a document type, which no Word document does and ` +
        "which can hide harm. It is not opened.",
    );
  }
  requireShallow(text, part);
  const onError = (level: "warning" | "error" | "fatalError", message: string) => {
    if (level !== "warning") throw new Error(message);
  };
  try {
    return new DOMParser({ onError, locator: false }).parseFromString(text, "text/xml");
  } catch (cause) {
    throw new ToolError(`The document's part ${part} is damaged: it is not well-formed XML.`, {
      cause,
    });
  }
}

export function xmlBytes(document: Document): Buffer {
  const text = new XMLSerializer().serializeToString(document);
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  return Buffer.from(text.startsWith("<?xml") ? withUtf8(text) : head + text);
}

function withUtf8(text: string): string {
  return text.replace(/^<\?xml[^>]*\?>/, (head) =>
    head.replace(/encoding=(["'])[^"']*\1/i, 'encoding="UTF-8"'),
  );
}

function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder("utf-8").decode(bytes);
}

function requireShallow(text: string, part: string): void {
  let depth = 0;
  for (const [tag] of text.matchAll(/<[^!?][^>]*>/g)) {
    if (tag.startsWith("</")) depth--;
    else if (!tag.endsWith("/>")) depth++;
    if (depth > LIMITS.xmlDepth) {
      throw new ToolError(`The document's part ${part} is nested deeper than a document is.`);
    }
  }
}

/** The name with the prefix that everybody uses, whatever the file's prefix is: "w:p". */
export function nameOf(node: Node): string {
  if (node.nodeType !== 1) return "";
  const prefix = NAMES.get(node.namespaceURI ?? "");
  return prefix === undefined ? node.nodeName : `${prefix}:${node.localName ?? ""}`;
}

export function is(node: Node | null | undefined, name: string): node is Element {
  return node !== null && node !== undefined && nameOf(node) === name;
}

export function elements(parent: Node): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1) found.push(node as Element);
  }
  return found;
}

export function childOf(parent: Node | undefined, name: string): Element | undefined {
  return parent === undefined ? undefined : elements(parent).find((one) => is(one, name));
}

export function childrenOf(parent: Node, name: string): Element[] {
  return elements(parent).filter((one) => is(one, name));
}

/** Every element inside of this name, in document order; not `root` itself. */
export function descendants(root: Node, ...names: readonly string[]): Element[] {
  const wanted = new Set(names);
  const found: Element[] = [];
  const visit = (parent: Node) => {
    for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
      if (node.nodeType !== 1) continue;
      if (wanted.has(nameOf(node))) found.push(node as Element);
      visit(node);
    }
  };
  visit(root);
  return found;
}

/** The nearest element around of one of these names. */
export function around(node: Node, ...names: readonly string[]): Element | undefined {
  for (let up = node.parentNode; up !== null; up = up.parentNode) {
    if (names.includes(nameOf(up))) return up as Element;
  }
  return undefined;
}

/** An attribute of the w namespace (or another: "r:id"), by its usual name. */
export function attr(element: Element | undefined, name: string): string | undefined {
  if (element === undefined) return undefined;
  const [prefix = "", local = ""] = name.split(":");
  const value = element.getAttributeNS(PREFIXES[prefix] ?? null, local);
  return value === null || value === "" ? undefined : value;
}

export function setAttr(element: Element, name: string, value: string): void {
  const [prefix = ""] = name.split(":");
  const uri = PREFIXES[prefix] ?? null;
  if (name === "xml:space") element.setAttribute("xml:space", value);
  else element.setAttributeNS(uri, uri === null ? name : prefixed(element, name), value);
}

/** The value of `w:val` of a child, such as the style's id of `w:pStyle`. */
export function valOf(parent: Element | undefined, name: string): string | undefined {
  return attr(childOf(parent, name), "w:val");
}

/** Whether a switch such as `w:b` is on in these properties. */
export function isOn(properties: Element | undefined, name: string): boolean {
  const found = childOf(properties, name);
  if (found === undefined) return false;
  return !["0", "false", "off", "none"].includes(attr(found, "w:val") ?? "1");
}

/** A new element of a usual name with attributes and children. */
export function make(
  document: Document,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly (Node | string)[] = [],
): Element {
  const [prefix = ""] = name.split(":");
  const root = document.documentElement;
  const own = root === null ? name : prefixed(root, name);
  const element = document.createElementNS(PREFIXES[prefix] ?? null, own);
  for (const [key, value] of Object.entries(attributes)) setAttr(element, key, value);
  for (const child of children) {
    element.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
  return element;
}

/** The name with the prefix that the file itself has for its namespace. */
function prefixed(element: Element, name: string): string {
  const [prefix = "", local = ""] = name.split(":");
  const uri = PREFIXES[prefix];
  if (uri === undefined) return name;
  const own = element.lookupPrefix(uri);
  return own === null || own === undefined || own === "" ? name : `${own}:${local}`;
}

/** Declares a namespace at the root, so that elements of it need not say it themselves. */
export function declareNamespace(document: Document, prefix: string, ignorable = false): void {
  const root = document.documentElement;
  const uri = PREFIXES[prefix];
  if (root === null || uri === undefined) return;
  if ((root.lookupPrefix(uri) ?? "") === "") {
    root.setAttributeNS(XMLNS, `xmlns:${prefix}`, uri);
  }
  if (!ignorable) return;
  declareNamespace(document, "mc");
  const own = root.lookupPrefix(uri) ?? prefix;
  const said = root.getAttributeNS(MC, "Ignorable") ?? "";
  if (!said.split(/\s+/).includes(own)) {
    root.setAttributeNS(MC, prefixed(root, "mc:Ignorable"), `${said} ${own}`.trim());
  }
}

export function remove(node: Node): void {
  node.parentNode?.removeChild(node);
}

export function insertAfter(node: Node, place: Node): void {
  place.parentNode?.insertBefore(node, place.nextSibling);
}

/** Puts the children where the element stood. */
export function unwrap(element: Element): void {
  const parent = element.parentNode;
  if (parent === null) return;
  while (element.firstChild !== null) parent.insertBefore(element.firstChild, element);
  parent.removeChild(element);
}
