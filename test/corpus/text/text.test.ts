import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { DEJAVU, type DebianProgram, missingOf, POPPLER } from "../../servers/debian-programs.ts";
import { documentsClient } from "../../servers/documents/support.ts";
import { officeClient } from "../../servers/office-client.ts";
import { GRADER, graderReads } from "../grader-reader.ts";

const REPORTLAB: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import reportlab, docx, openpyxl"],
  packages: ["python3-reportlab", "python3-docx", "python3-openpyxl"],
};
const MAKER = fileURLToPath(new URL("./make_files.py", import.meta.url));
const skip = await missingOf(REPORTLAB, POPPLER, DEJAVU);

function make(folder: string): void {
  execFileSync("/usr/bin/python3", ["-B", MAKER, folder], { env: { PYTHONPATH: GRADER } });
}

describe("CSV as people write it", { skip }, () => {
  it("is the same records to a grader and to import_csv", async (context) => {
    await using client = await officeClient("spreadsheet");
    make(client.workspace);
    const graded = await graderReads<Record<string, string[][]>>(
      client.workspace,
      `
from cloche.csv_file import csv_rows
print(json.dumps({f.name: told(lambda: csv_rows(f)) for f in tree().files("*.csv")}))
`,
    );
    const names = readdirSync(client.workspace).filter((name) => name.endsWith(".csv"));
    assert.deepEqual(Object.keys(graded).sort(), names.sort());
    context.diagnostic(`${names.length} files`);
    for (const name of names.filter((one) => one !== "long.csv")) {
      const path = name.replace(".csv", ".xlsx");
      await client.text("import_csv", { csv: name, path, types: "text" });
      const read = await client.data("read_range", { path });
      assert.deepEqual(shownRows(read), (graded[name] ?? []).map(withoutEnd).filter(holds), name);
    }
    for (const name of names.filter((one) => /-(lf|crlf)-|-cr-all/.test(one))) {
      assert.deepEqual(graded[name], graded["utf8-comma-lf-min.csv"], name);
    }
    assert.equal(graded["long.csv"]?.[0]?.[1]?.length, 200_000);
    assert.equal(graded["utf8-comma-lf-min.csv"]?.[1]?.[1], "Größe, à côté");
  });
});

describe("text that fonts and lines take apart", { skip }, () => {
  it("is found, and read, as it is typed", async () => {
    await using client = await documentsClient();
    make(client.workspace);
    await writeFile(join(client.workspace, "nfd.md"), "Meet at the cafe\u0301 today.");
    const seen = async (path: string, query: string) =>
      (await client.data("find_in_document", { path, query }))["total"];
    assert.equal(await seen("nfd.md", "caf\u00e9"), 1);
    assert.equal(await seen("nfd.md", "cafe"), 0);
    assert.equal(await seen("hyphens.pdf", "international agreements"), 1);
    assert.equal(await seen("hyphens.pdf", "cafe\u0301"), 1);
    assert.equal(await seen("ligatures.pdf", "final office floor"), 1);
    const text = await client.text("read_document", { path: "ligatures.pdf" });
    assert.match(text, /The final office floor/);
    const graded = await graderReads<string>(
      client.workspace,
      `
from cloche.documents import pdf_text
print(json.dumps(pdf_text(tree().file("ligatures.pdf"))))
`,
    );
    assert.match(graded, /The final office floor/);
    const none = await client.text("find_in_document", { path: "nfd.md", query: "a OR b" });
    assert.match(none, /operators such as OR/);
  });
});

interface Read {
  readonly rows?: readonly { readonly cells: Readonly<Record<string, unknown>> }[];
}

/** The rows that hold something, each up to its last value. */
function shownRows(read: Read): string[][] {
  return (read.rows ?? []).map(({ cells }) => {
    const row: string[] = [];
    for (const [place, value] of Object.entries(cells)) {
      row["ABCDEFGH".indexOf(place[0] ?? "")] = String(value);
    }
    return Array.from(row, (value) => value ?? "");
  });
}

function withoutEnd(row: readonly string[]): string[] {
  return row.slice(0, row.findLastIndex((value) => value !== "") + 1);
}

function holds(row: readonly string[]): boolean {
  return row.length > 0;
}
