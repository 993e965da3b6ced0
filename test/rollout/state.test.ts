import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { WarmPool } from "../../runtime/rollout/pool/pool.ts";
import { regrade } from "../../runtime/rollout/regrade/regrade.ts";
import { resumeRollout } from "../../runtime/rollout/resume.ts";
import { holdMsOf, needOf } from "../../runtime/rollout/sandbox-source.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { prepareVariant } from "../../runtime/task/prepare.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";
import { tokenOf, wordOf } from "./killed-conductor.ts";
import { REMEMBERING } from "./remembering-task.ts";

const TASK = "test/note";
const never = new AbortController().signal;

describe("a rollout with services that keep state", () => {
  let runtime: TestRuntime;
  let root: TestRoot;
  let folder: string;

  before(async () => {
    root = await smallTask(REMEMBERING);
    folder = await mkdtemp(join(tmpdir(), "cloche-state-"));
    runtime = await openTestRuntime({ folder });
  });
  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("is paid for what is in the state, not for what the agent's shell forges", async () => {
    const record = await play(runtime, root.path, TASK, named("cheat:forge_memory"));
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 0);
    assert.match(record.criteria?.at(-1)?.reason ?? "", /it remembers \['Ana'\]/);
    const { state } = await bundleOf(record);
    assert.deepEqual(state?.after, state?.before);
  });

  it("whose agent breaks the state is graded 0 there, and is no error of the grader", async () => {
    const breaking: Policy = {
      name: "external",
      play: async (input, signal) => {
        await using client = await connectClient(input.url, input.token, signal);
        await client.callTool("delete_entities", { entityNames: ["Ana"] });
        return { answer: null };
      },
    };
    const record = await play(runtime, root.path, TASK, breaking);
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.match(record.criteria?.at(-1)?.reason ?? "", /it remembers \[\]/);
  });

  it("whose services keep more than there is room for says so to the agent and goes on", async () => {
    await using tight = await smallTask({
      ...REMEMBERING,
      "task.toml": `${REMEMBERING["task.toml"]?.replace("[environment]", "[environment]\nstate_mb = 1")}`,
    });
    const told: boolean[] = [];
    const hoarding: Policy = {
      name: "external",
      play: async (input, signal) => {
        await using client = await connectClient(input.url, input.token, signal);
        for (const name of ["one", "two"]) {
          const entity = { name, entityType: "x", observations: ["x".repeat(600_000)] };
          const called = await client.callTool("create_entities", { entities: [entity] });
          told.push("result" in called && called.result["isError"] === true);
        }
        return { answer: null };
      },
    };
    const record = await play(runtime, tight.path, TASK, hoarding);
    assert.deepEqual(told, [false, true]);
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.match(record.criteria?.at(-1)?.reason ?? "", /it remembers \['Ana', 'one'\]/);
  });

  it("played by the oracle is captured, bundled and graded with its state", async () => {
    const record = await play(runtime, root.path, TASK, named("oracle"));
    assert.deepEqual(
      record.reward,
      { sparse: 1, dense: 1, gain: 1 },
      JSON.stringify(record.criteria),
    );
    assert.equal(record.limits.stateBytes, 16 * 2 ** 20);
    const bundle = await bundleOf(record);
    assert.deepEqual(pathsOf(bundle.state?.before), [
      "memory",
      "memory/memory.jsonl",
      "memory/seed.txt",
    ]);
    assert.deepEqual(pathsOf(bundle.state?.after), pathsOf(bundle.state?.before));
    assert(pathsOf(bundle.before).includes("desk.txt"));
    assert(!pathsOf(bundle.after).some((path) => path.includes("memory")));
    const paths = bundle.manifest.parts.map(({ path }) => path);
    for (const part of ["before", "after", "diff"]) assert(paths.includes(`state/${part}.json`));
  });

  it("is graded again from its bundle alone, byte for byte", async () => {
    const record = await play(runtime, root.path, TASK, named("oracle"));
    const bundle = await bundleOf(record);
    assert(bundle.grade);
    const parts = { ...runtime, graderImage: runtime.images.grader };
    const again = await regrade(bundle, parts, never);
    assert.deepEqual(gradeBytes(again), gradeBytes(bundle.grade));
  });

  it("takes its sandbox from the pool as it would have been made for it", async () => {
    const { engine, clock, log, manifests = {} } = runtime;
    const owner = { owner: runtime.data.owner, process: runtime.process };
    await using pool = new WarmPool({ engine, owner, clock, log, manifests }, { fills: 1 });
    const task = await findTask(root.path, TASK);
    pool.expect(needOf(task, runtime), { holdMs: holdMsOf(task) }, 1);
    while (pool.level.ready < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    const warm = { ...runtime, sandboxes: pool };
    const record = await play(warm, root.path, TASK, named("oracle"));
    assert.match(record.sandbox ?? "", /^pool-/);
    assert.deepEqual(
      record.reward,
      { sparse: 1, dense: 1, gain: 1 },
      JSON.stringify(record.criteria),
    );
    const cold = await bundleOf(await play(runtime, root.path, TASK, named("oracle")));
    assert.deepEqual((await bundleOf(record)).state, cold.state);
  });

  for (const moment of ["serving", "captured"]) {
    it(`whose process is killed when ${moment} is brought to its end with its state`, async () => {
      const left = await killedAt(moment);
      if (moment === "captured") await removeAll();
      const record = await recovered(left);
      assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
      const reasons = record.criteria?.map(({ score }) => score);
      assert.deepEqual(reasons, [1, 1, moment === "serving" ? 1 : 0]);
      const { state } = await bundleOf(record);
      assert.equal(state?.before.entries.length, 3);
      assert.deepEqual(await readdir(runtime.data.rollouts), []);
    });
  }

  it("whose state brings web sites finds them by name in its sandbox", async () => {
    await using sites = await smallTask({
      "task.toml": ofNote(
        "task.toml",
        "[cloche]\n",
        '[[environment.mcp_servers]]\nname = "web"\n\n[cloche]\nfixture = "desk"\n',
      ),
      "../../../fixtures/desk/state/web/shop/site.json": '{"kind":"shop"}',
      "../../../fixtures/desk/state/web/books/site.json":
        '{"kind":"library","host":"library.test"}',
    });
    const said: string[] = [];
    const visitor: Policy = {
      name: "external",
      play: async (input, signal) => {
        await using client = await connectClient(input.url, input.token, signal);
        const command = "getent hosts shop.test library.test books.test; ls /state";
        said.push(JSON.stringify(await client.callTool("run_command", { command })));
        return { answer: null };
      },
    };
    const record = await play(runtime, sites.path, TASK, visitor);
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.match(said[0] ?? "", /127\.0\.0\.1 +shop\.test.*127\.0\.0\.1 +library\.test/);
    assert.doesNotMatch(said[0] ?? "", / books\.test/);
    assert.match(said[0] ?? "", /Permission denied/);
  });

  it("without such services has no state in its bundle, and costs nothing for it", async () => {
    await using plain = await smallTask();
    const record = await play(runtime, plain.path, TASK, nullPolicy);
    const bundle = await bundleOf(record);
    assert.equal(bundle.state, undefined);
    assert.equal(record.limits.stateBytes, undefined);
    assert(!bundle.manifest.parts.some(({ path }) => path.startsWith("state/")));
  });

  async function bundleOf(record: RolloutRecord): Promise<Bundle> {
    return await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
  }

  async function killedAt(moment: string): Promise<RolloutRecord> {
    const program = new URL("./killed-conductor.ts", import.meta.url).href;
    const child = spawn(
      process.execPath,
      ["-e", `import(${JSON.stringify(program)}).then(({ main }) => main())`],
      {
        stdio: ["ignore", "inherit", "inherit"],
        env: {
          ...process.env,
          ...{ KILL_FOLDER: folder, KILL_ROOT: root.path, KILL_MOMENT: moment, KILL_COUNT: "1" },
        },
      },
    );
    await once(child, "exit");
    const [left] = await runtime.records.unfinished();
    assert(left);
    return left;
  }

  async function recovered(left: RolloutRecord): Promise<RolloutRecord> {
    const task = await findTask(root.path, TASK);
    const prepared = await prepareVariant(task, left.variant, {
      engine: runtime.engine,
      graderImage: runtime.images.grader,
      blobs: new BlobFolder(runtime.data.blobs),
      cacheFolder: runtime.data.cache,
      labels: { owner: runtime.data.owner, process: runtime.process },
      signal: never,
      log: runtime.log,
    });
    const found = await runtime.engine.find(runtime.data.owner);
    const sandbox = found.find(({ id }) => id === left.sandbox);
    const spec = { id: left.id, task, prepared, policy: REMEMBERER, group: null, labels: {} };
    return await resumeRollout(left, sandbox, spec, { ...runtime, tokenOf }, never);
  }

  async function removeAll(): Promise<void> {
    for (const found of await runtime.engine.find(runtime.data.owner)) {
      await runtime.engine.remove(found);
    }
  }
});

/** Goes on after a crash: does the work and remembers it. */
const REMEMBERER: Policy = {
  name: "external",
  play: async (input, signal) => {
    await using client = await connectClient(input.url, input.token, signal);
    const name = wordOf(input);
    const entities = [{ name, entityType: "word", observations: [] }];
    await client.callTool("create_entities", { entities });
    await client.callTool("write_file", { path: "/workspace/note.txt", content: `${name}\n` });
    return { answer: "done" };
  },
};

function named(policy: string) {
  return (parts: TestRuntime, { task }: Omit<RolloutSpec, "policy">): Promise<Policy> => {
    const { engine, images, data, clock } = parts;
    const labels = { owner: data.owner, process: parts.process };
    return policyFor(policy, task, { engine, image: images.grader, labels, clock });
  };
}

function pathsOf(snapshot: Snapshot | null | undefined): string[] {
  return (snapshot?.entries ?? []).map(({ path }) => path);
}
