import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { python } from "../debian-programs.ts";
import { type OfficeClient, officeClient } from "../office-client.ts";

/** A workbook as openpyxl reads it. */
export interface ReadBack {
  readonly sheets: Readonly<Record<string, ReadBackSheet>>;
  readonly names: Readonly<Record<string, string>>;
}

export interface ReadBackSheet {
  /** By cell: values as they are stored, dates as ISO texts. */
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly formulas: Readonly<Record<string, string>>;
  readonly formats: Readonly<Record<string, string>>;
  readonly bold: readonly string[];
  readonly merged: readonly string[];
  readonly rules: readonly string[];
  readonly checks: readonly string[];
  readonly notes: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, string>>;
  readonly charts: readonly string[];
  readonly images: readonly string[];
  readonly widths: Readonly<Record<string, number>>;
  readonly dimension: string;
}

const READER = `
import json, sys, warnings
from datetime import date, datetime, time
import openpyxl
warnings.simplefilter("ignore")
path = sys.argv[1]
stored = openpyxl.load_workbook(path, data_only=True)
book = openpyxl.load_workbook(path)

def plain(value):
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value

def about(page, values):
    cells = [c for row in page.iter_rows() for c in row if c.value is not None or c.has_style]
    out = {k: {} for k in ("values", "formulas", "formats", "notes", "links")}
    for cell in cells:
        value = values[cell.coordinate].value
        if value is not None:
            out["values"][cell.coordinate] = plain(value)
        formula = getattr(cell.value, "text", cell.value)
        if cell.data_type == "f":
            out["formulas"][cell.coordinate] = formula if str(formula).startswith("=") else "=" + str(formula)
        if cell.number_format != "General":
            out["formats"][cell.coordinate] = cell.number_format
        if cell.comment:
            out["notes"][cell.coordinate] = cell.comment.text
        if cell.hyperlink:
            out["links"][cell.coordinate] = cell.hyperlink.target or cell.hyperlink.location
    anchor = lambda o: f"{o.anchor._from.col},{o.anchor._from.row}"
    return out | {
        "bold": [c.coordinate for c in cells if c.font.b],
        "merged": [str(r) for r in page.merged_cells.ranges],
        "rules": [f"{r.sqref} {x.type} {' '.join(x.formula)}" for r in page.conditional_formatting for x in r.rules],
        "checks": [f"{v.sqref} {v.type} {v.formula1}" for v in page.data_validations.dataValidation],
        "tables": {t.displayName: t.ref for t in page.tables.values()},
        "charts": [anchor(c) + " " + " ".join(s.val.numRef.f for s in c.series) for c in page._charts],
        "images": [anchor(i) for i in page._images],
        "widths": {k: d.width for k, d in page.column_dimensions.items() if d.customWidth},
        "dimension": page.dimensions,
    }

names = {n.name: n.attr_text for n in book.defined_names.definedName}
print(json.dumps({"sheets": {p.title: about(p, stored[p.title]) for p in book.worksheets}, "names": names}))
`;

/** What openpyxl says of a workbook. */
export async function readBack(office: OfficeClient, path: string): Promise<ReadBack> {
  return await python<ReadBack>(READER, join(office.workspace, path));
}

/** Of one sheet. */
export async function sheetBack(
  office: OfficeClient,
  path: string,
  sheet: string,
): Promise<ReadBackSheet> {
  const found = (await readBack(office, path)).sheets[sheet];
  if (found === undefined) throw new Error(`openpyxl finds no sheet ${sheet} in ${path}`);
  return found;
}

export type Fixture = "budget-openpyxl" | "budget-libreoffice" | "shapes-libreoffice" | "shared";

export function fixture(name: Fixture): string {
  return fileURLToPath(new URL(`./files/${name}.xlsx`, import.meta.url));
}

/** A spreadsheet server with copies of these fixtures in its workspace, as <name>.xlsx. */
export async function office(...fixtures: readonly Fixture[]): Promise<OfficeClient> {
  const client = await officeClient("spreadsheet");
  for (const name of fixtures) {
    await copyFile(fixture(name), join(client.workspace, `${name}.xlsx`));
  }
  return client;
}
