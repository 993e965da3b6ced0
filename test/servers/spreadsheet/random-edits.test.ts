import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { missing, OPENPYXL } from "../debian-programs.ts";
import { office, readBack } from "./read-back.ts";

const skip = await missing(OPENPYXL);

type Value = string | number | boolean | null;
type Edit =
  | {
      readonly kind: "write";
      readonly row: number;
      readonly column: number;
      readonly values: Value[][];
    }
  | {
      readonly kind: "insert" | "delete";
      readonly axis: "row" | "column";
      readonly at: number;
      readonly count: number;
    };

const VALUE = fc.oneof(
  fc.integer({ min: -1e9, max: 1e9 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.boolean(),
  fc.constant(null),
  fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((text) => !/^=|^\d{4}-\d\d-\d\d|\r/.test(text)),
  fc.constantFrom("007", " x ", "<a&b>", "line\nbreak", "😀", "_x0041_", "'quoted"),
);
const PLACE = { row: fc.integer({ min: 1, max: 8 }), column: fc.integer({ min: 1, max: 5 }) };
const EDIT: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    ...PLACE,
    values: fc.array(fc.array(VALUE, { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constantFrom("insert" as const, "delete" as const),
    axis: fc.constantFrom("row" as const, "column" as const),
    at: fc.integer({ min: 1, max: 8 }),
    count: fc.integer({ min: 1, max: 2 }),
  }),
);

const SIZE = 60;

/** A sheet as nothing but a grid. */
class Grid {
  rows: Value[][] = Array.from({ length: SIZE }, () => Array<Value>(SIZE).fill(null));

  apply(edit: Edit): void {
    if (edit.kind === "write") {
      for (const [down, row] of edit.values.entries()) {
        for (const [right, value] of row.entries()) {
          const line = this.rows[edit.row - 1 + down];
          if (line !== undefined) line[edit.column - 1 + right] = value === "" ? null : value;
        }
      }
    } else {
      const blank = () => (edit.axis === "row" ? Array<Value>(SIZE).fill(null) : null);
      const lists = (edit.axis === "row" ? [this.rows] : this.rows) as unknown[][];
      for (const list of lists) {
        const made = Array.from({ length: edit.count }, blank);
        if (edit.kind === "insert") list.splice(edit.at - 1, 0, ...made);
        else list.splice(edit.at - 1, edit.count);
      }
    }
  }

  sum(): number {
    return this.rows.flat().reduce<number>((sum, v) => sum + (typeof v === "number" ? v : 0), 0);
  }
}

test("after any edits another reader finds the values of a simple model, and their sum", {
  skip,
}, async () => {
  await using server = await office();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(EDIT, { minLength: 1, maxLength: 8 }), async (edits) => {
      const path = `run-${run++}.xlsx`;
      await server.text("create_workbook", { path, sheets: ["Grid", "Sum"] });
      await server.text("write_range", {
        path,
        sheet: "Sum",
        cell: "A1",
        values: [["=SUM(Grid!A:ZZ)"]],
      });
      const grid = new Grid();
      for (const edit of edits) {
        grid.apply(edit);
        const sheet = { path, sheet: "Grid" };
        if (edit.kind === "write") {
          const cell = `${String.fromCharCode(64 + edit.column)}${edit.row}`;
          await server.text("write_range", { ...sheet, cell, values: edit.values });
        } else {
          const at = edit.axis === "row" ? String(edit.at) : String.fromCharCode(64 + edit.at);
          const tool = `${edit.kind}_rows_or_columns`;
          await server.text(tool, { ...sheet, at, count: edit.count });
        }
      }
      const { sheets } = await readBack(server, path);
      const { values = {} } = sheets["Grid"] ?? {};
      const wanted: Record<string, Value> = {};
      for (const [r, row] of grid.rows.entries()) {
        for (const [c, value] of row.entries()) {
          if (value !== null) wanted[`${String.fromCharCode(65 + c)}${r + 1}`] = value;
        }
      }
      assert.deepEqual(plain(values), plain(wanted));
      const [sum, expected] = [Number(sheets["Sum"]?.values["A1"]), grid.sum()];
      assert.ok(
        Math.abs(sum - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
        `${sum} ${expected}`,
      );
    }),
    { numRuns: 15, seed: 4 },
  );
});

/** openpyxl takes numbers such as 1.0 for whole ones, and keeps the format's escapes in texts. */
function plain(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).map(([cell, value]) => {
    if (typeof value === "string") return [cell, value.replaceAll("_x005F_", "_")];
    return [cell, Object.is(value, -0) ? 0 : value];
  });
  return Object.fromEntries(entries.sort());
}
