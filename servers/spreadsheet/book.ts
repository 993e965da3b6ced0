import { ToolError } from "../kit/tool-error.ts";
import { type Cell, decodedText, inlineText, richText } from "./cells.ts";
import { type FormatKind, formatKind, isoOfSerial, serialOfIso } from "./number-formats.ts";
import { Opc } from "./opc.ts";
import { Sheet } from "./sheet.ts";
import { Styles } from "./styles.ts";
import type { Element } from "./xml.ts";

export interface SheetEntry {
  readonly name: string;
  readonly part: string;
  readonly relation: string;
  /** "visible", "hidden" or "veryHidden". */
  readonly state: string;
  /** A sheet of cells, not one that is all chart or macro. */
  readonly cells: boolean;
  readonly element: Element;
}

export type ValueType = "number" | "text" | "boolean" | "error" | "date" | "empty";

export interface CellValue {
  readonly type: ValueType;
  /** Dates as ISO 8601 text, errors as their text. */
  readonly value: string | number | boolean | null;
  /** What the file holds for a date. */
  readonly serial?: number;
}

const EMPTY: CellValue = { type: "empty", value: null };

/** A workbook in memory. */
export class Book {
  readonly opc: Opc;
  readonly path: string;
  readonly part: string;
  readonly #sheets = new Map<string, Sheet>();
  #strings: string[] | undefined;
  #styles: Styles | undefined;
  readonly #kinds = new Map<number, FormatKind>();

  constructor(opc: Opc, path: string, part: string) {
    this.opc = opc;
    this.path = path;
    this.part = part;
  }

  /** @throws ToolError for what is no workbook that can be read. */
  static open(bytes: Buffer, path: string): Book {
    const opc = Opc.open(bytes, path);
    const found = opc.has("_rels/.rels")
      ? opc.relations("").find(({ type }) => type === "officeDocument")
      : undefined;
    const part = found?.target ?? "";
    if (!opc.has(part) || !/\.xml$/i.test(part)) throw notWorkbook(opc, path, part);
    const root = opc.xml(part).root;
    if (root.local !== "workbook") throw notWorkbook(opc, path, part);
    return new Book(opc, path, part);
  }

  get root(): Element {
    return this.opc.xml(this.part).root;
  }

  get entries(): SheetEntry[] {
    const relations = new Map(this.opc.relations(this.part).map((r) => [r.id, r]));
    return (this.root.child("sheets")?.all("sheet") ?? []).map((element) => {
      const relation = element.get("\\w+:id") ?? "";
      const { target: part = "", type = "" } = relations.get(relation) ?? {};
      const name = element.get("name") ?? "";
      const state = element.get("state") ?? "visible";
      return { name, part, relation, state, cells: type === "worksheet", element };
    });
  }

  /** The sheet of this name, capitals aside; the first one if none is named. */
  sheet(name?: string): Sheet {
    const { entries } = this;
    const entry =
      name === undefined
        ? entries.find(({ cells }) => cells)
        : entries.find((e) => e.name.toLowerCase() === name.trim().toLowerCase());
    if (entry === undefined) {
      const names = entries.map((e) => `"${e.name}"`).join(", ");
      throw new ToolError(`${this.path} has no sheet "${name ?? ""}". Its sheets: ${names}.`);
    }
    if (!entry.cells) throw new ToolError(`"${entry.name}" is a chart sheet; it has no cells.`);
    const known = this.#sheets.get(entry.part);
    if (known !== undefined) return known;
    if (!this.opc.has(entry.part)) throw new ToolError(`${this.path} lacks its ${entry.part}.`);
    const sheet = new Sheet(entry.name, entry.part, this.opc.text(entry.part));
    this.#sheets.set(entry.part, sheet);
    return sheet;
  }

  /** All sheets of cells. */
  get sheets(): Sheet[] {
    return this.entries.filter(({ cells }) => cells).map(({ name }) => this.sheet(name));
  }

  forget(part: string): void {
    this.#sheets.delete(part);
  }

  get from1904(): boolean {
    const flag = this.root.child("workbookPr")?.get("date1904");
    return flag === "1" || flag === "true";
  }

  get styles(): Styles {
    if (this.#styles !== undefined) return this.#styles;
    const found = this.opc.relations(this.part).find(({ type }) => type === "styles");
    let part = found?.target;
    if (part === undefined || !this.opc.has(part)) {
      part = "xl/styles.xml";
      this.opc.add(part, PLAIN_STYLES, `${SHEET_TYPES}.styles+xml`);
      this.opc.relate(this.part, "styles", part);
    }
    this.#styles = new Styles(this.opc.xml(part).root);
    return this.#styles;
  }

  kindOf(style: number): FormatKind {
    const known = this.#kinds.get(style);
    if (known !== undefined) return known;
    const kind = formatKind(this.styles.format(style));
    this.#kinds.set(style, kind);
    return kind;
  }

  valueOf(cell: Cell | undefined): CellValue {
    if (cell === undefined) return EMPTY;
    if (cell.inline !== undefined) return { type: "text", value: richText(cell.inline) };
    const { type, value } = cell;
    if (value === undefined) return EMPTY;
    switch (type) {
      case "s":
        return { type: "text", value: this.#shared(Number(value)) };
      case "str":
        return { type: "text", value: decodedText(value) };
      case "b":
        return { type: "boolean", value: value === "1" || value === "true" };
      case "e":
        return { type: "error", value };
      case "d": {
        const moment = serialOfIso(value, this.from1904);
        return moment ? this.#number(moment.serial, cell.style) : { type: "text", value };
      }
      default: {
        // Some programs write an empty value where they have not computed one.
        const number = value.trim() === "" ? Number.NaN : Number(value);
        return Number.isFinite(number) ? this.#number(number, cell.style) : EMPTY;
      }
    }
  }

  #number(value: number, style: number): CellValue {
    const kind = this.kindOf(style);
    if (kind === "number" || kind === "text") return { type: "number", value };
    const iso = isoOfSerial(value, kind, this.from1904);
    if (iso === undefined) return { type: "number", value };
    return { type: "date", value: iso, serial: value };
  }

  #shared(index: number): string {
    this.#strings ??= this.#readStrings();
    const text = this.#strings[index];
    if (text === undefined) throw new ToolError(`${this.path} lacks its shared text ${index}.`);
    return text;
  }

  #readStrings(): string[] {
    const found = this.opc.relations(this.part).find(({ type }) => type === "sharedStrings");
    if (found === undefined || !this.opc.has(found.target)) return [];
    const text = this.opc.text(found.target);
    const items = text.matchAll(/<si(?:\s[^>]*)?(?:\/>|>([\s\S]*?)<\/si\s*>)/g);
    return Array.from(items, ([, inside = ""]) => richText(inside));
  }

  /** The package as bytes; only parts that changed are written anew. */
  toBuffer(): Buffer {
    for (const sheet of this.#sheets.values()) this.opc.setText(sheet.part, sheet.toString());
    return this.opc.toBuffer();
  }
}

/** A cell that holds a text, a number or a truth value. */
export function cellOf(column: number, style: number, value: string | number | boolean): Cell {
  const plain = { column, style, formula: undefined, inline: undefined, extra: "" };
  if (typeof value === "number") return { ...plain, type: "n", value: numberText(value) };
  if (typeof value === "boolean") return { ...plain, type: "b", value: value ? "1" : "0" };
  return { ...plain, type: "inlineStr", value: undefined, inline: inlineText(value) };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "0" : String(value).replace("e+", "E+").replace("e-", "E-");
}

const SHEET_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

export const PLAIN_STYLES =
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' +
  `<styleSheet xmlns="${MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/>` +
  '<family val="2"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>' +
  '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/>' +
  '<right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1">' +
  '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="1">' +
  '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs><cellStyles count="1">' +
  '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';

function notWorkbook(opc: Opc, path: string, part: string): ToolError {
  const kind = part.startsWith("word/")
    ? "a Word document"
    : part.startsWith("ppt/")
      ? "a presentation"
      : opc.has("content.xml")
        ? "an OpenDocument file"
        : /\.bin$/i.test(part)
          ? "a binary workbook (.xlsb)"
          : "a zip archive of something else";
  return new ToolError(
    `${path} is no .xlsx workbook but ${kind}. Use the tools for that kind of file, or name another.`,
  );
}
