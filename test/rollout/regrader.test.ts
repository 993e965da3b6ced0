import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Grade } from "../../runtime/grading/grade.ts";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import { regrade } from "../../runtime/rollout/regrade/regrade.ts";
import { Regrader } from "../../runtime/rollout/regrade/regrader.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { resolveBundle } from "../../runtime/store/resolve-bundle.ts";
import { faultOf } from "../support/engine.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";

describe("a regrader", () => {
  const { signal } = new AbortController();
  let runtime: TestRuntime;
  let root: TestRoot;
  let bundles: Bundle[];

  before(async () => {
    runtime = await openTestRuntime();
    root = await smallTask();
    bundles = await Promise.all(["oracle", "null", "cheat:wrong_word"].map(bundleOf));
  });

  after(async () => {
    await runtime?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
  });

  it("gives the grades that a box for each gives, byte for byte, in any order", async () => {
    const parts = { ...runtime, graderImage: runtime.images.grader };
    const [one] = bundles;
    assert(one);
    const wanted = await Promise.all(
      bundles.map(async (each) => gradeBytes(await regrade(each, parts, signal)).toString()),
    );
    const regrader = await Regrader.open(one, parts, 2);
    try {
      const order = [0, 1, 2, 2, 1, 0, 1, 0, 2];
      const grades = await Promise.all(
        order.map(async (at) => regrader.grade(bundles[at] ?? one, signal)),
      );
      const found = grades.map((grade) => gradeBytes(grade).toString());
      assert.deepEqual(
        found,
        order.map((at) => wanted[at]),
      );
    } finally {
      await regrader[Symbol.asyncDispose]();
    }
    await runtime.assertNothingLeft();
  });

  it("goes on after a grader that dies, and refuses a bundle of another task", async () => {
    const parts = { ...runtime, graderImage: runtime.images.grader };
    const [one] = bundles;
    assert(one);
    const dying = ofNote("grader.py", "    text =", "    import os\n    os._exit(7)\n    text =");
    const graderFiles = [{ path: "grader.py", bytes: Buffer.from(dying) }];
    await using regrader = await Regrader.open(one, parts, 1);
    const fault = await faultOf(
      regrader.grade({ ...one, graderFiles }, signal),
      "grading/grader-failed",
    );
    assert.match(fault.message, /died while it judged the untouched state/);
    assert.equal((await regrader.grade(one, signal)).reward?.sparse, 1);
    const task = { ...one.manifest.task, id: "test/other" };
    const other = { ...one, manifest: { ...one.manifest, task } };
    await assert.rejects(regrader.grade(other, signal), TypeError);
  });

  it("runs an agent's programs for a grader, and lets no run change what the next one sees", async () => {
    const parts = { ...runtime, graderImage: runtime.images.grader };
    const [one] = bundles;
    assert(one);
    const changed = (body: string): Bundle => {
      const grader = ofNote("grader.py", "    text =", `${body}\n    text =`);
      return { ...one, graderFiles: [{ path: "grader.py", bytes: Buffer.from(grader) }] };
    };
    const running = changed(
      `    said = run.execute(["cat", "note.txt"]).output
    check(said == run.workspace.file("note.txt").text(), f"cat said {said!r}")`,
    );
    const spoiling = changed(
      `    import cloche.files, os, tempfile
    cloche.files.File.text = lambda self, *_, **__: "spoilt"
    os.environ["HOME"] = "/spoilt"
    open(os.path.join(tempfile.gettempdir(), "left"), "w").close()
    import subprocess
    subprocess.Popen(["tail", "-f", "/dev/null"], start_new_session=True)`,
    );
    const looking = changed(
      `    import os, tempfile
    check(os.listdir(tempfile.gettempdir()) == [], "the run before left a file")
    others = [open(f"/proc/{each}/cmdline").read() for each in os.listdir("/proc") if each.isdigit()]
    check(not any("tail" in each for each in others), "the run before left a process")
    check(os.environ.get("HOME") != "/spoilt", "the run before set a variable")`,
    );
    const wanted = gradeBytes(await regrade(running, parts, signal)).toString();
    await using regrader = await Regrader.open(one, parts, 1);
    assert.equal(gradeBytes(await regrader.grade(running, signal)).toString(), wanted);
    assert.equal((JSON.parse(wanted) as Grade).reward?.sparse, 1);
    assert.equal((await regrader.grade(spoiling, signal)).reward?.sparse, 0);
    const after = await regrader.grade(looking, signal);
    assert.equal(after.reward?.sparse, 1, JSON.stringify(after.criteria));
    assert.equal((await regrader.grade(one, signal)).reward?.sparse, 1);
  });

  async function bundleOf(policy: string): Promise<Bundle> {
    const { engine, images, data, process, clock } = runtime;
    const labels = { owner: data.owner, process };
    const record = await play(runtime, root.path, "test/note", (_, { task }) =>
      policyFor(policy, task, { engine, image: images.grader, labels, clock }),
    );
    assert(record.bundle, JSON.stringify(record.fault));
    return await openBundle(await resolveBundle(data, record.bundle));
  }
});
