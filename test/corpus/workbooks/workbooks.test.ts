import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bookValues, type ValueCell } from "../../../servers/spreadsheet/book-values.ts";
import { LIBREOFFICE, missingOf, OPENPYXL, XLSXWRITER } from "../../servers/debian-programs.ts";
import { office } from "../../servers/spreadsheet/read-back.ts";

const run = promisify(execFile);
const MAKER = fileURLToPath(new URL("make_workbooks.py", import.meta.url));
const skip = await missingOf(LIBREOFFICE, OPENPYXL, XLSXWRITER);

describe("workbooks that other programs made", { skip }, () => {
  let folder: string;
  let files: string[];
  let wanted: Record<string, [number, number, unknown][]>;
  let computed: Record<string, unknown[]>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "workbooks-"));
    await run("/usr/bin/python3", [MAKER, folder]);
    wanted = JSON.parse(await readFile(join(folder, "wanted.json"), "utf8"));
    const made = (await readdir(folder)).filter((name) => name.startsWith("openpyxl-"));
    const profile = `-env:UserInstallation=file://${folder}/profile`;
    const calc = ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", `${folder}/lo`];
    const sources = made.map((name) => join(folder, name));
    await run("soffice", [profile, "--headless", ...calc, ...sources], { timeout: 300_000 });
    const { stdout } = await run("/usr/bin/python3", [MAKER, "--read", `${folder}/lo`]);
    computed = JSON.parse(stdout);
    for (const name of await readdir(`${folder}/lo`)) {
      await copyFile(
        join(folder, "lo", name),
        join(folder, name.replace("openpyxl", "libreoffice")),
      );
    }
    files = (await readdir(folder)).filter((name) => name.endsWith(".xlsx")).sort();
  });

  after(async () => await rm(folder, { recursive: true, force: true }));

  it("are to graders what was typed into them, and what LibreOffice computes", async () => {
    const differing: string[] = [];
    for (const name of files) {
      const [kind, number = ""] = name.replace(".xlsx", "").split("-");
      const cells = await graded(join(folder, name));
      for (const [row, column, value] of wanted[number] ?? []) {
        const read = cells.get(`${row} ${column}`);
        if (!isSame(read?.[3], value))
          differing.push(`${name} ${row},${column}: ${read} for ${value}`);
      }
      // Days are other numbers there.
      if (kind === "y1904") continue;
      for (const [n, value] of (computed[`openpyxl-${number}`] ?? []).entries()) {
        const read = cells.get(`${n + 2} 8`);
        if (!isSame(read?.[3], value ?? ""))
          differing.push(`${name} ${read?.[4]}: ${read} for ${value}`);
      }
    }
    assert.ok(files.length >= 180, String(files.length));
    assert.deepEqual(differing, []);
  });

  it("are to the tools what they are to graders, cell by cell", async () => {
    await using server = await office();
    const differing: string[] = [];
    for (const name of files) {
      const cells = await graded(join(folder, name));
      await copyFile(join(folder, name), join(server.workspace, name));
      await server.text("recalculate_workbook", { path: name });
      const page = await server.data("read_range", { path: name, sheet: "Data", range: "A1:H21" });
      const rows = page["rows"] as { row: number; cells: Record<string, unknown> }[];
      const told = rows.flatMap(({ row, cells: line }) => {
        return Object.entries(line).map(([letter, value]) => {
          return [`${row} ${letter.charCodeAt(0) - 64}`, value] as const;
        });
      });
      for (const [at, value] of told) {
        const read = cells.get(at);
        if (!isSame(read?.[3] ?? "", value ?? ""))
          differing.push(`${name} ${at}: ${value}, grader ${read}`);
      }
      assert.ok(told.length > 60, `${name}: ${told.length} cells`);
    }
    assert.deepEqual(differing, []);
  });
});

async function graded(file: string): Promise<Map<string, ValueCell>> {
  const request = { path: file, now: 0, changes: [] };
  const answer = await bookValues(await readFile(file), request);
  assert.ok("sheets" in answer, `${file}: ${JSON.stringify(answer)}`);
  const [first] = answer.sheets;
  return new Map(first?.cells.map((cell) => [`${cell[0]} ${cell[1]}`, cell]));
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one === "string" && typeof other === "string") {
    return one.replace("T00:00:00", "") === other.replace("T00:00:00", "");
  }
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one));
}
