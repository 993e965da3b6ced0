import { Zip } from "../../kit/zip.ts";
import { WordFile } from "./word-file.ts";
import { WORD_ZIP } from "./word-zip.ts";
import { R, W } from "./xml.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";

export interface BlankOptions {
  readonly title: string;
  readonly author: string;
  readonly now: Date;
  readonly page: "A4" | "Letter";
  readonly landscape: boolean;
}

/** A Word file with usual styles and no text. The same options make the same bytes. */
export function blankWordFile(options: BlankOptions): WordFile {
  const zip = new Zip(WORD_ZIP);
  for (const [name, xml] of Object.entries(parts(options))) zip.set(name, Buffer.from(HEAD + xml));
  return new WordFile(zip.toBuffer());
}

function parts({ title, author, now, page, landscape }: BlankOptions): Record<string, string> {
  const [short, long] = page === "A4" ? [11906, 16838] : [12240, 15840];
  const [w, h] = landscape ? [long, short] : [short, long];
  const turned = landscape ? ' w:orient="landscape"' : "";
  const when = `${now.toISOString().slice(0, 19)}Z`;
  return {
    "[Content_Types].xml":
      `<Types xmlns="${PACKAGE}/content-types">` +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Default Extension="xml" ContentType="application/xml"/>' +
      `<Override PartName="/word/document.xml" ContentType="${TYPES}.document.main+xml"/>` +
      `<Override PartName="/word/styles.xml" ContentType="${TYPES}.styles+xml"/>` +
      `<Override PartName="/word/settings.xml" ContentType="${TYPES}.settings+xml"/>` +
      '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>' +
      "</Types>",
    "_rels/.rels":
      `<Relationships xmlns="${PACKAGE}/relationships">` +
      `<Relationship Id="rId1" Type="${R}/officeDocument" Target="word/document.xml"/>` +
      `<Relationship Id="rId2" Type="${PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
      "</Relationships>",
    "docProps/core.xml":
      `<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" ` +
      'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' +
      `<dc:title>${escaped(title)}</dc:title><dc:creator>${escaped(author)}</dc:creator>` +
      `<cp:lastModifiedBy>${escaped(author)}</cp:lastModifiedBy>` +
      `<dcterms:created xsi:type="dcterms:W3CDTF">${when}</dcterms:created>` +
      `<dcterms:modified xsi:type="dcterms:W3CDTF">${when}</dcterms:modified></cp:coreProperties>`,
    "word/_rels/document.xml.rels":
      `<Relationships xmlns="${PACKAGE}/relationships">` +
      `<Relationship Id="rId1" Type="${R}/styles" Target="styles.xml"/>` +
      `<Relationship Id="rId2" Type="${R}/settings" Target="settings.xml"/></Relationships>`,
    "word/document.xml":
      `<w:document xmlns:w="${W}" xmlns:r="${R}"><w:body><w:sectPr>` +
      `<w:pgSz w:w="${w}" w:h="${h}"${turned}/>` +
      '<w:pgMar w:top="1417" w:right="1417" w:bottom="1417" w:left="1417" w:header="708" w:footer="708" w:gutter="0"/>' +
      "</w:sectPr></w:body></w:document>",
    "word/settings.xml":
      `<w:settings xmlns:w="${W}"><w:defaultTabStop w:val="708"/>` +
      '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>' +
      "</w:settings>",
    "word/styles.xml": `<w:styles xmlns:w="${W}">${DEFAULTS}${Object.values(STYLES).join("")}</w:styles>`,
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const DEFAULTS =
  "<w:docDefaults><w:rPrDefault><w:rPr>" +
  '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Calibri" w:cs="Calibri"/>' +
  '<w:sz w:val="22"/><w:szCs w:val="22"/><w:lang w:val="en-US"/></w:rPr></w:rPrDefault>' +
  '<w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="264" w:lineRule="auto"/></w:pPr></w:pPrDefault>' +
  "</w:docDefaults>";

function paragraphStyle(id: string, name: string, pPr: string, rPr: string, more = ""): string {
  return (
    `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/>` +
    `<w:basedOn w:val="Normal"/>${more}<w:qFormat/>` +
    `<w:pPr>${pPr}</w:pPr><w:rPr>${rPr}</w:rPr></w:style>`
  );
}

function heading(level: number): string {
  const size = [32, 26, 24, 22, 22, 22][level - 1] ?? 22;
  const pPr =
    `<w:keepNext/><w:keepLines/><w:spacing w:before="${level === 1 ? 240 : 160}" w:after="80"/>` +
    `<w:outlineLvl w:val="${level - 1}"/>`;
  const rPr = `<w:b/><w:bCs/><w:sz w:val="${size}"/><w:szCs w:val="${size}"/>`;
  const next = '<w:next w:val="Normal"/>';
  return paragraphStyle(`Heading${level}`, `heading ${level}`, pPr, rPr, next);
}

const BORDERS = ["top", "left", "bottom", "right", "insideH", "insideV"]
  .map((side) => `<w:${side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>`)
  .join("");

/** Styles by the names that Word gives them; missing ones are added to a file when needed. */
export const STYLES: Readonly<Record<string, string>> = {
  Normal:
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>',
  "Default Paragraph Font":
    '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont"><w:name w:val="Default Paragraph Font"/></w:style>',
  "Normal Table":
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/>' +
    '<w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>',
  "heading 1": heading(1),
  "heading 2": heading(2),
  "heading 3": heading(3),
  "heading 4": heading(4),
  "heading 5": heading(5),
  "heading 6": heading(6),
  "List Paragraph": paragraphStyle(
    "ListParagraph",
    "List Paragraph",
    '<w:ind w:left="720"/><w:contextualSpacing/>',
    "",
  ),
  Quote: paragraphStyle("Quote", "Quote", '<w:ind w:left="567" w:right="567"/>', "<w:i/><w:iCs/>"),
  Code: paragraphStyle(
    "Code",
    "Code",
    '<w:spacing w:after="0" w:line="240" w:lineRule="auto"/><w:ind w:left="284"/>',
    '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas" w:cs="Consolas"/><w:sz w:val="20"/>',
  ),
  Hyperlink:
    '<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/><w:basedOn w:val="DefaultParagraphFont"/><w:rPr><w:color w:val="0563C1"/><w:u w:val="single"/></w:rPr></w:style>',
  "Table Grid": `<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:basedOn w:val="TableNormal"/><w:tblPr><w:tblBorders>${BORDERS}</w:tblBorders></w:tblPr></w:style>`,
  header: paragraphStyle(
    "Header",
    "header",
    '<w:tabs><w:tab w:val="center" w:pos="4536"/><w:tab w:val="right" w:pos="9072"/></w:tabs><w:spacing w:after="0"/>',
    "",
  ),
  footer: paragraphStyle(
    "Footer",
    "footer",
    '<w:tabs><w:tab w:val="center" w:pos="4536"/><w:tab w:val="right" w:pos="9072"/></w:tabs><w:spacing w:after="0"/>',
    "",
  ),
};
