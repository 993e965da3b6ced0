import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { missing, OPENPYXL } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { changeParts, partsOf } from "./packages.ts";
import { type Fixture, fixture, office, readBack, sheetBack } from "./read-back.ts";

const skip = await missing(OPENPYXL);
const BUDGETS = ["budget-openpyxl", "budget-libreoffice"] as const;
let server: OfficeClient;
before(async () => {
  server = await office();
});
after(async () => await server[Symbol.asyncDispose]());

async function fresh(name: Fixture, path: string): Promise<string> {
  await copyFile(fixture(name), join(server.workspace, path));
  return path;
}

async function refusesUnchanged(path: string, tool: string, args: object): Promise<string> {
  const file = join(server.workspace, path);
  const bytes = await readFile(file);
  const said = await server.refusal(tool, { path, ...args });
  assert.deepEqual(await readFile(file), bytes, "the file is as it was");
  return said;
}

test("writing a cell changes no part but the sheets whose values change", async () => {
  for (const name of BUDGETS) {
    const path = await fresh(name, "keep.xlsx");
    await server.text("recalculate_workbook", { path });
    const old = await partsOf(join(server.workspace, path));
    await server.text("write_range", { path, cell: "E2", values: [["refused"]] });
    const now = await partsOf(join(server.workspace, path));
    const changed = [...old].filter(([part, text]) => now.get(part) !== text).map(([part]) => part);
    assert.deepEqual(changed, ["xl/worksheets/sheet1.xml"]);
    assert.deepEqual([...now.keys()].sort(), [...old.keys()].sort());
    const rest = (text = "") => text.replace(/<sheetData>.*<\/sheetData>/s, "");
    const part = "xl/worksheets/sheet1.xml";
    assert.equal(rest(now.get(part)), rest(old.get(part)), "and of those only the cells");
  }
});

test("rows put in move all that points to what is below", { skip }, async () => {
  for (const name of BUDGETS) {
    const path = await fresh(name, "insert.xlsx");
    await server.text("insert_rows_or_columns", { path, sheet: "Costs", at: "4", count: 2 });
    const { sheets, names } = await readBack(server, path);
    const costs = sheets["Costs"];
    assert.ok(costs !== undefined);
    assert.equal(costs.formulas["C10"], "=SUM(C2:C8)");
    assert.equal(costs.values["C10"], 2013.65);
    assert.equal(costs.formulas["F8"], "=C8*(1+TaxRate)");
    assert.equal(costs.formats["C4"], "#,##0.00", "new rows look like the one above");
    assert.equal(costs.values["C4"], undefined);
    assert.deepEqual(costs.merged, ["A12:C12"]);
    assert.ok(
      costs.rules.some((rule) => rule.startsWith("C2:C8 cellIs")),
      String(costs.rules),
    );
    assert.ok(costs.rules.some((rule) => rule.startsWith("F2:F8 colorScale")));
    assert.deepEqual(costs.checks, ['E2:E8 list "paid,open,refused"']);
    assert.deepEqual(Object.keys(costs.links), ["A14"]);
    assert.match(costs.notes["C3"] ?? "", /Two boxes/);
    assert.match(costs.charts[0] ?? "", /^7,1 '?Costs'?!\$C\$2:\$C\$8$/);
    assert.deepEqual(costs.images, ["7,21"]);
    assert.match(names["Amounts"] ?? "", /^'?Costs'?!\$C\$2:\$C\$8$/);
    assert.equal(sheets["By group"]?.formulas["B7"], "=Costs!C10-SUM(B2:B5)");
    assert.match(sheets["By group"]?.formulas["B2"] ?? "", /\$B\$2:\$B\$8,A2,Costs!\$C\$2:\$C\$8/);
    assert.equal(sheets["By group"]?.values["B7"], 0);
  }
});

test("rows and columns taken out take their notes and links along", { skip }, async () => {
  for (const name of BUDGETS) {
    const path = await fresh(name, "delete.xlsx");
    await server.text("delete_rows_or_columns", { path, at: "3", count: 1 });
    await server.text("delete_rows_or_columns", { path, at: "11", count: 1 });
    await server.text("delete_rows_or_columns", { path, at: "B", count: 1 });
    const { sheets } = await readBack(server, path);
    const costs = sheets["Costs"];
    assert.ok(costs !== undefined);
    assert.deepEqual(costs.notes, {});
    assert.deepEqual(costs.links, {});
    assert.equal(costs.formulas["B7"], "=SUM(B2:B5)");
    assert.equal(costs.values["B7"], 1978.15);
    assert.deepEqual(costs.merged, ["A9:B9"]);
    assert.deepEqual(costs.checks, ['D2:D5 list "paid,open,refused"']);
    assert.match(sheets["By group"]?.formulas["B2"] ?? "", /SUMIF\((?:Costs!)?#REF!,A2/);
    assert.match(String(sheets["By group"]?.values["B2"]), /^#/);
    const boxes = [...(await partsOf(join(server.workspace, path)))].filter(([part]) =>
      part.endsWith(".vml"),
    );
    for (const [, text] of boxes) assert.doesNotMatch(text, /<x:Row>/);
  }
});

test("tables grow and shrink with their rows and columns, and keep their header", {
  skip,
}, async () => {
  const path = await fresh("budget-libreoffice", "table.xlsx");
  const sheet = "People & teams";
  await server.text("insert_rows_or_columns", { path, sheet, at: "3" });
  await server.text("insert_rows_or_columns", { path, sheet, at: "B", count: 2 });
  await server.text("write_range", { path, sheet, cell: "E3", values: [[4]] });
  let back = await sheetBack(server, path, sheet);
  assert.deepEqual(back.tables, { Staff: "A1:F4" });
  assert.deepEqual([back.values["B1"], back.values["C1"]], ["Column1", "Column2"]);
  assert.equal(back.values["A6"], 22.5);
  assert.match(
    await refusesUnchanged(path, "delete_rows_or_columns", { sheet, at: "1" }),
    /header/,
  );
  await server.text("delete_rows_or_columns", { path, sheet, at: "B", count: 1 });
  back = await sheetBack(server, path, sheet);
  assert.deepEqual(back.tables, { Staff: "A1:E4" });
});

test("shared formulas are written out before they are changed, array formulas stay whole", {
  skip,
}, async () => {
  const path = await fresh("shared", "shared.xlsx");
  await server.text("write_range", { path, cell: "A1", values: [[5]] });
  let back = await sheetBack(server, path, "Shapes");
  assert.equal(back.values["B12"], 29);
  assert.deepEqual(
    ["C1", "C2", "C3"].map((cell) => back.values[cell]),
    [50, 20, 30],
  );
  await server.text("write_range", { path, cell: "B1", values: [["gone"]] });
  await server.text("insert_rows_or_columns", { path, at: "6" });
  back = await sheetBack(server, path, "Shapes");
  assert.equal(back.formulas["B13"], "=A13*2+$A$1");
  assert.equal(back.values["B13"], 29);
  assert.match(
    await refusesUnchanged(path, "insert_rows_or_columns", { at: "2" }),
    /array formula/,
  );
  const inside = { cell: "C2", values: [[1]] };
  assert.match(await refusesUnchanged(path, "write_range", inside), /array formula of C1/);
  assert.match(
    await refusesUnchanged(path, "sort_range", { by: [{ column: "A" }], header: false }),
    /array/,
  );
});

test("macros and unknown parts stay byte for byte; signatures and pivots refuse what breaks them", async () => {
  const path = await fresh("budget-libreoffice", "macro.xlsm");
  const file = join(server.workspace, path);
  const source =
    '<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cacheSource type="worksheet"><worksheetSource ref="A1:F6" sheet="Costs"/></cacheSource></pivotCacheDefinition>';
  const macro = Buffer.from([0xd0, 0xcf, 0, 255, 1, 2, 3]);
  await changeParts(file, () => ({
    "xl/vbaProject.bin": macro,
    "xl/pivotCache/pivotCacheDefinition1.xml": source,
  }));
  await server.text("write_range", { path, cell: "C2", values: [[1]] });
  assert.equal((await partsOf(file)).get("xl/vbaProject.bin"), macro.toString("latin1"));
  assert.match(await refusesUnchanged(path, "insert_rows_or_columns", { at: "3" }), /pivot/);
  await server.text("rename_sheet", { path, sheet: "Costs", name: "All costs" });
  const renamed = (await partsOf(file)).get("xl/pivotCache/pivotCacheDefinition1.xml") ?? "";
  assert.match(renamed, /sheet="All costs"/);
  await changeParts(file, () => ({ "_xmlsignatures/sig1.xml": "<Signature/>" }));
  assert.match(
    await refusesUnchanged(path, "write_range", { cell: "A1", values: [[1]] }),
    /signed/,
  );
});

test("a formula that cannot be computed keeps its value, until what it reads changes", async () => {
  const path = await fresh("budget-libreoffice", "unknown.xlsx");
  await changeParts(join(server.workspace, path), (text) => ({
    "xl/worksheets/sheet2.xml": text("xl/worksheets/sheet2.xml").replace(
      /<f aca="false">Costs!C8-SUM\(B2:B5\)<\/f><v>[^<]*<\/v>/,
      "<f>_xlfn.AGGREGATE(9,7,Costs!C2:C6)</f><v>2013.65</v>",
    ),
  }));
  const told = await server.text("write_range", { path, cell: "H1", values: [["aside"]] });
  assert.match(told, /By group!B7 \(it uses AGGREGATE/);
  const { rows } = await server.data("read_range", { path, sheet: "By group", range: "B7" });
  assert.deepEqual(rows, [{ row: 7, cells: { B: 2013.65 } }]);
  const stale = await refusesUnchanged(path, "write_range", { cell: "C2", values: [[1]] });
  assert.match(
    stale,
    /By group!B7 depends on what this changes.*AGGREGATE.*Replace that formula first/s,
  );
  await server.text("write_range", {
    path,
    sheet: "By group",
    cell: "B7",
    values: [["=SUM(Costs!C2:C6)"]],
  });
  await server.text("write_range", { path, cell: "C2", values: [[1]] });
});

test("a workbook that counts from 1904 keeps its dates", { skip }, async () => {
  const path = await fresh("budget-libreoffice", "y1904.xlsx");
  await changeParts(join(server.workspace, path), (text) => ({
    "xl/workbook.xml": text("xl/workbook.xml")
      .replace("<workbookPr", '<workbookPr date1904="1"')
      .replace('date1904="false"', ""),
  }));
  const text = await server.text("read_range", { path, range: "D2" });
  assert.match(text, /2030-01-06/);
  await server.text("write_range", { path, cell: "D3", values: [["2026-03-02"]] });
  assert.equal((await sheetBack(server, path, "Costs")).values["D3"], "2026-03-02T00:00:00");
  const computed = [["=YEAR(D3)", "=DATE(2026,3,2)=D3", '=TEXT(D3,"d mmm yyyy")']];
  const told = await server.text("write_range", { path, cell: "H1", values: computed });
  assert.match(told, /H1 = 2026, I1 = true, J1 = "2 Mar 2026"/);
  const dated = { cell: "H2", values: [['="2026-03-02"+1']] };
  assert.match(await refusesUnchanged(path, "write_range", dated), /1904/);
});

test("tags with a prefix, as .NET programs write them, are read and kept readable", {
  skip,
}, async () => {
  const path = await fresh("shapes-libreoffice", "prefix.xlsx");
  await changeParts(join(server.workspace, path), (text) => ({
    "xl/worksheets/sheet1.xml": text("xl/worksheets/sheet1.xml")
      .replace(/<(\/?)([a-zA-Z])/g, "<$1x:$2")
      .replace("xmlns=", "xmlns:x="),
  }));
  await server.text("write_range", { path, cell: "A1", values: [[7]] });
  const { values } = await sheetBack(server, path, "Shapes");
  assert.deepEqual([values["A1"], values["B1"], values["C1"]], [7, 21, 70]);
});
