import { attributesOf, type Cell, plainFormula } from "./cells.ts";
import { translated } from "./formula.ts";
import { type Area, areaName, readArea } from "./refs.ts";
import { SheetData } from "./sheet-data.ts";
import {
  documentText,
  type Element,
  malformed,
  nextTag,
  parseXml,
  type XmlDocument,
} from "./xml.ts";

interface Master {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

const SHARED = /<f\s[^>]*t\s*=\s*["']shared/;

/** A worksheet: its cells, and all else as a tree in which `<sheetData/>` stands empty. */
export class Sheet {
  name: string;
  readonly part: string;
  readonly data: SheetData;
  readonly #document: XmlDocument;
  #masters: Map<string, Master> | undefined;

  constructor(name: string, part: string, text: string) {
    this.name = name;
    this.part = part;
    const { outside, inside } = split(text, part);
    this.#document = parseXml(outside, part);
    this.data = SheetData.read(inside, part);
  }

  get root(): Element {
    return this.#document.root;
  }

  toString(): string {
    const holder = this.root.child("sheetData");
    if (holder === undefined) return documentText(this.#document);
    const rows = this.data.toString();
    holder.children = rows === "" ? [] : [rows];
    const text = documentText(this.#document);
    holder.children = [];
    return text;
  }

  /** Merged areas. */
  get merged(): Area[] {
    const all = this.root.child("mergeCells")?.all("mergeCell") ?? [];
    return all.map((e) => readArea(e.get("ref") ?? "")).filter((area) => area !== undefined);
  }

  /** Array formulas and data tables: their areas and what holds them. */
  blocks(): { area: Area; row: number; cell: Cell }[] {
    return this.#cellsLike(/<f\s[^>]*t\s*=\s*["'](?:array|dataTable)/).flatMap(({ row, cell }) => {
      const kind = cell.formula?.kind;
      if (kind !== "array" && kind !== "dataTable") return [];
      const area = readArea(cell.formula?.attributes["ref"] ?? "");
      return area === undefined ? [] : [{ area, row, cell }];
    });
  }

  /** Writes shared formulas out in full, so that cells may be changed one by one. */
  unshare(): void {
    this.#masters = this.#readMasters();
    for (const { row, cell } of this.#cellsLike(SHARED)) {
      if (cell.formula?.kind !== "shared") continue;
      const formula = plainFormula(this.formulaText(row, cell));
      this.data.put(row, { ...cell, formula });
    }
    this.#masters = undefined;
  }

  /** All cells with formulas, in reading order, with their text in full. */
  formulas(): { readonly row: number; readonly cell: Cell; readonly text: string }[] {
    return this.#cellsLike(/<f[\s>/]/).flatMap(({ row, cell }) => {
      return cell.formula === undefined ? [] : [{ row, cell, text: this.formulaText(row, cell) }];
    });
  }

  get formulaCount(): number {
    return this.#cellsLike(/<f[\s>/]/).filter(({ cell }) => cell.formula !== undefined).length;
  }

  /** A cell's formula in full, though it may share it with others. */
  formulaText(row: number, { column, formula }: Cell): string {
    const { kind, text = "", attributes = {} } = formula ?? {};
    if (kind !== "shared" || text !== "") return text;
    this.#masters ??= this.#readMasters();
    const master = this.#masters.get(attributes["si"] ?? "");
    if (master === undefined) throw malformed(this.part, 0);
    return translated(master.text, row - master.row, column - master.column);
  }

  #readMasters(): Map<string, Master> {
    const masters = new Map<string, Master>();
    for (const { row, cell } of this.#cellsLike(SHARED)) {
      const { kind, text = "", attributes = {} } = cell.formula ?? {};
      if (kind !== "shared" || text === "") continue;
      masters.set(attributes["si"] ?? "", { row, column: cell.column, text });
    }
    return masters;
  }

  /** Cells of rows that may hold what is looked for; others may be among them. */
  #cellsLike(pattern: RegExp): { row: number; cell: Cell }[] {
    return this.data.rows
      .filter((row) => this.data.mayHold(row, pattern))
      .flatMap((row) => this.data.peek(row).map((cell) => ({ row, cell })));
  }

  /** Default style of a cell that is not there yet. */
  styleFor(row: number, column: number): number {
    const { s, customFormat } = attributesOf(this.data.rowTag(row) ?? "");
    if (s !== undefined && (customFormat === "1" || customFormat === "true")) return Number(s) || 0;
    for (const col of this.root.child("cols")?.all("col") ?? []) {
      const [min, max] = [Number(col.get("min")), Number(col.get("max"))];
      if (column >= min && column <= max) return Number(col.get("style") ?? 0) || 0;
    }
    return 0;
  }

  /** States anew which cells the sheet covers. */
  refreshDimension(): void {
    const dimension = this.root.child("dimension");
    if (dimension === undefined) return;
    const { rows, columns } = this.data.used();
    const now = readArea(dimension.get("ref") ?? "");
    if (now?.bottom === rows && now.right === columns) return;
    const bottom = Math.max(rows, 1);
    const right = Math.max(columns, 1);
    dimension.set("ref", areaName({ top: 1, left: 1, bottom, right }));
  }
}

function split(text: string, part: string): { outside: string; inside: string } {
  let tag = nextTag(text, 0, part);
  while (tag !== undefined && tag.name !== "sheetData") tag = nextTag(text, tag.end, part);
  if (tag === undefined || tag.kind === "close") throw malformed(part, 0);
  if (tag.kind === "empty") return { outside: text, inside: "" };
  const end = text.indexOf("</sheetData", tag.end);
  if (end < 0) throw malformed(part, tag.start);
  const after = text.indexOf(">", end) + 1;
  const outside = `${text.slice(0, tag.start)}<sheetData/>${text.slice(after)}`;
  return { outside, inside: text.slice(tag.end, end) };
}
