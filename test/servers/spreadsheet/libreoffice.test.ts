import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { converted, LIBREOFFICE, missing } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { DATA, FORMULAS } from "./formulas.ts";
import { HARD_FORMULAS, KNOWN, SORTED } from "./hard-formulas.ts";
import { changeParts } from "./packages.ts";
import { office } from "./read-back.ts";

const skip = await missing(LIBREOFFICE);

/** What LibreOffice computes for itself: it is given the workbook without the values of formulas. */
async function byLibreOffice(server: OfficeClient, path: string, sheets: number): Promise<string> {
  const folder = join(server.workspace, "lo");
  await mkdir(folder, { recursive: true });
  const bare = join(server.workspace, `bare-${path}`);
  await copyFile(join(server.workspace, path), bare);
  await changeParts(bare, (text) => {
    const parts = Array.from({ length: sheets }, (_, n) => `xl/worksheets/sheet${n + 1}.xml`);
    const without = (part: string) =>
      text(part).replace(/(<\/f>|<f[^>]*\/>)<v[^>]*>[^<]*<\/v>/g, "$1");
    return Object.fromEntries(parts.map((part) => [part, without(part)]));
  });
  await converted(bare, "xlsx", folder);
  return `lo/bare-${path}`;
}

async function cellsOf(server: OfficeClient, path: string, sheet: string) {
  const cells = new Map<string, unknown>();
  let range: string | undefined = "A:Z";
  while (range !== undefined) {
    const page: Record<string, unknown> = await server.data("read_range", {
      path,
      sheet,
      range,
      limit: 1000,
    });
    for (const { row, cells: values } of page["rows"] as { row: number; cells: object }[]) {
      for (const [letter, value] of Object.entries(values)) cells.set(`${letter}${row}`, value);
    }
    range = page["next"] as string | undefined;
  }
  return cells;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
}

test("over 400 formulas come to what LibreOffice makes of them", { skip }, async () => {
  await using server = await office();
  const path = "formulas.xlsx";
  const all = [...FORMULAS, ...HARD_FORMULAS];
  await server.text("create_workbook", { path, sheets: ["Data", "Check", "Sorted"] });
  await server.text("write_range", { path, sheet: "Data", cell: "A1", values: DATA });
  await server.text("write_range", { path, sheet: "Sorted", cell: "A1", values: SORTED });
  const values = all.map((formula) => [formula]);
  await server.text("write_range", { path, sheet: "Check", cell: "A1", values });
  const theirs = await cellsOf(server, await byLibreOffice(server, path, 3), "Check");
  const ours = await cellsOf(server, path, "Check");
  const differing = all.flatMap((formula, n) => {
    const [mine, other] = [ours.get(`A${n + 1}`), theirs.get(`A${n + 1}`)];
    const wanted = KNOWN.has(formula) ? KNOWN.get(formula) : other;
    return same(mine, wanted) ? [] : [`${formula}: ${mine}, LibreOffice ${other}`];
  });
  assert.ok(all.length > 400);
  assert.deepEqual(differing, []);
});

test("real workbooks after many edits are to LibreOffice what they are to us", {
  skip,
}, async () => {
  for (const name of ["budget-openpyxl", "budget-libreoffice"] as const) {
    await using server = await office(name);
    const path = `${name}.xlsx`;
    const costs = { path, sheet: "Costs" };
    await server.text("insert_rows_or_columns", { ...costs, at: "3", count: 2 });
    await server.text("write_range", {
      ...costs,
      cell: "A3",
      values: [["Lamp", "Office", 80, "2026-04-01"]],
    });
    await server.text("copy_range", { ...costs, from: "F2", to: "F3:F4" });
    await server.text("sort_range", {
      path,
      sheet: "By group",
      range: "A1:B5",
      by: [{ column: "Amount" }],
    });
    await server.text("delete_rows_or_columns", { path, sheet: "People & teams", at: "B" });
    await server.text("rename_sheet", { path, sheet: "Costs", name: "Costs of 2026" });
    await server.text("add_sheet", { path, name: "Copy", copy_of: "People & teams" });
    await server.text("write_range", {
      path,
      sheet: "By group",
      cell: "D1",
      values: [["=SUM(Staff[Pay])"]],
    });
    const other = await byLibreOffice(server, path, 4);
    for (const sheet of ["Costs of 2026", "By group", "People & teams", "Copy"]) {
      const [mine, theirs] = [
        await cellsOf(server, path, sheet),
        await cellsOf(server, other, sheet),
      ];
      assert.deepEqual([...mine.keys()].sort(), [...theirs.keys()].sort(), sheet);
      for (const [cell, value] of mine) {
        assert.ok(same(value, theirs.get(cell)), `${sheet}!${cell}: ${value}, ${theirs.get(cell)}`);
      }
    }
    const { sheets } = await server.data("describe_workbook", { path: other });
    const [first] = sheets as { holds: string[] }[];
    for (const held of ["charts or pictures", "notes", "validations", "conditional formats"]) {
      assert.ok(first?.holds.includes(held), held);
    }
  }
});
