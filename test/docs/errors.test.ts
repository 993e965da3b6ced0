import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { errorRow, sourceFaults } from "../support/source-faults.ts";

describe("docs/errors.md", () => {
  it("lists every fault code of the source with blame, meaning and remedy, and no other", async () => {
    const rows = readFileSync("docs/errors.md", "utf8").split("\n");
    const found = rows.filter((row) => /^\| `[a-z-]+\/[a-z-]+` \|/.test(row));
    assert.deepEqual(found, (await sourceFaults()).map(errorRow), "run: npm run errors");
  });

  it("names codes in kebab-case and ends its sentences", async () => {
    for (const [code, { means, remedy }] of await sourceFaults()) {
      assert.match(code, /^[a-z-]+\/[a-z][a-z-]*$/);
      assert.match(means, /\.$/, code);
      assert.match(remedy, /[.?]$/, code);
    }
  });
});
