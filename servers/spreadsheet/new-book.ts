import { Zip } from "../kit/zip.ts";
import { Book, PLAIN_STYLES } from "./book.ts";
import { BOOK_ZIP } from "./book-zip.ts";
import { DECLARATION, Opc } from "./opc.ts";
import { EMPTY_SHEET, requireSheetName } from "./sheets.ts";
import { escapeAttribute } from "./xml.ts";

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** A workbook with these empty sheets, in memory. @throws ToolError for names that cannot be. */
export function newBook(path: string, sheets: readonly string[]): Book {
  const zip = new Zip(BOOK_ZIP);
  const rels = "application/vnd.openxmlformats-package.relationships+xml";
  const types =
    `${DECLARATION}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="${rels}"/>` +
    '<Default Extension="xml" ContentType="application/xml"/>' +
    `<Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/>` +
    `<Override PartName="/xl/styles.xml" ContentType="${TYPES}.styles+xml"/>` +
    `${each(sheets, (n) => `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${TYPES}.worksheet+xml"/>`)}</Types>`;
  const book =
    `${DECLARATION}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><bookViews><workbookView/></bookViews><sheets>` +
    `${each(sheets, (n, name) => `<sheet name="${escapeAttribute(name)}" sheetId="${n}" r:id="rId${n}"/>`)}</sheets></workbook>`;
  const tied = each(sheets, (n) => relation(n, "worksheet", `worksheets/sheet${n}.xml`));
  const styles = relation(sheets.length + 1, "styles", "styles.xml");
  const put = (name: string, text: string) => zip.set(name, Buffer.from(text));
  put("[Content_Types].xml", types);
  put("_rels/.rels", relations(relation(1, "officeDocument", "xl/workbook.xml")));
  put("xl/workbook.xml", book);
  put("xl/_rels/workbook.xml.rels", relations(tied + styles));
  put("xl/styles.xml", PLAIN_STYLES);
  for (const [n] of sheets.entries()) put(`xl/worksheets/sheet${n + 1}.xml`, EMPTY_SHEET);
  const made = new Book(new Opc(zip), path, "xl/workbook.xml");
  for (const [n, name] of sheets.entries()) {
    requireSheetName(undefined, name);
    const twice = sheets.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== n;
    if (twice) requireSheetName(made, name);
  }
  return made;
}

function each(sheets: readonly string[], line: (n: number, name: string) => string): string {
  return sheets.map((name, n) => line(n + 1, name)).join("");
}

function relation(id: number, type: string, target: string): string {
  return `<Relationship Id="rId${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
}

function relations(inside: string): string {
  return `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${inside}</Relationships>`;
}
