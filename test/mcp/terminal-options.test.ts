import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ownSessions } from "./terminal-fixture.ts";

describe("options of the shell in a terminal's session", () => {
  const own = ownSessions();
  const { run } = own;

  it("honours set -e, -u, -x and -v without hurting itself", async () => {
    const failed = await run("set -e; false; echo not reached");
    assert.deepEqual([failed.structured.output, failed.structured.exitCode], ["", 1]);
    await run("set -eux");
    const traced = await run("echo one");
    assert.equal(traced.structured.output, "++ echo one\none\n");
    assert.equal(
      (await run("case $- in *e*u*x*) echo kept;; esac")).structured.output.endsWith("kept\n"),
      true,
    );
    assert.equal((await run("echo $nope")).structured.shellEnded, true);
    await run("set -v");
    assert.equal((await run("echo two")).structured.output.endsWith("two\n"), true);
  });

  for (const flags of ["-u", "-x", "-v", "-e", "-eux", "-uv"]) {
    it(`keeps $? from one command to the next under set ${flags}`, async () => {
      await run(`set ${flags}`);
      for (const status of [5, 40, 0]) {
        await run(`(exit ${status}) && :`);
        const { structured } = await run("echo was $?");
        assert.equal(structured.output.split("\n").at(-2), `was ${status}`);
        assert.equal(structured.output.includes("__cloche"), false, structured.output);
      }
    });
  }

  it("does not end a shell under set -e over a status that set -e lets pass", async () => {
    const first = await run("set -e; v=kept; false && echo no");
    assert.deepEqual([first.structured.exitCode, first.structured.shellEnded], [1, false]);
    const negated = await run("echo $? $v; f() { return 3; }; ! true");
    assert.equal(negated.text, `1 kept\n[exit code 1, cwd /workspace/${own.session}]`);
    const inner = await run("f && echo no");
    assert.deepEqual([inner.structured.exitCode, inner.structured.shellEnded], [3, false]);
    const failed = await run("f; echo not reached");
    assert.deepEqual([failed.structured.exitCode, failed.structured.shellEnded], [3, true]);
    assert.equal(failed.structured.output, "");
  });

  it("keeps options over a broken command", async () => {
    await run("set -ux");
    await run('echo "a');
    const { structured } = await run("case $- in *u*x*) echo $?;; esac; echo $nope");
    assert.match(structured.output, /\n2\n.*nope: unbound variable\n$/s);
    assert.equal(structured.shellEnded, true);
  });

  it("runs an agent's ERR trap for the command that failed, and not again at the next", async () => {
    await run("trap 'echo $? >>traps' ERR");
    await run("(exit 4)");
    // Twice: bash runs it for the `eval` around the command too, as for any eval.
    assert.equal((await run("cat traps")).structured.output, "4\n4\n");
  });
});
