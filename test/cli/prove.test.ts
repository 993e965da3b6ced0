import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const GOOD = fileURLToPath(new URL("../proof/good-task", import.meta.url));

describe("cloche task prove", () => {
  let folder: string;
  let task: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-root-"));
    task = join(folder, "tasks", "test", "stock");
    await cp(GOOD, task, { recursive: true });
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("wants one task, or all, and not both", async () => {
    for (const words of [[], ["test/stock", "--all"]]) {
      const { code, err } = await cloche("prove", ...words);
      assert.equal(code, 2);
      assert.match(err, /name one task, or give --all/);
    }
  });

  it("is what task list --proven asks for, until a file of the task changes", async () => {
    const unproven = await cloche("list", "--proven", "--json");
    assert.equal(unproven.code, 1);
    const { tasks, refused } = JSON.parse(unproven.out);
    assert.deepEqual(tasks, []);
    assert.deepEqual(refused, [{ id: "test/stock", standing: "unproven" }]);

    const page = join(folder, "proof.html");
    const few = ["--mutants", "40", "--poisons", "30"];
    const proven = await cloche(
      "prove",
      "--all",
      "--variant",
      "1",
      ...few,
      "--json",
      "--page",
      page,
    );
    assert.equal(proven.code, 0, proven.out + proven.err);
    const [proof] = JSON.parse(proven.out).proofs;
    assert.deepEqual(
      proof.findings.map(({ rule, holds }: { rule: string; holds: boolean }) => [rule, holds]),
      [
        "sound",
        "deterministic",
        "distinct",
        "sharp",
        "fair",
        "telling",
        "sturdy",
        "sealed",
        "long",
      ].map((rule) => [rule, true]),
    );
    assert(proof.figures.tokens > 50);
    assert.deepEqual(proof.poisons.byState, { untouched: 15, solved: 15 });
    assert.deepEqual([proof.poisons.null, proof.poisons.forged], [0, 0]);
    assert.match(proven.err, /oracle on variant 1: sparse 1/);
    assert.match(await readFile(page, "utf8"), /1 of 1 tasks proven/);

    const listed = await cloche("list", "--proven");
    assert.equal(listed.code, 0, listed.err);
    assert.match(listed.out, /^test\/stock/m);

    await appendFile(join(task, "instruction.md"), "\n");
    const changed = await cloche("list", "--proven");
    assert.equal(changed.code, 1);
    assert.match(changed.err, /unproven: test\/stock/);
  });

  async function cloche(...words: string[]) {
    const place = ["--root", folder, "--data", join(folder, "data")];
    const argv = ["runtime/cli/main.ts", "task", ...words, ...place];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const [code] = await once(child, "close");
    return { code: code as number | null, out, err };
  }
});
