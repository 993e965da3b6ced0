import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RANDOM, UNKNOWN } from "../../servers/spreadsheet/engine-formula.ts";

test("docs/formulas.md lists the functions that are not computed, and no others", () => {
  const text = readFileSync(new URL("../../docs/formulas.md", import.meta.url), "utf8");
  const lists = [...text.matchAll(/^- Functions[^:]*: `([^`]*)`/gm)].map(([, list = ""]) => list);
  const listed = lists.map((list) => list.split(/\s+/));
  assert.deepEqual(listed, [[...UNKNOWN].sort(), [...RANDOM].sort()]);
});
