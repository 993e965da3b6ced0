import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import type { OfficeClient } from "../office-client.ts";
import { changeParts } from "./packages.ts";
import { fixture, office } from "./read-back.ts";

let server: OfficeClient;
before(async () => {
  server = await office("budget-libreoffice", "shared");
});
after(async () => await server[Symbol.asyncDispose]());

const READS = ["describe_workbook", "read_range", "recalculate_workbook"] as const;

async function put(path: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(server.workspace, path), bytes);
  return path;
}

async function altered(
  path: string,
  change: (text: (name: string) => string) => Readonly<Record<string, string>>,
): Promise<string> {
  await put(path, await readFile(fixture("budget-libreoffice")));
  await changeParts(join(server.workspace, path), change);
  return path;
}

const SHEET = "xl/worksheets/sheet1.xml";

test("what is no workbook is told as such, by every tool that opens it", async () => {
  const real = await readFile(fixture("budget-libreoffice"));
  const cases: readonly (readonly [string, Uint8Array | string, RegExp])[] = [
    ["empty.xlsx", "", /no readable \.xlsx/],
    ["text.xlsx", "a,b\n1,2\n", /import_csv/],
    ["cut.xlsx", real.subarray(0, real.length / 2), /cut short/],
    ["old.xls", Buffer.from("d0cf11e0a1b11ae1000000", "hex"), /encrypted|\.xls/],
    ["line.xlsx", "x".repeat(10_000_000), /no readable/],
  ];
  for (const [name, bytes, why] of cases) {
    const path = await put(name, bytes);
    for (const tool of READS) assert.match(await server.refusal(tool, { path }), why, name);
  }
  const word = await altered("word.xlsx", (text) => ({
    "_rels/.rels": text("_rels/.rels").replace("xl/workbook.xml", "word/document.xml"),
    "word/document.xml": "<w:document/>",
  }));
  assert.match(await server.refusal("read_range", { path: word }), /Word document/);
});

test("damage inside is told, and never written over", async () => {
  const cases: readonly (readonly [string, string | ((sheet: string) => string), RegExp])[] = [
    [
      "doctype.xlsx",
      (s) =>
        s.replace("<worksheet", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet'),
      /document type/,
    ],
    ["unclosed.xlsx", (s) => s.replace("</sheetData>", ""), /not well-formed/],
    ["tags.xlsx", (s) => s.replace("</mergeCells>", ""), /not well-formed/],
    ["rows.xlsx", (s) => s.replace('<row r="2"', '<row r="1"'), /not well-formed/],
    ["far.xlsx", (s) => s.replace('<row r="12"', '<row r="1048577"'), /not well-formed/],
    ["column.xlsx", (s) => s.replace('r="A12"', 'r="ZZZ12"'), /not well-formed/],
    ["string.xlsx", (s) => s.replace(/t="s"><v>\d+</, 't="s"><v>99999<'), /shared text/],
    ["latin.xlsx", (s) => s.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"'), /iso-8859-1/],
    [
      "deep.xlsx",
      (s) => s.replace("<mergeCells", `${"<a>".repeat(100_000)}<mergeCells`),
      /not well-formed/,
    ],
  ];
  for (const [path, change, why] of cases) {
    const edit = typeof change === "string" ? () => change : change;
    await altered(path, (text) => ({ [SHEET]: edit(text(SHEET)) }));
    const bytes = await readFile(join(server.workspace, path));
    assert.match(await server.refusal("read_range", { path }), why, path);
    const write = { path, cell: "A2", values: [["=A1"]] };
    assert.match(await server.refusal("write_range", write), why, path);
    assert.deepEqual(await readFile(join(server.workspace, path)), bytes);
  }
});

test("what unpacks to too much is refused by its stated size and by its real one", async () => {
  const bomb = await altered("bomb.xlsx", () => ({ [SHEET]: " ".repeat(40 * 1024 * 1024) }));
  assert.match(await server.refusal("read_range", { path: bomb }), /unpacks to 40 MiB/);
  // A size that lies: the directory says 100 bytes, the part is 20 MiB.
  const path = await altered("liar.xlsx", () => ({ [SHEET]: "y".repeat(20 * 1024 * 1024) }));
  const file = join(server.workspace, path);
  const bytes = await readFile(file);
  const packed = deflateRawSync(Buffer.from("y".repeat(20 * 1024 * 1024)), { level: 6 });
  assert.ok(bytes.includes(packed.subarray(0, 1000)));
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 4)) {
    if (bytes.readUInt32LE(at + 24) === 20 * 1024 * 1024) bytes.writeUInt32LE(100, at + 24);
  }
  await writeFile(file, bytes);
  assert.match(await server.refusal("read_range", { path }), /damaged/);
});

test("a sheet with rows to the very end is refused whole, or read where few are filled", async () => {
  const rows = Array.from({ length: 1_048_576 }, (_, n) => `<row r="${n + 1}"/>`).join("");
  const sheet = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${rows}</sheetData></worksheet>`;
  const full = await altered("full.xlsx", () => ({ [SHEET]: sheet }));
  assert.match(await server.refusal("read_range", { path: full }), /too many/);
  const last = sheet.replace(rows, '<row r="1048576"><c r="XFD1048576"><v>5</v></c></row>');
  const path = await altered("last.xlsx", () => ({ [SHEET]: last }));
  assert.match(await server.text("read_range", { path, range: "XFD:XFD" }), /1048576 \| 5/);
  const insert = { path, at: "1" };
  assert.match(await server.refusal("insert_rows_or_columns", insert), /push them off/);
});

test("formulas that loop or explode are stopped, and the server goes on", async () => {
  await server.text("create_workbook", { path: "loop.xlsx" });
  const write = (values: unknown) => ({ path: "loop.xlsx", cell: "A1", values });
  assert.match(await server.refusal("write_range", write([["=A2"], ["=A1"]])), /depends on itself/);
  const huge = await server.refusal("write_range", write([["=SUM(SEQUENCE(1048576,900))"]]));
  assert.match(huge, /could not be computed|cannot be used/);
  const nested = `=${"SUM(".repeat(1500)}1${")".repeat(1500)}`;
  await server.call("write_range", write([[nested]]));
  await server.text("write_range", write([["=1+1"]]));
  assert.match(await server.text("read_range", { path: "loop.xlsx" }), /1 \| 2/);
});

test("paths and links that leave the workspace are refused", async () => {
  await writeFile(join(server.state, "secret.xlsx"), await readFile(fixture("shared")));
  await symlink(join(server.state, "secret.xlsx"), join(server.workspace, "link.xlsx"));
  await mkdir(join(server.workspace, "folder.xlsx"));
  for (const [path, why] of [
    ["../state/secret.xlsx", /outside the workspace/],
    ["/etc/passwd", /outside the workspace/],
    ["link.xlsx", /link/],
    ["folder.xlsx", /folder/],
    ["none.xlsx", /not there/],
  ] as const) {
    assert.match(await server.refusal("read_range", { path }), why, path);
    const write = { path, cell: "A1", values: [[1]] };
    assert.match(await server.refusal("write_range", write), why, path);
  }
});

test("two writes at once to one file both arrive", async () => {
  await server.text("create_workbook", { path: "both.xlsx" });
  const cells = Array.from({ length: 12 }, (_, n) => `A${n + 1}`);
  await Promise.all(
    cells.map((cell) => server.text("write_range", { path: "both.xlsx", cell, values: [[cell]] })),
  );
  const { rows } = await server.data("read_range", { path: "both.xlsx" });
  assert.deepEqual(
    rows,
    cells.map((cell, n) => ({ row: n + 1, cells: { A: cell } })),
  );
});

test("arguments that cannot be are told with what to do instead", async () => {
  const path = "shared.xlsx";
  for (const [tool, args, why] of [
    ["read_range", { range: "A0" }, /A1 notation/],
    ["read_range", { range: "Sheet1!A1" }, /Give the sheet in `sheet`/],
    ["read_range", { range: "XFE1" }, /XFD1048576/],
    ["read_range", { sheet: "Nope" }, /Its sheets: "Shapes"/],
    ["write_range", { cell: "XFD1", values: [[1, 2]] }, /past the last cell/],
    ["insert_rows_or_columns", { at: "A1" }, /no row number/],
    ["delete_sheet", { sheet: "Shapes" }, /last visible/],
    ["filter_rows", { table: "T", where: [{ column: "A", is: "empty" }] }, /no table/],
    ["import_csv", { csv: "shared.xlsx" }, /UTF-8/],
  ] as const) {
    assert.match(await server.refusal(tool, { path, ...args }), why, JSON.stringify(args));
  }
});
