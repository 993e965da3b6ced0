import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { missing, OPENPYXL } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { office, readBack, sheetBack } from "./read-back.ts";

const skip = await missing(OPENPYXL);
let server: OfficeClient;
before(async () => {
  server = await office("budget-openpyxl", "budget-libreoffice", "shapes-libreoffice", "shared");
});
after(async () => await server[Symbol.asyncDispose]());

/** A workbook of its own for a test. */
async function sheetOf(path: string, values: readonly (readonly unknown[])[]): Promise<void> {
  await server.text("create_workbook", { path, overwrite: true });
  await server.text("write_range", { path, cell: "A1", values });
}

test("sheets are added, copied with their tables, renamed and deleted", { skip }, async () => {
  const path = "budget-libreoffice.xlsx";
  await server.text("add_sheet", { path, name: "Notes", position: 1 });
  await server.text("add_sheet", { path, name: "Team 2", copy_of: "People & teams" });
  await server.text("rename_sheet", { path, sheet: "Costs", name: "Cost's 2026" });
  let book = await readBack(server, path);
  assert.deepEqual(Object.keys(book.sheets), [
    ...["Notes", "Cost's 2026", "By group", "People & teams", "Team 2"],
  ]);
  assert.equal(book.sheets["By group"]?.formulas["B7"], "='Cost''s 2026'!C8-SUM(B2:B5)");
  assert.match(book.sheets["Cost's 2026"]?.charts[0] ?? "", /'Cost''s 2026'!\$C\$2:\$C\$6/);
  assert.equal(book.names["Amounts"], "'Cost''s 2026'!$C$2:$C$6");
  assert.deepEqual(book.sheets["Team 2"]?.tables, { Staff_2: "A1:D3" });
  assert.equal(book.sheets["Team 2"]?.values["A5"], 18.5);
  const told = await server.text("delete_sheet", { path, sheet: "Cost's 2026" });
  assert.match(told, /By group!B2 #REF!/);
  book = await readBack(server, path);
  assert.equal(book.sheets["By group"]?.values["B2"], "#REF!");
  assert.match(
    await server.refusal("delete_sheet", { path, sheet: "Costs" }),
    /Its sheets: "Notes"/,
  );
});

test("define_name makes names that formulas use, and takes them away", { skip }, async () => {
  await sheetOf("names.xlsx", [
    [2, 3],
    [5, 7],
  ]);
  const path = "names.xlsx";
  await server.text("define_name", { path, name: "Grid", refers_to: "Sheet1!A1:B2" });
  await server.text("define_name", { path, name: "Rate", refers_to: "=0.5" });
  await server.text("write_range", { path, cell: "D1", values: [["=SUM(Grid)*Rate"]] });
  assert.equal((await sheetBack(server, path, "Sheet1")).values["D1"], 8.5);
  await server.text("define_name", { path, name: "rate", refers_to: "=2" });
  const book = await readBack(server, path);
  assert.equal(book.sheets["Sheet1"]?.values["D1"], 34);
  assert.deepEqual(book.names, { Grid: "Sheet1!$A$1:$B$2", Rate: "2" });
  assert.match(
    await server.refusal("define_name", { path, name: "A1", refers_to: "=1" }),
    /cannot be/,
  );
  const gone = { path, name: "Grid", refers_to: null };
  assert.match(await server.refusal("define_name", gone), /D1 uses the name Grid/);
});

test("create_table makes a table whose columns formulas can name", { skip }, async () => {
  await sheetOf("table.xlsx", [
    ["Item", "Amount", "Amount"],
    ["a", 1, 2],
    ["b", 3, 4],
  ]);
  const path = "table.xlsx";
  await server.text("create_table", { path, range: "A1:C3", name: "Sales" });
  const values = [["=SUM(Sales[Amount])"], ["=Sales[@Amount2]*10"]];
  await server.text("write_range", { path, cell: "E1", values });
  const sheet = await sheetBack(server, path, "Sheet1");
  assert.deepEqual(sheet.tables, { Sales: "A1:C3" });
  assert.deepEqual(
    [sheet.values["E1"], sheet.values["E2"], sheet.values["C1"]],
    [4, 20, "Amount2"],
  );
  assert.equal(sheet.formulas["E2"], "=Sales[[#This Row],[Amount2]]*10");
  const twice = { path, range: "A1:B2", name: "Other" };
  assert.match(await server.refusal("create_table", twice), /touches table Sales/);
});

test("a header that is written renames its column, or is refused with the reason", {
  skip,
}, async () => {
  const path = "headers.xlsx";
  await sheetOf(path, [
    ["Item", "Amount", "Price"],
    ["a", 1, 2],
    ["b", 3, 4],
  ]);
  await server.text("create_table", { path, range: "A1:C3", name: "Sales" });
  await server.text("write_range", { path, cell: "E1", values: [["=SUM(Sales[Amount])"]] });
  const told = await server.text("write_range", { path, cell: "C1", values: [["Cost"]] });
  assert.match(told, /Column "Price" of table Sales is now "Cost"/);
  await server.text("write_range", { path, cell: "E2", values: [["=SUM(Sales[Cost])"]] });
  assert.equal((await sheetBack(server, path, "Sheet1")).values["E2"], 6);
  for (const [cell, value, why] of [
    ["B1", "Sum", /Sheet1!E1 reads it by that name/],
    ["A1", "cost", /two columns "cost"/],
    ["A1", null, /header of column "Item" of table Sales, which has to be a text/],
    ["A1", 2026, /has to be a text/],
  ] as const) {
    assert.match(await server.refusal("write_range", { path, cell, values: [[value]] }), why);
  }
});

test("import_csv and export_csv keep zeros, long numbers and quotes", { skip }, async () => {
  const csv =
    'id,name,price,when,code\r\n007,"a ""b"", c",1.50,2026-03-02,12345678901234567890\r\n8,=1+1,TRUE,x,\r\n';
  await writeFile(join(server.workspace, "in.csv"), `\uFEFF${csv}`);
  await server.text("import_csv", { csv: "in.csv", path: "csv.xlsx", sheet: "In" });
  const { values, formulas } = await sheetBack(server, "csv.xlsx", "In");
  assert.deepEqual(
    ["A2", "B2", "C2", "D2", "E2"].map((cell) => values[cell]),
    [...["007", 'a "b", c', 1.5, "2026-03-02T00:00:00", "12345678901234567890"]],
  );
  assert.deepEqual(
    ["A3", "B3", "C3"].map((cell) => values[cell]),
    [8, "=1+1", true],
  );
  assert.deepEqual(formulas, {});
  await server.text("export_csv", { path: "csv.xlsx", csv: "out.csv", delimiter: ";" });
  assert.equal(
    await readFile(join(server.workspace, "out.csv"), "utf8"),
    'id;name;price;when;code\n007;"a ""b"", c";1.5;2026-03-02;12345678901234567890\n8;=1+1;TRUE;x;\n',
  );
});

test("recalculate_workbook stores the values that another program left out", { skip }, async () => {
  const path = "budget-openpyxl.xlsx";
  await server.text("recalculate_workbook", { path });
  const { values } = await sheetBack(server, path, "By group");
  assert.equal(values["B7"], 0);
});

test("the same calls make the same bytes", async () => {
  for (const path of ["same-1.xlsx", "same-2.xlsx"]) {
    await sheetOf(path, [["=1/3", "=NOW()-NOW()", "x"]]);
    await server.text("format_range", { path, range: "A1", bold: true });
  }
  const [one, two] = await Promise.all(
    ["same-1.xlsx", "same-2.xlsx"].map((path) => readFile(join(server.workspace, path))),
  );
  assert.deepEqual(one, two);
});
