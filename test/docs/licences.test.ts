import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { licencesPage } from "../support/licences-page.ts";

it("servers/LICENSES.md names every package of every bundle, with its licence", async () => {
  const now = readFileSync("servers/LICENSES.md", "utf8");
  assert.equal(now, await licencesPage(), "run: node test/support/write-licences.ts");
});
