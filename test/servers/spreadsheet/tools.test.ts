import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { missing, OPENPYXL } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { changeParts, partsOf } from "./packages.ts";
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

test("create_workbook makes sheets, and refuses to replace a file or to use names that cannot be", {
  skip,
}, async () => {
  await server.text("create_workbook", { path: "new/one.xlsx", sheets: ["Größe", "a & b"] });
  const { sheets } = await readBack(server, "new/one.xlsx");
  assert.deepEqual(Object.keys(sheets), ["Größe", "a & b"]);
  assert.match(await server.refusal("create_workbook", { path: "new/one.xlsx" }), /there already/);
  for (const [names, why] of [
    [["a/b"], /cannot name a sheet/],
    [["x".repeat(32)], /1 to 31/],
    [["A", "a"], /already/],
  ] as const) {
    assert.match(await server.refusal("create_workbook", { path: "b.xlsx", sheets: names }), why);
  }
  assert.match(await server.refusal("create_workbook", { path: "b.ods" }), /\.xlsx/);
});

test("describe_workbook tells sheets, tables, names and what a sheet holds", async () => {
  for (const path of ["budget-openpyxl.xlsx", "budget-libreoffice.xlsx"]) {
    const { sheets, tables, names } = await server.data("describe_workbook", { path });
    const [costs] = sheets as { name: string; used: string; formulas: number; holds: string[] }[];
    assert.equal(costs?.used, "A1:F12");
    assert.equal(costs?.formulas, 7);
    for (const what of ["merged areas", "conditional formats", "validations", "notes"]) {
      assert.ok(costs?.holds.includes(what), what);
    }
    assert.deepEqual(tables, [{ name: "Staff", sheet: "People & teams", range: "A1:D3" }]);
    assert.ok(JSON.stringify(names).includes("TaxRate"));
  }
});

test("read_range tells values with their types, formulas, formats, notes and merged cells", async () => {
  const path = "budget-libreoffice.xlsx";
  const text = await server.text("read_range", { path, range: "A1:F12" });
  assert.match(text, /^3 \| Paper \| Supplies \| 35\.5 \| 2026-01-12 \| paid \| 42\.955$/m);
  assert.match(text, /F3 =C3\*\(1\+TaxRate\)/);
  assert.match(text, /Note at C3: .*Two boxes/);
  assert.match(text, /Merged: A10:C10/);
  const data = await server.data("read_range", { path, sheet: "people & teams", range: "B1:B3" });
  assert.deepEqual(data["rows"], [
    { row: 1, cells: { B: "Code" } },
    { row: 2, cells: { B: "007" } },
    { row: 3, cells: { B: "014" } },
  ]);
  const codes = await server.text("read_range", { path, sheet: "People & teams", range: "A:B" });
  assert.match(codes, /^2 \| Zoë \| "007"$/m, "a text that looks like a number stands in quotes");
});

test("read_range gives long sheets in pages that join to the whole", async () => {
  const rows = Array.from({ length: 950 }, (_, n) => [n + 1, `row ${n + 1}`]);
  await sheetOf("long.xlsx", rows);
  const seen: unknown[] = [];
  let range: string | undefined = "A:B";
  for (let page = 0; range !== undefined && page < 20; page++) {
    const data = await server.data("read_range", { path: "long.xlsx", range });
    for (const { cells } of data["rows"] as { cells: { A: number; B: string } }[]) {
      seen.push([cells.A, cells.B]);
    }
    range = data["next"] as string | undefined;
  }
  assert.deepEqual(seen, rows);
});

test("write_range stores texts as texts, dates as dates and formulas with their values", {
  skip,
}, async () => {
  await sheetOf("write.xlsx", [
    ["007", "2026-03-02", "2026-03-02T14:30:00", 9780306406157, "9780306406157"],
    [{ text: "=SUM(A1)" }, { text: "2026-03-02" }, true, "two\nlines", "  edges "],
    ["=B1+1", '=A1&"x"', "=D1>5", "=1/0", "=TODAY()"],
    ["ünïcode 李 😀", "<&>\"'", null, "", 0.1],
  ]);
  const { values, formulas } = await sheetBack(server, "write.xlsx", "Sheet1");
  assert.equal(values["A1"], "007");
  assert.equal(values["B1"], "2026-03-02T00:00:00");
  assert.equal(values["C1"], "2026-03-02T14:30:00");
  assert.equal(values["D1"], 9780306406157);
  assert.equal(values["E1"], "9780306406157");
  assert.equal(values["A2"], "=SUM(A1)");
  assert.equal(values["B2"], "2026-03-02");
  assert.equal(values["C2"], true);
  assert.equal(values["D2"], "two\nlines");
  assert.equal(values["E2"], "  edges ");
  assert.equal(values["B3"], "007x");
  assert.equal(values["C3"], true);
  assert.equal(values["D3"], "#DIV/0!");
  assert.equal(values["A4"], "ünïcode 李 😀");
  assert.equal(values["B4"], "<&>\"'");
  assert.deepEqual([values["C4"], values["D4"], values["E4"]], [undefined, undefined, 0.1]);
  assert.equal(formulas["A3"], "=B1+1");
});

test("write_range recomputes formulas on other sheets, also those that had no value", {
  skip,
}, async () => {
  const path = "budget-openpyxl.xlsx";
  const before = await readBack(server, path);
  assert.equal(before.sheets["Costs"]?.values["C8"], undefined, "openpyxl writes no values");
  await server.text("write_range", { path, sheet: "Costs", cell: "C2", values: [[1000]] });
  const { sheets } = await readBack(server, path);
  assert.equal(sheets["Costs"]?.values["C8"], 1813.65);
  assert.equal(sheets["Costs"]?.values["F2"], 1210);
  assert.equal(sheets["By group"]?.values["B2"], 1000);
  assert.equal(sheets["People & teams"]?.values["D3"], 255);
  assert.equal(sheets["People & teams"]?.values["A5"], 18.5);
});

test("write_range refuses what would not compute, and leaves the file as it was", async () => {
  const path = "refuse.xlsx";
  await sheetOf(path, [[1, "=A1"]]);
  const file = join(server.workspace, path);
  const bytes = await readFile(file);
  for (const [formula, why] of [
    ["=SUM(", /brackets/],
    ["=NOSUCH(1)", /not known/],
    ["=C1", /depends on itself/],
    ["=D1+1", /depends on itself/],
    ["=AGGREGATE(9,7,A1:A2)", /AGGREGATE/],
    ["=RAND()", /another value each time/],
    ["=[1]Other!A1", /another workbook/],
    [`=${"1+".repeat(5000)}1`, /8192/],
  ] as const) {
    const values = formula === "=D1+1" ? [[formula, "=C1"]] : [[formula]];
    assert.match(await server.refusal("write_range", { path, cell: "C1", values }), why, formula);
  }
  const long = { path, cell: "C1", values: [["x".repeat(32_768)]] };
  assert.match(await server.refusal("write_range", long), /32767/);
  const big = { path, cell: "C1", values: [[12345678901234567890n.toString().length, 1e17]] };
  assert.match(await server.refusal("write_range", big), /15/);
  assert.match(await server.refusal("write_range", { path, cell: "ZZZ1", values: [[1]] }), /A1/);
  assert.deepEqual(await readFile(file), bytes);
});

test("a formula that fills several cells is stored as one, with the values it fills in", {
  skip,
}, async () => {
  await sheetOf("spill.xlsx", [
    ["b", 2],
    ["a", 1],
    ["c", 3],
  ]);
  await server.text("write_range", { path: "spill.xlsx", cell: "D1", values: [["=SORT(A1:B3)"]] });
  const { values, formulas } = await sheetBack(server, "spill.xlsx", "Sheet1");
  assert.deepEqual(
    ["D1", "E1", "D2", "E2", "D3", "E3"].map((cell) => values[cell]),
    ["a", 1, "b", 2, "c", 3],
  );
  assert.match(formulas["D1"] ?? "", /_xlfn\._xlws\.SORT\(A1:B3\)/);
  const inside = { path: "spill.xlsx", cell: "D2", values: [[1]] };
  assert.match(await server.refusal("write_range", inside), /array formula of D1/);
  const blocked = {
    path: "spill.xlsx",
    cell: "A5",
    values: [
      ["=A1:A3", null],
      ["here", null],
    ],
  };
  assert.match(await server.refusal("write_range", blocked), /not empty/);
  await server.text("write_range", { path: "spill.xlsx", cell: "A1", values: [["z"]] });
  const again = await sheetBack(server, "spill.xlsx", "Sheet1");
  assert.deepEqual(
    ["D1", "D2", "D3"].map((cell) => again.values[cell]),
    ["a", "c", "z"],
  );
});

test("what computes with lists is stored so that every program does, or refused", {
  skip,
}, async () => {
  await sheetOf("lists.xlsx", [
    ["x", 1, '=SUM(IF(A1:A3="x",B1:B3))'],
    ["y", 2],
    ["x", 3],
  ]);
  const write = (formula: string) => ({ path: "lists.xlsx", cell: "D1", values: [[formula]] });
  await server.text("write_range", write('=SUMPRODUCT(--(A1:A3="x"),B1:B3)'));
  const file = (await partsOf(join(server.workspace, "lists.xlsx"))).get(
    "xl/worksheets/sheet1.xml",
  );
  assert.match(file ?? "", /<c r="C1" cm="1"><f t="array" ref="C1">SUM\(IF/);
  assert.match(
    file ?? "",
    /<c r="D1"><f>SUMPRODUCT\(--/,
    "that one computes with lists everywhere",
  );
  const { values } = await sheetBack(server, "lists.xlsx", "Sheet1");
  assert.deepEqual([values["C1"], values["D1"]], [4, 4]);
  for (const [formula, why] of [
    ["=SUM(A1:INDEX(A1:A3,2))", /range of what it computes/],
    ['=MAX("7",2)', /MAX a text/],
    ['=SUMPRODUCT((A:A="x")*LEN(A:A))', /shorter ranges/],
    ['=CONVERT(1,"F","C")', /CONVERT/],
  ] as const) {
    assert.match(await server.refusal("write_range", write(formula)), why, formula);
  }
});

test("read_range shows a formula that has no value yet, and says what computes it", async () => {
  const path = "uncomputed.xlsx";
  await sheetOf(path, [["Ana", "=1+1"], ["Ben"], [null, "=2+2"]]);
  await changeParts(join(server.workspace, path), (text) => {
    const sheet = "xl/worksheets/sheet1.xml";
    const bare = text(sheet).replace(/(<\/f>)<v>[^<]*<\/v>/g, "$1");
    assert.notEqual(bare, text(sheet));
    return { [sheet]: bare };
  });
  const { rows, formulas } = await server.data("read_range", { path });
  assert.deepEqual(rows, [
    { row: 1, cells: { A: "Ana", B: null } },
    { row: 2, cells: { A: "Ben" } },
    { row: 3, cells: { B: null } },
  ]);
  assert.deepEqual(formulas, { B1: "=1+1", B3: "=2+2" });
  const text = await server.text("read_range", { path });
  assert.match(text, /No value is stored for B1, B3: recalculate_workbook computes what can be/);
  assert.match(await server.text("read_range", { path, limit: 2 }), /stored for B1: recalc/);
  await server.text("recalculate_workbook", { path });
  assert.doesNotMatch(await server.text("read_range", { path }), /No value/);
});

test("recalculate_workbook says which formulas it cannot give a value", async () => {
  const path = "uncomputable.xlsx";
  await sheetOf(path, [["=1+1", "=2+2"]]);
  await changeParts(join(server.workspace, path), (text) => {
    const sheet = "xl/worksheets/sheet1.xml";
    const bare = text(sheet).replace(/<f>2\+2<\/f><v>[^<]*<\/v>/, '<f>CELL("row",A1)</f>');
    assert.notEqual(bare, text(sheet));
    return { [sheet]: bare };
  });
  const told = await server.text("recalculate_workbook", { path });
  assert.match(told, /cannot be computed here and have no value: Sheet1!B1 \(it uses CELL/);
  assert.match(told, /Recalculating again changes nothing/);
});
