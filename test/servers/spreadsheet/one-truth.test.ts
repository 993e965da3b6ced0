import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bookValues, type SheetValues } from "../../../servers/spreadsheet/book-values.ts";
import type { OfficeClient } from "../office-client.ts";
import { DATA, FORMULAS } from "./formulas.ts";
import { HARD_FORMULAS, SORTED } from "./hard-formulas.ts";
import { CELLS, MEANINGS } from "./meanings.ts";
import { changeParts } from "./packages.ts";
import { office } from "./read-back.ts";

/** What graders read of a workbook of the tools', whose stored values are lies. */
async function graded(server: OfficeClient, path: string, sheets: number): Promise<SheetValues[]> {
  const file = join(server.workspace, path);
  await changeParts(file, (text) => {
    const parts = Array.from({ length: sheets }, (_, n) => `xl/worksheets/sheet${n + 1}.xml`);
    const lying = (part: string) =>
      text(part).replace(/(<\/f>|<f[^>]*\/>)<v[^>]*>[^<]*<\/v>/g, "$1<v>13</v>");
    return Object.fromEntries(parts.map((part) => [part, lying(part)]));
  });
  const request = { path, now: Date.now(), changes: [] };
  const answer = await bookValues(await readFile(file), request);
  assert.ok("sheets" in answer, JSON.stringify(answer));
  return [...answer.sheets];
}

async function shown(server: OfficeClient, path: string, sheet: string, count: number) {
  const values: unknown[] = [];
  for (let row = 1; row <= count; row += 200) {
    const range = `A${row}:A${Math.min(row + 199, count)}`;
    const page: Record<string, unknown> = await server.data("read_range", {
      path,
      sheet,
      range,
      limit: 1000,
    });
    const rows = page["rows"] as { row: number; cells: Record<string, unknown> }[];
    for (const { row: at, cells } of rows) values[at - 1] = cells["A"];
  }
  return values;
}

function valueIn(sheet: SheetValues | undefined, row: number): unknown {
  const cell = sheet?.cells.find(([r, c]) => r === row && c === 1);
  return cell === undefined || cell[2] === "?" ? `unreadable: ${cell?.[3]}` : cell[3];
}

test("each formula means what it means in Excel, to the tools and to graders", async () => {
  await using server = await office();
  const path = "meanings.xlsx";
  await server.text("create_workbook", { path, sheets: ["Data", "Check"] });
  await server.text("write_range", { path, sheet: "Data", cell: "A1", values: CELLS });
  const onData = MEANINGS.map(([formula]) => [formula]);
  await server.text("write_range", { path, sheet: "Data", cell: "H1", values: onData });
  const page = await server.data("read_range", {
    path,
    sheet: "Data",
    range: `H1:H${onData.length}`,
  });
  const rows = page["rows"] as { row: number; cells: Record<string, unknown> }[];
  const told = new Map(rows.map(({ row, cells }) => [row, cells["H"]]));
  const [data] = await graded(server, path, 1);
  const differing = MEANINGS.flatMap(([formula, wanted], n) => {
    const cell = data?.cells.find(([row, column]) => row === n + 1 && column === 8);
    const [tool, grader] = [told.get(n + 1) ?? "", cell?.[3]];
    return isSame(tool, wanted) && isSame(grader, wanted)
      ? []
      : [`${formula}: tool ${tool}, grader ${cell?.[2]} ${grader}, Excel ${wanted}`];
  });
  assert.deepEqual(differing, []);
});

test("over 400 formulas come to the same for graders as for the tools", async () => {
  await using server = await office();
  const path = "formulas.xlsx";
  const all = [...FORMULAS, ...HARD_FORMULAS];
  await server.text("create_workbook", { path, sheets: ["Data", "Check", "Sorted"] });
  await server.text("write_range", { path, sheet: "Data", cell: "A1", values: DATA });
  await server.text("write_range", { path, sheet: "Sorted", cell: "A1", values: SORTED });
  const values = all.map((formula) => [formula]);
  await server.text("write_range", { path, sheet: "Check", cell: "A1", values });
  const tool = await shown(server, path, "Check", all.length);
  const [, check] = await graded(server, path, 3);
  const differing = all.flatMap((formula, n) => {
    const grader = valueIn(check, n + 1);
    return isSame(tool[n] ?? "", grader) ? [] : [`${formula}: tool ${tool[n]}, grader ${grader}`];
  });
  assert.ok(all.length > 400);
  assert.deepEqual(differing, []);
});

/** Days are told by the tools as days. */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one === "string" && typeof other === "number" && /^\d{4}-\d\d-\d\d/.test(one)) {
    return (Date.parse(one.slice(0, 10)) - Date.UTC(1899, 11, 30)) / 86_400_000 === other;
  }
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= 1e-12 * Math.max(1, Math.abs(one));
}
