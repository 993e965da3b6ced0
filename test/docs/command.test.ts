import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Outside of a clone it runs whatever has that name in npm's registry. */
const MISTAKABLE = ["npx", "cloche"].join(" ");

test("no text and no message tells anybody to run what npm may take for another package", async () => {
  const { stdout } = await execa("git", ["grep", "-l", "-F", MISTAKABLE], {
    cwd: ROOT,
    reject: false,
  });
  assert.equal(stdout, "");
});

test("the command of the documents runs as it stands, from a clone and by a link from elsewhere", async (t) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { stdout } = await execa(join(ROOT, "cloche.mjs"), ["--version"], { cwd: ROOT });
  assert.equal(stdout, version);
  const folder = await mkdtemp(join(tmpdir(), "cloche-link-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(ROOT, "cloche.mjs"), join(folder, "cloche"));
  assert.equal(
    (await execa(join(folder, "cloche"), ["--version"], { cwd: folder })).stdout,
    version,
  );
});

test("the package cannot be published by mistake", () => {
  assert.equal(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).private, true);
});
