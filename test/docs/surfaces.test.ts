import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { surfacesPage } from "../support/surfaces-page.ts";

it("docs/surfaces.md says what the servers say", async () => {
  const now = readFileSync("docs/surfaces.md", "utf8");
  assert.equal(now, await surfacesPage(), "run: node test/support/write-surfaces.ts");
});
