import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { bundleServer, SERVER_BUNDLES } from "../../runtime/image/server-bundles.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type OfficeClient, officeClient } from "./office-client.ts";

/** The program as images hold it: what is loaded later lies in parts beside it. */
let main: string;
let folder: Awaited<ReturnType<typeof tempFolder>>;

before(async () => {
  folder = await tempFolder();
  const office = SERVER_BUNDLES.find(({ name }) => name === "office");
  assert.ok(office);
  for (const { path, content } of (await bundleServer(office)).files) {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  main = join(folder.path, "office.mjs");
});
after(() => folder[Symbol.asyncDispose]());

const TEXT = "# Title\n\nHello *world*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";

test("the bundled office writes, converts and reads documents of every kind", async () => {
  await using office = await opened("documents");
  for (const path of ["a.docx", "a.pdf", "a.html", "a.md"]) {
    await office.text("create_document", { path, markdown: TEXT });
    assert.match(await office.text("read_document", { path }), /Hello world/, path);
    assert.equal(((await office.data("extract_tables", { path }))["tables"] as []).length, 1, path);
  }
  await office.text("convert_document", { path: "a.docx", to: "b.pdf" });
  assert.match(await office.text("read_pdf_page", { path: "b.pdf", page: 1 }), /Title/);
});

test("the bundled office computes formulas, and reads and writes CSV", async () => {
  await using office = await opened("spreadsheet");
  const path = "a.xlsx";
  await office.text("create_workbook", { path });
  const values = [[1, 2, "=A1+B1"]];
  assert.match(await office.text("write_range", { path, cell: "A1", values }), /C1 = 3/);
  await office.text("export_csv", { path, csv: "a.csv" });
  assert.match(await office.text("import_csv", { path: "b.xlsx", csv: "a.csv" }), /1 row/);
});

test("the bundled office indexes a corpus of pages", async () => {
  await using office = await opened("search");
  const corpus = join(office.state, "search", "handbook");
  await mkdir(corpus, { recursive: true });
  await writeFile(join(corpus, "a.html"), "<title>Rooms</title><p>Maple seats eight.");
  assert.match(await office.text("search_documents", { query: "seats" }), /\*\*seats\*\*/);
});

async function opened(surface: string): Promise<OfficeClient> {
  return await officeClient(surface, { main });
}
