import { posix } from "node:path";
import { ToolError } from "../kit/tool-error.ts";
import type { Zip } from "../kit/zip.ts";
import { openBookZip } from "./book-zip.ts";
import { documentText, Element, parseXml, type XmlDocument } from "./xml.ts";

export interface Relation {
  readonly id: string;
  /** The last part of the type's address, such as "worksheet". */
  readonly type: string;
  /** Name of the part; for what lies outside the address as it is. */
  readonly target: string;
  readonly external: boolean;
  readonly element: Element;
}

const TYPES = "[Content_Types].xml";
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";

/** A package of parts: XML read once, and written only if it was changed. */
export class Opc {
  readonly #zip: Zip;
  readonly #texts = new Map<string, string>();
  readonly #documents = new Map<string, XmlDocument>();
  readonly #byLowerCase: Map<string, string>;

  constructor(zip: Zip) {
    this.#zip = zip;
    this.#byLowerCase = new Map(zip.names.map((name) => [name.toLowerCase(), name]));
  }

  static open(bytes: Buffer, path: string): Opc {
    return new Opc(openBookZip(bytes, path));
  }

  get parts(): string[] {
    return this.#zip.names;
  }

  get inflatedBytes(): number {
    return this.#zip.inflatedBytes;
  }

  has(part: string): boolean {
    return this.#byLowerCase.has(part.toLowerCase());
  }

  /** A part's text, its main namespace without a prefix. */
  text(part: string): string {
    const text = decoded(this.#zip.read(this.#real(part)), part);
    this.#texts.set(part, text);
    return text;
  }

  xml(part: string): XmlDocument {
    const known = this.#documents.get(part);
    if (known !== undefined) return known;
    const document = parseXml(this.text(part), part);
    this.#documents.set(part, document);
    return document;
  }

  /** Puts a text that came from `text(part)`; does nothing if it is the same still. */
  setText(part: string, text: string): void {
    if (this.#texts.get(part) === text) return;
    this.#texts.set(part, text);
    this.#documents.delete(part);
    this.#put(part, Buffer.from(text));
  }

  /** Adds a part of this content type. */
  add(part: string, text: string, contentType: string): void {
    this.setText(part, text);
    this.addType(part, contentType);
  }

  addType(part: string, contentType: string): void {
    const types = this.xml(TYPES).root;
    const name = `/${part}`;
    if (types.elements.some((e) => e.get("PartName") === name)) return;
    types.children.push(
      new Element("Override").set("PartName", name).set("ContentType", contentType),
    );
  }

  typeOf(part: string): string | undefined {
    const all = this.xml(TYPES).root.elements;
    const own = all.find((e) => e.get("PartName")?.toLowerCase() === `/${part}`.toLowerCase());
    const extension = posix.extname(part).slice(1).toLowerCase();
    const byExtension = all.find((e) => e.get("Extension")?.toLowerCase() === extension);
    return (own ?? byExtension)?.get("ContentType");
  }

  copy(from: string, to: string): void {
    this.#zip.copy(this.#real(from), to);
    this.#byLowerCase.set(to.toLowerCase(), to);
    const type = this.typeOf(from);
    if (type !== undefined && this.typeOf(to) !== type) this.addType(to, type);
  }

  /** Takes a part away with its own relations. */
  remove(part: string): void {
    for (const name of [part, relationsOf(part)]) {
      const real = this.#real(name);
      this.#zip.remove(real);
      this.#byLowerCase.delete(name.toLowerCase());
      this.#documents.delete(name);
      this.#texts.delete(name);
    }
    const types = this.xml(TYPES).root;
    const name = `/${part}`.toLowerCase();
    types.children = types.children.filter((child) => {
      return typeof child === "string" || child.get("PartName")?.toLowerCase() !== name;
    });
  }

  relations(part: string): Relation[] {
    const file = relationsOf(part);
    if (!this.has(file)) return [];
    return this.xml(file).root.elements.map((element) => {
      const target = element.get("Target") ?? "";
      const external = element.get("TargetMode") === "External";
      const type = element.get("Type")?.split("/").at(-1) ?? "";
      const place = external ? target : resolved(part, target);
      return { id: element.get("Id") ?? "", type, target: place, external, element };
    });
  }

  /** Ties `target` to `part`; its id is the answer. */
  relate(part: string, type: string, target: string): string {
    const file = relationsOf(part);
    if (!this.has(file)) {
      this.setText(file, `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships"/>`);
    }
    const taken = new Set(this.relations(part).map(({ id }) => id));
    let number = 1;
    while (taken.has(`rId${number}`)) number++;
    const made = new Element("Relationship")
      .set("Id", `rId${number}`)
      .set("Type", type.includes(":") ? type : `${RELATIONS}/${type}`)
      .set("Target", `/${target}`);
    this.xml(file).root.children.push(made);
    return `rId${number}`;
  }

  unrelate(part: string, id: string): void {
    const found = this.relations(part).find((relation) => relation.id === id);
    if (found !== undefined) this.xml(relationsOf(part)).root.remove(found.element);
  }

  /** A name for a new part, such as "xl/tables/table3.xml". */
  freeName(before: string, after: string): string {
    let number = 1;
    while (this.has(`${before}${number}${after}`)) number++;
    return `${before}${number}${after}`;
  }

  toBuffer(): Buffer {
    for (const [part, document] of [...this.#documents]) this.#write(part, document);
    return this.#zip.toBuffer();
  }

  #write(part: string, document: XmlDocument): void {
    const text = documentText(document);
    if (this.#texts.get(part) === text) return;
    this.#texts.set(part, text);
    this.#put(part, Buffer.from(text));
  }

  #put(part: string, bytes: Buffer): void {
    const real = this.#real(part);
    this.#zip.set(real, bytes);
    this.#byLowerCase.set(part.toLowerCase(), real);
  }

  #real(part: string): string {
    return this.#byLowerCase.get(part.toLowerCase()) ?? part;
  }
}

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

export function relationsOf(part: string): string {
  return posix.join(posix.dirname(part), "_rels", `${posix.basename(part)}.rels`);
}

function resolved(part: string, target: string): string {
  const base = part === "" ? "/" : `/${posix.dirname(part)}`;
  return posix.resolve(base, decodeName(target)).slice(1);
}

function decodeName(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

function decoded(bytes: Buffer, part: string): string {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (bytes[0] === 0xfe && bytes[1] === 0xff) throw strange(part, "UTF-16 with big ends first");
  const text = bytes.toString(wide ? "utf16le" : "utf8").replace(/^\uFEFF/, "");
  const head = text.slice(0, 200);
  const encoding = /<\?xml[^>]*encoding\s*=\s*["']([^"']+)/.exec(head)?.[1]?.toLowerCase();
  if (encoding !== undefined && !wide && !["utf-8", "utf8", "us-ascii"].includes(encoding)) {
    throw strange(part, encoding);
  }
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw new ToolError(
      `The workbook's part ${part} declares a document type or entities, which no workbook needs ` +
        "and which can be an attack. It is not opened.",
    );
  }
  const readable = wide ? text.replace(/encoding\s*=\s*["'][^"']+["']/, 'encoding="UTF-8"') : text;
  return withoutPrefix(readable, part);
}

/** Some writers give the main namespace a prefix, `<x:row>`; here it has none. */
function withoutPrefix(text: string, part: string): string {
  const root = /<([A-Za-z][\w.-]*):[A-Za-z]+[\s>/]/.exec(text);
  const first = /<[A-Za-z]/.exec(text);
  if (root === null || root.index !== first?.index) return text;
  const [, prefix = ""] = root;
  if (/\sxmlns\s*=/.test(text)) return text;
  if (!/^xl\/|Content_Types|\.rels$/.test(part)) return text;
  if (/^xl\/(?:drawings|charts|theme)/.test(part)) return text;
  return text
    .replaceAll(`<${prefix}:`, "<")
    .replaceAll(`</${prefix}:`, "</")
    .replace(new RegExp(`xmlns:${prefix}\\s*=`), "xmlns=");
}

function strange(part: string, encoding: string): ToolError {
  return new ToolError(
    `The workbook's part ${part} is written in ${encoding}; only UTF-8 is read here.`,
  );
}
