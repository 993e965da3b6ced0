import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const THREATS = 41;

test("every one of the numbered threats is in the title of a test", () => {
  const texts = globSync("*.test.ts", { cwd: FOLDER }).map((file) =>
    readFileSync(`${FOLDER}/${file}`, "utf8"),
  );
  const titles = texts.flatMap((text) => [...text.matchAll(/^\s*it\("([^"]+)"/gm)]);
  const named = new Set(titles.flatMap(([, title = ""]) => title.match(/\bT\d+\b/g) ?? []));
  const all = Array.from({ length: THREATS }, (_, index) => `T${index + 1}`);
  assert.deepEqual(
    all.filter((threat) => !named.has(threat)),
    [],
  );
});
