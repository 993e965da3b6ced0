import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXT = readFileSync(join(ROOT, "docs", "writing-tasks.md"), "utf8");

/** The commands of a section, in the order in which they stand there. */
function blocks(section: string): readonly string[] {
  const text = TEXT.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  const found = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, code]) => code ?? "");
  assert.ok(found.length > 0, `docs/writing-tasks.md has no commands under "${section}"`);
  return found;
}

describe("docs/writing-tasks.md does as it says", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "writing-of-cloche-"));
  });

  after(async () => {
    await execa("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the blocks in one shell from the root, as written but for where the tasks lie. */
  async function shell(commands: readonly string[]): Promise<string> {
    const here = commands.join("\n").replaceAll("/tmp/cloche-tasks", join(folder, "tasks-of-mine"));
    const { all, exitCode } = await execa("bash", ["-euo", "pipefail", "-c", here], {
      cwd: ROOT,
      env: {
        PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}`,
        CLOCHE_DATA: join(folder, "data"),
      },
      all: true,
      reject: false,
    });
    assert.equal(exitCode, 0, all);
    return all;
  }

  it("a task that works", async () => {
    const said = await shell(blocks("A task that works"));
    assert.match(said, /✓ shop\/shipped-orders\n1 checked, 0 problems/);
    assert.deepEqual(said.match(/^sparse {2}[01]/gm), ["sparse  1", "sparse  0", "sparse  0"]);
  });

  it("played", async () => {
    const said = await shell(blocks("Play it"));
    assert.match(said, /^# The orders of January$/m);
    assert.match(said, /^row \| A \| B \| C \| D \| E$/m);
    assert.match(said, /^\+ "totals\.csv"/m);
    assert.match(said, /^sparse {2}0/m);
    const start = await readFile(join(folder, "tasks-of-mine", "start.py"), "utf8");
    assert.match(start, /agent\.call\("read_range", path=.*limit=5\)\n/);
  });

  it("made one's own, and proven", async () => {
    const said = await shell(blocks("Make it yours"));
    assert.equal(said.match(/disputed/g)?.length, 3, said);
    assert.match(await shell(blocks("Prove it")), /shop\/shipped-orders is proven/);
  });

  it("names only files that are there", () => {
    for (const [, path = ""] of TEXT.matchAll(/\]\(([\w./-]+)\)/g)) {
      assert.ok(existsSync(join(ROOT, "docs", path)), path);
    }
  });
});
