import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy, PolicyInput } from "../../runtime/rollout/policy.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { Phase } from "../../runtime/store/record.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";

const PHASES = ["requested", "seeded", "serving", "finished", "captured", "graded", "stored"];

describe("a rollout", () => {
  let runtime: TestRuntime;
  let root: TestRoot;

  before(async () => {
    runtime = await openTestRuntime();
    root = await smallTask();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
  });

  it("played by the oracle reaches every phase in order and ends graded, with a bundle", async () => {
    const phases: Phase[] = [];
    const record = await play(runtime, root.path, "test/note", named("oracle"), {
      watcher: { onPhase: (phase) => phases.push(phase) },
    });
    assert.deepEqual(phases, PHASES);
    assert.equal(record.outcome, "graded");
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 });
    assert.deepEqual(record.ending, { kind: "submitted", answer: "done" });
    assert.equal(record.steps, 2);
    const bundle = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
    assert.equal(bundle.manifest.rollout, record.id);
    assert.deepEqual(await runtime.records.get(record.id), record);
    await runtime.assertNothingLeft();
    assert.deepEqual(await readdir(runtime.data.rollouts), []);
  });

  it("played by nobody is graded: sparse 0, and only what stayed as it was is paid", async () => {
    const record = await play(runtime, root.path, "test/note", nullPolicy);
    assert.equal(record.outcome, "graded");
    assert.deepEqual(record.reward, { sparse: 0, dense: 0.25, gain: 0 });
  });

  it("played by a cheat is graded: sparse 0, with the reason why", async () => {
    const record = await play(runtime, root.path, "test/note", named("cheat:wrong_word"));
    assert.equal(record.reward?.sparse, 0);
    assert.match(record.criteria?.[0]?.reason ?? "", /it says 'wrong\\n'/);
  });

  it("whose policy crashes ends as agent_error with the reward 0, its steps kept in a bundle", async () => {
    await using crashing = await smallTask({
      "solution.py":
        'def solve(agent):\n    agent.call("list_directory", path="/workspace")\n    raise RuntimeError("no idea")\n',
    });
    const record = await play(runtime, crashing.path, "test/note", named("oracle"));
    assert.equal(record.outcome, "agent_error");
    assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 });
    assert.equal(record.fault?.code, "policy/crashed");
    assert.match(record.fault?.message ?? "", /no idea/);
    const bundle = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
    assert.equal(bundle.manifest.steps, 1);
    assert.equal(bundle.grade, null);
  });

  it("one of whose criteria raises ends as grader_error: no reward, the traceback in the record", async () => {
    await using raising = await smallTask({
      "grader.py": ofNote(
        "grader.py",
        'return run.workspace.file("readme.txt")',
        "1 / 0\n    return run",
      ),
    });
    const record = await play(runtime, raising.path, "test/note", named("oracle"));
    assert.equal(record.outcome, "grader_error");
    assert.equal(record.reward, null);
    const [says, untouched] = record.criteria ?? [];
    assert.equal(says?.score, 1);
    assert.equal(untouched?.score, null);
    assert.match(untouched?.error ?? "", /ZeroDivisionError/);
    assert.ok(record.bundle);
  });

  it("whose agent's file breaks a criterion scores 0 there, unreadable, and keeps the rest of the grade", async () => {
    const ways = {
      raises: "raise ValueError(text)",
      hangs: "while True: pass",
      leaves: "import os; os._exit(0)",
      hoards: "x = bytearray(8 << 30)",
    };
    const broken = async ([way, code]: [string, string]) => {
      await using breaking = await smallTask({
        "task.toml": ofNote(
          "task.toml",
          "[environment]",
          "[verifier]\ntimeout_sec = 4\n\n[environment]",
        ),
        "grader.py": ofNote("grader.py", "    check(text", `    ${code}\n    check(text`),
      });
      const record = await play(runtime, breaking.path, "test/note", named("oracle"));
      assert.deepEqual([record.outcome, record.fault], ["graded", null], way);
      assert.deepEqual(record.reward, { sparse: 0, dense: 0.25, gain: 0 }, way);
      const [says, untouched] = record.criteria ?? [];
      assert.deepEqual([says?.score, says?.unreadable], [0, true], way);
      assert.match(says?.reason ?? "", /^what the agent left can't be judged: /);
      assert.deepEqual([untouched?.score, untouched?.unreadable], [1, false], way);
      const bundle = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
      assert.deepEqual(bundle.grade?.criteria, record.criteria);
    };
    await Promise.all(Object.entries(ways).map(broken));
  });

  it("whose grader writes a verdict of its own to its output is judged by the real one", async () => {
    const forged = '{"nonce":"?","criteria":[]}';
    await using forging = await smallTask({
      "grader.py": `${ofNote("grader.py")}import os\nos.write(1, b'${forged}\\n')\nprint('${forged}')\n`,
    });
    const record = await play(runtime, forging.path, "test/note", nullPolicy);
    assert.deepEqual(record.reward, { sparse: 0, dense: 0.25, gain: 0 });
  });

  it("whose grader judges other criteria than it declared is a grader_error", async () => {
    await using shifty = await smallTask({
      "grader.py": ofNote(
        "grader.py",
        "\n\ngrade()",
        "\n\nimport os\nif os.path.exists('/grade/after.json'):\n    criterion('bonus')(lambda run: True)\ngrade()",
      ),
    });
    const record = await play(runtime, shifty.path, "test/note", named("oracle"));
    assert.equal(record.outcome, "grader_error");
    assert.equal(record.fault?.code, "grading/bad-verdict");
    assert.equal(record.reward, null);
  });

  it("whose grader hangs is a grader_error and never a 0", async () => {
    await using slow = await smallTask({
      "task.toml": ofNote(
        "task.toml",
        "[environment]",
        "[verifier]\ntimeout_sec = 1\n\n[environment]",
      ),
      "grader.py": ofNote(
        "grader.py",
        "    text = run",
        "    import time; time.sleep(60)\n    text = run",
      ),
    });
    const record = await play(runtime, slow.path, "test/note", nullPolicy);
    assert.equal(record.outcome, "grader_error");
    assert.equal(record.fault?.code, "grading/timed-out");
    assert.equal(record.reward, null);
  });

  for (const phase of ["requested", "seeded", "serving", "finished", "captured"] as const) {
    it(`cancelled in phase ${phase} ends with a record and leaves nothing`, async () => {
      const cancel = new AbortController();
      const record = await play(runtime, root.path, "test/note", named("oracle"), {
        signal: cancel.signal,
        watcher: { onPhase: (reached) => reached === phase && cancel.abort(new Error("enough")) },
      });
      assert.equal(record.outcome, "cancelled");
      assert.equal(record.reward, null);
      assert.equal(record.phase, "stored");
      assert.deepEqual(record.ending, { kind: "cancelled" });
      if (phase !== "seeded") assert.equal(record.bundle !== null, phase !== "requested");
      if (record.bundle !== null) {
        const { manifest, after } = await openBundle(join(runtime.data.bundles, record.bundle));
        assert.deepEqual([manifest.outcome, manifest.steps], ["cancelled", record.steps]);
        assert.equal(after !== null, phase !== "seeded");
      }
      await runtime.assertNothingLeft();
      assert.equal(existsSync(join(runtime.data.rollouts, record.id)), false);
    });
  }

  it("that uses up its calls is told so by a tool error, ends by its budget and is graded", async () => {
    await using tight = await smallTask({
      "task.toml": ofNote(
        "task.toml",
        "[cloche.variants]",
        "[cloche.budget]\ncalls = 3\n\n[cloche.variants]",
      ),
    });
    const told: string[] = [];
    const record = await play(
      runtime,
      tight.path,
      "test/note",
      calling(async (call) => {
        for (let i = 0; i < 5; i++) told.push(await call("list_directory", { path: "/workspace" }));
        await sleep(500);
      }),
    );
    assert.equal(record.outcome, "graded");
    assert.deepEqual(record.ending, { kind: "budget", which: "calls" });
    assert.equal(record.reward?.sparse, 0);
    assert.match(told.at(3) ?? told.at(-1) ?? "", /budget|calls/i);
  });

  it("whose agent eats all memory loses what it ran, keeps its workspace and is graded", async () => {
    const record = await play(
      runtime,
      root.path,
      "test/note",
      calling(async (call) => {
        await call("write_file", { path: "/workspace/note.txt", content: "hello-1\n" });
        await call("run_command", { command: "python3 -c 'x = bytearray(4 * 10**9)'" });
      }),
    );
    assert.equal(record.outcome, "graded");
    assert.equal(record.reward?.sparse, 1);
  });

  it("whose sandbox is taken away from outside is an infra_error, not the agent's fault", async () => {
    const record = await play(
      runtime,
      root.path,
      "test/note",
      calling(async (call) => {
        await call("write_file", { path: "/workspace/note.txt", content: "hello-1\n" });
        for (const found of await runtime.engine.find(runtime.data.owner)) {
          await runtime.engine.remove(found);
        }
        await sleep(200);
      }),
    );
    assert.equal(record.outcome, "infra_error");
    assert.equal(record.reward, null);
    assert.equal(record.phase, "stored");
    const bundle = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
    assert.deepEqual([bundle.after, bundle.grade, bundle.manifest.steps], [null, null, 1]);
  });

  it("beside another one of the same task shares nothing with it", async () => {
    const [one, two] = await Promise.all([
      play(runtime, root.path, "test/note", named("oracle")),
      play(runtime, root.path, "test/note", named("oracle"), { variant: 2 }),
    ]);
    assert.deepEqual([one.reward?.sparse, two.reward?.sparse], [1, 1]);
    const ids = new Set([
      ...Object.values(one.identity?.uids ?? {}),
      ...Object.values(two.identity?.uids ?? {}),
    ]);
    assert.equal(ids.size, 2 * Object.keys(one.identity?.uids ?? {}).length);
  });

  function named(policy: string) {
    return (parts: TestRuntime, { task }: Omit<RolloutSpec, "policy">): Promise<Policy> => {
      const { engine, images, data, clock } = parts;
      const labels = { owner: data.owner, process: parts.process };
      return policyFor(policy, task, { engine, image: images.grader, labels, clock });
    };
  }
});

/** A policy written here: it gets a way to call tools and nothing else. */
function calling(
  work: (call: (tool: string, args: Record<string, unknown>) => Promise<string>) => Promise<void>,
): Policy {
  return {
    name: "test",
    async play(input: PolicyInput, signal: AbortSignal) {
      await using client = await connectClient(input.url, input.token, signal);
      const call = async (tool: string, args: Record<string, unknown>) =>
        JSON.stringify(await client.callTool(tool, args));
      await work(call);
      return { answer: null };
    },
  };
}
