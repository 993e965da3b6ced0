import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import { storedFormula } from "../../../../servers/spreadsheet/stored-formula.ts";
import { DATA } from "../formulas.ts";

/** A typed value; a number with a format of its own is a day, a duration or an error's name. */
type Typed =
  | string
  | number
  | boolean
  | null
  | { readonly day: number }
  | { readonly hours: number }
  | { readonly error: string };

export interface MatrixFormula {
  readonly family: string;
  /** As `formulas.txt` has it, in braces if it computes with lists. */
  readonly said: string;
  readonly formula: string;
  readonly asArray: boolean;
}

const COLUMN = "H";

const ODD: readonly (readonly Typed[])[] = [
  [null, "abc", 1, 3],
  ["", "a*c", 2, null],
  ["5", "a?c", 3, "x"],
  ["abc", "axc", 4, true],
  [true, "a~c", 5, 4],
  [false, "", 6, "6"],
  [{ error: "#N/A" }, null, 7],
  [{ error: "#DIV/0!" }, "ABC", 8],
  [1e300, "abcd", 9],
  [1e-300, 5, 10],
  [-0.5, "5", 11],
  ["1/2/2026", true, 12],
  [" 7 "],
  ["TRUE"],
  [{ day: 46_083 }],
  [{ hours: 1.75 }],
  [0.1],
  [0.2],
  [0.3],
];

const BASE: readonly (readonly Typed[])[] = [
  ["Tree", "Height", "Profit", null, "Tree", "Height", "Tree", null, 58, 35],
  ["Apple", 18, 105, null, "Apple", ">10", "Cherry", null, 11, 25],
  ["Pear", 12, 96, null, "Pear", null, null, null, 45.35, 47.65],
  ["Cherry", 13, 105, null, null, null, null, null, 17.56, 18.44],
  ["Apple", 14, 75],
  ["Pear", 9, 76.8],
  ["Apple", 8, 45],
];

const SALES: readonly (readonly Typed[])[] = [
  ["Region", "Item", "Amount", "Qty", "Day", "Net #"],
  ["North", "Apple", 12.5, 4, { day: 46_083 }, 1],
  ["South", "Pear", 7.25, 10, { day: 46_090 }, 2],
  ["North", "Plum", 30, 1, { day: 46_111 }, 3],
  ["East", "Fig", -2, 6, { day: 45_991 }, 4],
];

const NAMES = [
  "<definedName name='Amounts'>Sales[Amount]</definedName>",
  "<definedName name='Doubled'>Data!$B$2*2</definedName>",
  "<definedName name='Prices'>Data!$C$2:$C$11</definedName>",
  "<definedName name='Rate'>Data!$C$3</definedName>",
  "<definedName name='Rate' localSheetId='1'>Odd!$C$10</definedName>",
  "<definedName name='VAT'>0.21</definedName>",
  "<definedName name='Übersatz'>Data!$B$2</definedName>",
];

/** The formulas of a file that lies here. */
export function formulasOf(file: string): readonly MatrixFormula[] {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  let family = "";
  return text.split("\n").flatMap((line): MatrixFormula[] => {
    if (line.startsWith("## ")) family = line.slice(3);
    if (!/^[={]/.test(line)) return [];
    const asArray = line.startsWith("{");
    return [{ family, said: line, formula: asArray ? line.slice(2, -1) : line.slice(1), asArray }];
  });
}

/** The cell of the sheet "Check" that the nth formula has. */
export function cellOf(n: number): string {
  return `${COLUMN}${n + 1}`;
}

/** A workbook of these formulas, without values for them, and of the cells that they read. */
export function matrixWorkbook(
  formulas: readonly MatrixFormula[],
  { from1904 }: { readonly from1904: boolean },
): Uint8Array {
  const days = DATA.map((row) =>
    row.map((value) =>
      typeof value === "string" && /^\d{4}-/.test(value) ? { day: serial(value) } : value,
    ),
  );
  const sheets = { Data: days, Odd: ODD, Base: BASE, Sales: SALES };
  const check = formulas.map(({ formula, asArray }, n) => {
    const stored = storedFormula(formula, { sheet: "Check", row: n + 1, column: 8 }, []);
    const kind = asArray ? ` t="array" ref="${cellOf(n)}"` : "";
    return `<row r="${n + 1}"><c r="${cellOf(n)}"><f${kind}>${escaped(stored)}</f></c></row>`;
  });
  const pages = [
    ...Object.values(sheets).map((rows) => rows.map(rowText).join("")),
    check.join(""),
  ].map((rows, n) => [`xl/worksheets/sheet${n + 1}.xml`, sheetText(rows, n === 3)] as const);
  const names = [...Object.keys(sheets), "Check"];
  const parts: Record<string, string> = {
    ...packageParts(names, from1904),
    ...Object.fromEntries(pages),
  };
  return zipSync(
    Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, Buffer.from(text)])),
  );
}

function serial(day: string): number {
  return (Date.parse(day) - Date.UTC(1899, 11, 30)) / 86_400_000;
}

function rowText(row: readonly Typed[], n: number): string {
  const cells = row.map((value, column) => {
    const at = `r="${String.fromCharCode(65 + column)}${n + 1}"`;
    if (value === null) return "";
    if (typeof value === "string")
      return `<c ${at} t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
    if (typeof value === "boolean") return `<c ${at} t="b"><v>${value ? 1 : 0}</v></c>`;
    if (typeof value === "number") return `<c ${at}><v>${value}</v></c>`;
    if ("error" in value) return `<c ${at} t="e"><v>${value.error}</v></c>`;
    const [style, number] = "day" in value ? [1, value.day] : [2, value.hours];
    return `<c ${at} s="${style}"><v>${number}</v></c>`;
  });
  return `<row r="${n + 1}">${cells.join("")}</row>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

function sheetText(rows: string, hasTable: boolean): string {
  const table = hasTable
    ? `<tableParts count="1"><tablePart xmlns:r="${OFFICE}" r:id="rId1"/></tableParts>`
    : "";
  return `${XML}<worksheet ${MAIN}><sheetData>${rows}</sheetData>${table}</worksheet>`;
}

function packageParts(names: readonly string[], from1904: boolean): Record<string, string> {
  const numbered = names.map((name, n) => ({ name, id: n + 1 }));
  const sheets = numbered.map(
    ({ name, id }) => `<sheet name="${name}" sheetId="${id}" r:id="rId${id}"/>`,
  );
  const links = numbered.map(({ id }) =>
    link(`rId${id}`, "worksheet", `worksheets/sheet${id}.xml`),
  );
  const columns = (SALES[0] ?? []).map((name, n) => `<tableColumn id="${n + 1}" name="${name}"/>`);
  const ref = `A1:F${SALES.length}`;
  const override = (part: string, kind: string) =>
    `<Override PartName="/xl/${part}" ContentType="${TYPE}.${kind}+xml"/>`;
  return {
    "[Content_Types].xml": `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${[
      override("workbook.xml", "sheet.main"),
      override("styles.xml", "styles"),
      override("tables/table1.xml", "table"),
      ...numbered.map(({ id }) => override(`worksheets/sheet${id}.xml`, "worksheet")),
    ].join("")}</Types>`,
    "_rels/.rels": relations(link("rId1", "officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": `${XML}<workbook ${MAIN} xmlns:r="${OFFICE}"><workbookPr${from1904 ? ' date1904="1"' : ""}/><sheets>${sheets.join("")}</sheets><definedNames>${NAMES.join("")}</definedNames></workbook>`,
    "xl/_rels/workbook.xml.rels": relations(links.join("") + link("rId99", "styles", "styles.xml")),
    "xl/worksheets/_rels/sheet4.xml.rels": relations(link("rId1", "table", "../tables/table1.xml")),
    "xl/tables/table1.xml": `${XML}<table ${MAIN} id="1" name="Sales" displayName="Sales" ref="${ref}"><autoFilter ref="${ref}"/><tableColumns count="${columns.length}">${columns.join("")}</tableColumns></table>`,
    "xl/styles.xml": `${XML}<styleSheet ${MAIN}><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="[h]:mm"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/></cellXfs></styleSheet>`,
  };
}

function relations(links: string): string {
  return `${XML}<Relationships xmlns="${PACKAGE}/relationships">${links}</Relationships>`;
}

function link(id: string, kind: string, target: string): string {
  return `<Relationship Id="${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;
}
