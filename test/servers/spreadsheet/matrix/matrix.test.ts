import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bookValues } from "../../../../servers/spreadsheet/book-values.ts";
import { RANDOM, UNKNOWN } from "../../../../servers/spreadsheet/engine-formula.ts";
import { LIBREOFFICE, missing } from "../../debian-programs.ts";
import type { OfficeClient } from "../../office-client.ts";
import { office } from "../read-back.ts";
import { byLibreOffice, type Expected, FILES, inExcel, STORED, type Value } from "./expected.ts";
import { cellOf, formulasOf, type MatrixFormula, matrixWorkbook } from "./workbook.ts";

const skip = await missing(LIBREOFFICE);
const DOCS = new URL("../../../../docs/formulas.md", import.meta.url);

/** What each side makes of a formula; an Unsupported says why it makes nothing of it. */
type Told = ReadonlyMap<string, Value | Unsupported>;
interface Unsupported {
  readonly unsupported: string;
}

async function byGrader(formulas: readonly MatrixFormula[], from1904: boolean): Promise<Told> {
  const bytes = Buffer.from(matrixWorkbook(formulas, { from1904 }));
  const answer = await bookValues(bytes, { path: "matrix.xlsx", now: 0, changes: [] });
  assert.ok("sheets" in answer, JSON.stringify(answer));
  const cells = answer.sheets.find(({ name }) => name === "Check")?.cells ?? [];
  const byRow = new Map(cells.map((cell) => [cell[0] - 1, cell]));
  return new Map(
    formulas.map(({ said }, n) => {
      const [, , kind, value] = byRow.get(n) ?? [0, 0, "?", "it has no value"];
      return [said, kind === "?" ? { unsupported: String(value) } : value];
    }),
  );
}

async function byTools(
  server: OfficeClient,
  formulas: readonly MatrixFormula[],
  from1904: boolean,
): Promise<Told> {
  const path = `matrix-${from1904}.xlsx`;
  await writeFile(join(server.workspace, path), matrixWorkbook(formulas, { from1904 }));
  await server.text("recalculate_workbook", { path });
  const values: Value[] = [];
  for (let first = 0; first < formulas.length; first += 200) {
    const last = Math.min(first + 199, formulas.length - 1);
    const range = `${cellOf(first)}:${cellOf(last)}`;
    const page = await server.data("read_range", { path, sheet: "Check", range, limit: 1000 });
    const rows = page["rows"] as { row: number; cells: Record<string, Value> }[];
    for (const { row, cells } of rows) values[row - 1] = Object.values(cells)[0] ?? "";
  }
  return new Map(formulas.map(({ said }, n) => [said, values[n] ?? ""]));
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  const size = Math.max(Math.abs(one), Math.abs(other));
  return Math.abs(one - other) <= 1e-9 * size;
}

test("over 1,200 formulas come to what they come to in Excel, for tools and for graders", async (t) => {
  await using server = await office();
  const stored = JSON.parse(await readFile(STORED, "utf8")) as Record<string, Expected>;
  const excel = await inExcel();
  const wrong: string[] = [];
  let right = 0;
  for (const [file, from1904] of Object.entries(FILES)) {
    const formulas = formulasOf(file);
    const tools = await byTools(server, formulas, from1904);
    const grader = await byGrader(formulas, from1904);
    for (const { said } of formulas) {
      const wanted = (from1904 ? undefined : excel[said]) ?? stored[file]?.[said];
      const [tool, judge] = [tools.get(said), grader.get(said)];
      if (isSame(tool, wanted) && isSame(judge, wanted)) right++;
      else wrong.push(`${said}: tool ${say(tool)}, grader ${say(judge)}, wanted ${say(wanted)}`);
    }
  }
  t.diagnostic(`${right} right, ${wrong.length} wrong`);
  assert.deepEqual(wrong, []);
  assert.ok(right > 1200, String(right));
});

function say(value: unknown): string {
  return JSON.stringify(value);
}

test("what is not computed is said by tools and graders in the same words, and stands in the documents", async (t) => {
  await using server = await office();
  const named = [...UNKNOWN, ...RANDOM].map((name) => `=${name}(1)`);
  const listed = formulasOf("unsupported.txt");
  const bare = named.map((said) => ({ family: "", said, formula: said.slice(1), asArray: false }));
  const formulas = [...listed, ...bare];
  const grader = await byGrader(formulas, false);
  const path = "fresh.xlsx";
  await writeFile(join(server.workspace, path), matrixWorkbook([], { from1904: false }));
  const differing: string[] = [];
  for (const { said, formula } of formulas) {
    const values = [[`=${formula}`]];
    const answer = await server.call("write_range", { path, sheet: "Check", cell: "H1", values });
    const told = JSON.stringify(answer.content);
    const why = /cannot be used: (.*)\. Nothing was written/
      .exec(told)?.[1]
      ?.replaceAll('\\"', '"');
    const judged = grader.get(said);
    const reason = typeof judged === "object" ? judged.unsupported : undefined;
    if (why === undefined || why !== reason) differing.push(`${said}: ${told}; ${say(judged)}`);
  }
  assert.deepEqual(differing, []);
  const docs = (await readFile(DOCS, "utf8")).replace(/\s+/g, " ");
  const missingNames = [...UNKNOWN, ...RANDOM].filter((name) => !docs.match(`[\` ]${name}[\` ]`));
  assert.deepEqual(missingNames, []);
  t.diagnostic(`${formulas.length} not computed, each said`);
});

test("the stored values are what LibreOffice computes here", { skip }, async () => {
  const stored = JSON.parse(await readFile(STORED, "utf8")) as Record<string, Expected>;
  const now = await byLibreOffice();
  for (const file of Object.keys(FILES)) {
    const differing = Object.entries(stored[file] ?? {}).filter(
      ([said, value]) => !isSame(value, now[file]?.[said]),
    );
    assert.deepEqual(differing, []);
    assert.deepEqual(Object.keys(stored[file] ?? {}), Object.keys(now[file] ?? {}));
  }
});
