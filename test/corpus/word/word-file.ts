import { WORD_ZIP } from "../../../servers/documents/word/word-zip.ts";
import { Zip } from "../../../servers/kit/zip.ts";

const NAMESPACES = [
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"',
  'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"',
  'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"',
  'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"',
  'xmlns:v="urn:schemas-microsoft-com:vml"',
  'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"',
].join(" ");
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml";
const RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";

/** A Word file with this body; `notes` are its footnotes, by id. */
export function wordFile(body: string, notes: Readonly<Record<string, string>> = {}): Buffer {
  const zip = new Zip(WORD_ZIP);
  const set = (name: string, xml: string) => zip.set(name, Buffer.from(`${HEAD}${xml}`));
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${RELATION}/${type}" Target="${target}"/>`;
  const relations = (...all: readonly string[]) =>
    `<Relationships xmlns="${PACKAGE}/relationships">${all.join("")}</Relationships>`;
  const part = (name: string, kind: string) =>
    `<Override PartName="/${name}" ContentType="${TYPE}.${kind}+xml"/>`;
  set(
    "[Content_Types].xml",
    `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${part("word/document.xml", "document.main")}${part("word/footnotes.xml", "footnotes")}</Types>`,
  );
  set("_rels/.rels", relations(relation("rId1", "officeDocument", "word/document.xml")));
  set("word/document.xml", `<w:document ${NAMESPACES}><w:body>${body}</w:body></w:document>`);
  set("word/_rels/document.xml.rels", relations(relation("rId1", "footnotes", "footnotes.xml")));
  const each = Object.entries(notes).map(
    ([id, xml]) => `<w:footnote w:id="${id}">${xml}</w:footnote>`,
  );
  const separator = '<w:footnote w:type="separator" w:id="-1"><w:p/></w:footnote>';
  set(
    "word/footnotes.xml",
    `<w:footnotes ${NAMESPACES}>${separator}${each.join("")}</w:footnotes>`,
  );
  return zip.toBuffer();
}
