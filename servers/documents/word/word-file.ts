import { posix } from "node:path";
import { ToolError } from "../../kit/tool-error.ts";
import type { Zip } from "../../kit/zip.ts";
import { openWordZip } from "./word-zip.ts";
import {
  attr,
  type Document,
  type Element,
  elements,
  make,
  nameOf,
  parseXml,
  W,
  xmlBytes,
} from "./xml.ts";

const RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPES = "[Content_Types].xml";
const WORDML = "application/vnd.openxmlformats-officedocument.wordprocessingml.";
const OLE = Buffer.from("d0cf11e0a1b11ae1", "hex");
/** How encrypted packages name their content, in UTF-16. */
const ENCRYPTED = Buffer.from("EncryptedPackage", "utf16le");

export interface Relation {
  readonly id: string;
  /** The last word of its type: "header", "hyperlink". */
  readonly type: string;
  readonly target: string;
  readonly external: boolean;
}

/**
 * A Word file, opened for reading and editing in place. Parts are parsed when asked for; parts that
 * nobody changed keep their bytes.
 */
export class WordFile {
  readonly #zip: Zip;
  readonly #parsed = new Map<string, Document>();
  readonly #changed = new Set<string>();
  /** The part that holds the text, usually word/document.xml. */
  readonly main: string;

  /** @throws ToolError for what is no Word file, is encrypted, or is beyond the limits. */
  constructor(bytes: Buffer) {
    if (bytes.subarray(0, 8).equals(OLE)) throw oldOrEncrypted(bytes);
    this.#zip = openWordZip(bytes);
    const root = this.relations("").find(({ type }) => type === "officeDocument");
    if (root === undefined || !this.#zip.has(root.target)) {
      throw new ToolError(`The file is a zip archive, but no Word document: ${guess(this.#zip)}`);
    }
    this.main = root.target;
    const body = this.part(this.main).documentElement;
    if (body?.localName === "document" && body.namespaceURI === W) return;
    if (body?.localName === "document" && /purl\.oclc\.org/.test(body.namespaceURI ?? "")) {
      throw new ToolError(
        'The file is of the kind "Strict Open XML", which is not supported here. ' +
          'Ask for a copy saved as "Word Document (.docx)".',
      );
    }
    throw new ToolError(`The file is no Word document: ${guess(this.#zip)}`);
  }

  get names(): string[] {
    return this.#zip.names;
  }

  get document(): Document {
    return this.part(this.main);
  }

  get body(): Element {
    const root = this.document.documentElement;
    const body = root === null ? undefined : elements(root).find((one) => nameOf(one) === "w:body");
    if (body === undefined) throw new ToolError("The Word document has no body; it is damaged.");
    return body;
  }

  has(part: string): boolean {
    return this.#parsed.has(part) || this.#zip.has(part);
  }

  part(name: string): Document {
    const known = this.#parsed.get(name);
    if (known !== undefined) return known;
    const document = parseXml(this.#zip.read(name), name);
    this.#parsed.set(name, document);
    return document;
  }

  /** A part for reading only, its text shortened before it is parsed, unless it is parsed already. */
  glance(name: string, shorten: (text: string) => string): Document {
    const known = this.#parsed.get(name);
    if (known !== undefined) return known;
    const bytes = this.#zip.read(name);
    if ((bytes[0] ?? 0) >= 0xfe) return this.part(name); // UTF-16
    return parseXml(Buffer.from(shorten(bytes.toString("utf8"))), name);
  }

  /** Says that a part which was read was changed; else it keeps its old bytes. */
  touch(name: string): void {
    this.#changed.add(name);
  }

  /** The relations of a part ("" for the package's own), targets as names of parts. */
  relations(part: string): Relation[] {
    const name = relationsOf(part);
    if (!this.has(name)) return [];
    const root = this.part(name).documentElement;
    const all = root === null ? [] : elements(root);
    return all.map((one) => {
      const external = one.getAttribute("TargetMode") === "External";
      const said = one.getAttribute("Target") ?? "";
      return {
        id: one.getAttribute("Id") ?? "",
        type: (one.getAttribute("Type") ?? "").split("/").at(-1) ?? "",
        target: external ? said : resolved(part, said),
        external,
      };
    });
  }

  /** The part that `type` of the main part leads to: "styles", "numbering", "comments". */
  related(type: string): string | undefined {
    const found = this.relations(this.main).find((one) => one.type === type && !one.external);
    return found !== undefined && this.has(found.target) ? found.target : undefined;
  }

  /** Parts of running text: the body, headers, footers, notes. */
  textParts(): string[] {
    const kinds = ["header", "footer", "footnotes", "endnotes"];
    const targets = this.relations(this.main)
      .filter(({ type, external }) => kinds.includes(type) && !external)
      .map(({ target }) => target);
    return [this.main, ...new Set(targets.filter((name) => this.has(name)))];
  }

  /** The part of this relation, made of `xml` if there is none yet. */
  requirePart(type: string, fresh: { name: string; content: string; xml: string }): string {
    return this.related(type) ?? this.addPart(type, fresh).name;
  }

  addPart(
    type: string,
    { name, content, xml }: { name: string; content: string; xml: string },
  ): { name: string; id: string } {
    const folder = posix.dirname(this.main);
    const [stem = "", end = ""] = [name.replace(/\.xml$/, ""), ".xml"];
    let free = posix.join(folder, `${stem}${end}`);
    for (let n = 1; this.has(free); n++) free = posix.join(folder, `${stem}${n}${end}`);
    this.#parsed.set(free, parseXml(Buffer.from(xml), free));
    this.touch(free);
    this.#addType(free, content.includes("/") ? content : `${WORDML}${content}+xml`);
    return { name: free, id: this.addRelation(this.main, type, free) };
  }

  /** Adds a relation of a part; its id. `type`: the last word, or a whole URI. */
  addRelation(part: string, type: string, target: string, external = false): string {
    const name = relationsOf(part);
    if (!this.has(name)) {
      const empty = `<Relationships xmlns="${RELATIONS}"/>`;
      this.#parsed.set(name, parseXml(Buffer.from(empty), name));
    }
    const document = this.part(name);
    const taken = new Set(this.relations(part).map(({ id }) => id));
    let number = taken.size + 1;
    while (taken.has(`rId${number}`)) number++;
    const one = document.createElementNS(RELATIONS, "Relationship");
    one.setAttribute("Id", `rId${number}`);
    one.setAttribute("Type", type.includes(":") ? type : `${OFFICE}/${type}`);
    one.setAttribute("Target", external ? target : posix.relative(posix.dirname(part), target));
    if (external) one.setAttribute("TargetMode", "External");
    document.documentElement?.appendChild(one);
    this.touch(name);
    return `rId${number}`;
  }

  #addType(part: string, type: string): void {
    const document = this.part(TYPES);
    const root = document.documentElement;
    const one = document.createElementNS(root?.namespaceURI ?? null, "Override");
    one.setAttribute("PartName", `/${part}`);
    one.setAttribute("ContentType", type);
    root?.appendChild(one);
    this.touch(TYPES);
  }

  /** @throws ToolError if an edit would break what the file promises. */
  requireEditable(): void {
    if (this.names.some((name) => name.startsWith("_xmlsignatures/"))) {
      throw new ToolError(
        "The document is digitally signed; an edit would break the signature. " +
          "Make a new document with convert_document or create_document instead.",
      );
    }
  }

  bytes(): Buffer {
    for (const name of this.#changed) {
      const document = this.#parsed.get(name);
      if (document !== undefined) this.#zip.set(name, xmlBytes(document));
    }
    return this.#zip.toBuffer();
  }

  /** A new element in a document of this file, for chains of calls. */
  make(...args: Parameters<typeof make> extends [unknown, ...infer Rest] ? Rest : never): Element {
    return make(this.document, ...args);
  }

  setting(name: string): boolean {
    const part = this.related("settings");
    const root = part === undefined ? undefined : this.part(part).documentElement;
    const found = root ? elements(root).find((one) => nameOf(one) === name) : undefined;
    if (found === undefined) return false;
    return !["0", "false", "off"].includes(attr(found, "w:val") ?? "1");
  }
}

function relationsOf(part: string): string {
  if (part === "") return "_rels/.rels";
  return posix.join(posix.dirname(part), "_rels", `${posix.basename(part)}.rels`);
}

function resolved(part: string, target: string): string {
  if (target.startsWith("/")) return target.slice(1);
  return posix.join(posix.dirname(part === "" ? "x" : part), target);
}

function oldOrEncrypted(bytes: Buffer): ToolError {
  const encrypted = bytes.includes(ENCRYPTED);
  return new ToolError(
    encrypted
      ? "The file is protected by a password and cannot be opened here. Ask for a copy without."
      : "The file is of the old binary kind (.doc, .xls, .ppt), which cannot be opened here. " +
          "Ask for a copy saved as .docx.",
  );
}

function guess(zip: Zip): string {
  const has = (start: string) => zip.names.some((name) => name.startsWith(start));
  if (has("xl/")) return "it is an Excel workbook. Use the spreadsheet tools.";
  if (has("ppt/")) return "it is a PowerPoint presentation, which these tools do not read.";
  if (zip.has("mimetype"))
    return "it is an OpenDocument or EPUB file. Ask for it as .docx or .pdf.";
  const names = zip.names.slice(0, 5).join(", ");
  return `it holds ${names === "" ? "nothing" : names}. List or unpack it with unzip in the terminal.`;
}
