import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missing, OPENPYXL } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { office, sheetBack } from "./read-back.ts";

const skip = await missing(OPENPYXL);
let server: OfficeClient;
before(async () => {
  server = await office("budget-libreoffice");
});
after(async () => await server[Symbol.asyncDispose]());

/** A workbook of its own for a test. */
async function sheetOf(path: string, values: readonly (readonly unknown[])[]): Promise<void> {
  await server.text("create_workbook", { path, overwrite: true });
  await server.text("write_range", { path, cell: "A1", values });
}

test("copy_range fills a formula down with its references moved along", { skip }, async () => {
  await sheetOf("copy.xlsx", [[1, 10, "=A1*$B$1"], [2], [3]]);
  await server.text("copy_range", { path: "copy.xlsx", from: "C1", to: "C2:C3" });
  await server.text("copy_range", { path: "copy.xlsx", from: "C1:C3", to: "E1", what: "values" });
  const { values, formulas } = await sheetBack(server, "copy.xlsx", "Sheet1");
  assert.deepEqual([formulas["C2"], formulas["C3"]], ["=A2*$B$1", "=A3*$B$1"]);
  assert.deepEqual(
    ["C1", "C2", "C3", "E3"].map((cell) => values[cell]),
    [10, 20, 30, 30],
  );
  assert.equal(formulas["E3"], undefined);
});

test("find_cells finds values, dates and formulas on all sheets", async () => {
  const path = "budget-libreoffice.xlsx";
  const dates = await server.data("find_cells", { path, text: "2026-02" });
  assert.equal(dates["total"], 2);
  const formulas = await server.text("find_cells", { path, text: "sumif(" });
  assert.match(formulas, /By group!B2 \| 1200/);
  assert.equal((await server.data("find_cells", { path, text: "rent", whole: true }))["total"], 1);
});

test("filter_rows gives the rows that meet conditions and changes nothing", async () => {
  const path = "budget-libreoffice.xlsx";
  const where = [
    { column: "State", is: "=", value: "OPEN" },
    { column: "D", is: ">=", value: "2026-02-10" },
  ];
  const all = await server.data("filter_rows", { path, range: "A1:F6", where });
  assert.deepEqual(all["rows"], [
    {
      row: 5,
      values: {
        ...{ Item: "Chairs", Group: "Furniture", Amount: 640 },
        ...{ Date: "2026-02-20", State: "open", "With tax": 774.4 },
      },
    },
  ]);
  const any = { path, range: "A1:F6", where, match: "any", columns: ["Item"] };
  const rows = (await server.data("filter_rows", any))["rows"] as { row: number }[];
  assert.deepEqual(
    rows.map(({ row }) => row),
    [4, 5, 6],
  );
  const odd = { path, range: "A1:F6", where: [{ column: "Nope", is: "empty" }] };
  assert.match(await server.refusal("filter_rows", odd), /Columns: Item, Group/);
  const staff = { path, table: "staff", where: [{ column: "Hours", is: "<", value: 9 }] };
  assert.equal((await server.data("filter_rows", staff))["total"], 1);
});

test("sort_range moves whole rows with their formulas and formats", { skip }, async () => {
  await sheetOf("sort.xlsx", [
    ["Name", "Amount", "Twice"],
    ["b", 2, "=B2*2"],
    ["A", 10, "=B3*2"],
    [null, 5, "=B4*2"],
    ["a", 1, "=B5*2"],
  ]);
  const by = [{ column: "Name" }, { column: "Amount", descending: true }];
  await server.text("sort_range", { path: "sort.xlsx", by });
  const { values, formulas } = await sheetBack(server, "sort.xlsx", "Sheet1");
  const column = (letter: string) => [2, 3, 4, 5].map((row) => values[`${letter}${row}`]);
  assert.deepEqual(column("A"), ["A", "a", "b", undefined]);
  assert.deepEqual(column("B"), [10, 1, 2, 5]);
  assert.deepEqual(column("C"), [20, 2, 4, 10]);
  assert.equal(formulas["C2"], "=B2*2");
});

test("format_range changes looks and keeps values", { skip }, async () => {
  await sheetOf("format.xlsx", [[0.5, 46000], ["=A1*2"]]);
  const path = "format.xlsx";
  await server.text("format_range", { path, range: "A1:A2", number_format: "0.0%", bold: true });
  await server.text("format_range", {
    path,
    range: "B:B",
    number_format: "dd.mm.yyyy",
    column_width: 14,
  });
  await server.text("format_range", {
    path,
    range: "A1",
    fill: "#ffc000",
    border: "thin",
    wrap: true,
  });
  const sheet = await sheetBack(server, path, "Sheet1");
  assert.deepEqual(
    [sheet.formats["A1"], sheet.formats["A2"], sheet.formats["B1"]],
    ["0.0%", "0.0%", "dd.mm.yyyy"],
  );
  assert.deepEqual(sheet.bold, ["A1", "A2"]);
  assert.equal(sheet.values["B1"], "2025-12-09T00:00:00");
  assert.equal(sheet.widths["B"], 14);
  await server.text("write_range", { path, cell: "B2", values: [[46001]] });
  const later = await sheetBack(server, path, "Sheet1");
  assert.equal(later.values["B2"], "2025-12-10T00:00:00", "a new cell looks like its column");
});

test("merge_cells merges and unmerges, and hides no value", { skip }, async () => {
  await sheetOf("merge.xlsx", [
    ["Title", null],
    [null, "x"],
  ]);
  const path = "merge.xlsx";
  assert.match(await server.refusal("merge_cells", { path, range: "A1:B2" }), /B2 holds a value/);
  await server.text("merge_cells", { path, range: "A1:B1" });
  assert.deepEqual((await sheetBack(server, path, "Sheet1")).merged, ["A1:B1"]);
  const hidden = { path, cell: "B1", values: [[1]] };
  assert.match(await server.refusal("write_range", hidden), /Write to A1/);
  await server.text("merge_cells", { path, range: "A1:C3", unmerge: true });
  assert.deepEqual((await sheetBack(server, path, "Sheet1")).merged, []);
});
