import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import { isAlive } from "../../runtime/base/process-identity.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { reap } from "../../runtime/rollout/reaper.ts";
import { resumeRollout } from "../../runtime/rollout/resume.ts";
import { runRollout } from "../../runtime/rollout/run-rollout.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { prepareVariant } from "../../runtime/task/prepare.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { sh, smallSpec } from "../support/engine.ts";
import { openTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";
import { MOMENTS, solver, tokenOf } from "./killed-conductor.ts";

const PROGRAM = new URL("./killed-conductor.ts", import.meta.url).href;
const never = new AbortController().signal;

describe("rollouts whose process is killed", () => {
  let root: TestRoot;
  let runtime: TestRuntime;
  let folder: string;

  before(async () => {
    root = await smallTask();
    folder = await mkdtemp(join(tmpdir(), "cloche-killed-"));
    runtime = await openTestRuntime({ folder });
  });
  after(async () => {
    await runtime?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("while serving, with nothing left of their sandbox, end as infra_error", async () => {
    const [record] = await killedAt("serving", 1);
    await removeAll();
    const ended = await recovered(record, solver());
    assert.equal(ended.outcome, "infra_error");
    assert.equal(ended.fault?.code, "rollout/interrupted");
    assert.equal(ended.reward, null);
    await assertAllOver([ended]);
  });

  it("and that nobody goes on with have a bundle of what is there, though their task is gone", async () => {
    for (const moment of ["serving", "captured"] as const) {
      await using gone = await smallTask();
      const [record] = await killedAt(moment, 1, { root: gone });
      await rm(gone.path, { recursive: true, force: true });
      const { ended } = await reap(runtime, never);
      assert.deepEqual(ended, [record?.id]);
      const lost = await runtime.records.get(record?.id ?? "");
      assert(lost);
      assert.equal(lost.fault?.code, "rollout/interrupted");
      assert.equal(lost.reward, null);
      const bundle = await openBundle(join(runtime.data.bundles, lost.bundle ?? ""));
      assert.equal(bundle.manifest.outcome, "infra_error");
      const steps = (await readFile(bundle.stepsFile, "utf8")).trimEnd().split("\n");
      assert.match(steps[0] ?? "", /"exposedName":"write_file"/);
      assert.equal(lost.steps, steps.length);
      assert.match(bundle.instruction, /Write the line hello-1/);
      assert.match(bundle.graderFiles[0]?.bytes.toString() ?? "", /says the word/);
      const note = bundle.after?.entries.find(({ path }) => path === "note.txt");
      assert.equal(note?.type, moment === "captured" ? "file" : undefined);
      assert.equal(bundle.grade, null);
      assert.deepEqual(await readdir(runtime.data.rollouts), []);
    }
  });

  it("while serving, with their sandbox's box ended meanwhile, end as infra_error", async () => {
    const [record] = await killedAt("serving", 1);
    const found = await foundOf(record);
    const sandbox = found && (await runtime.engine.attach(found));
    await sandbox?.stop();
    const ended = await recovered(record, solver());
    assert.equal(ended.fault?.code, "rollout/sandbox-lost");
    await assertAllOver([ended]);
  });

  it("and whose recovery is cancelled end as cancelled and leave nothing", async () => {
    const [record] = await killedAt("serving", 1);
    const cancel = new AbortController();
    const canceller: Policy = {
      name: "external",
      play: async (_, signal) => {
        await reap(runtime, never);
        assert(await foundOf(record), "the reaper took what a living process had taken over");
        cancel.abort(new Error("enough"));
        return await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          if (signal.aborted) reject(signal.reason);
        });
      },
    };
    const ended = await recovered(record, canceller, root, cancel.signal);
    assert.equal(ended.outcome, "cancelled");
    await assertAllOver([ended]);
  });

  it("while serving, and found after their time is over, are graded as they stood", async () => {
    const budget = "[cloche.budget]\nwall_sec = 5\n\n[cloche.variants]";
    await using short = await smallTask({
      "task.toml": ofNote("task.toml", "[cloche.variants]", budget),
    });
    const [record] = await killedAt("serving", 1, { root: short });
    await sleep(Math.max(0, servedMs(record) + 5_000 - Date.now()));
    const ended = await recovered(record, waiter(), short);
    assert.deepEqual(ended.ending, { kind: "budget", which: "wall" });
    assert.deepEqual(ended.reward, { sparse: 0, dense: 0.25, gain: 0 });
    await assertAllOver([ended]);
  });

  it("once captured are graded in a new box if their own is gone", async () => {
    const [record] = await killedAt("captured", 1);
    await removeAll();
    const ended = await recovered(record, waiter());
    assert.equal(ended.reward?.sparse, 1);
    await assertAllOver([ended]);
  });

  it("once graded need no sandbox to be stored", async () => {
    const [record] = await killedAt("graded", 1);
    await removeAll();
    const ended = await recovered(record, waiter());
    assert.equal(ended.reward?.sparse, 1);
    await assertAllOver([ended]);
  });

  it("while serving go on where they were, under the same token, the call in flight interrupted", async () => {
    const records = await killedAt("serving", 2, { pool: true });
    const ended = await Promise.all(records.map((record) => recovered(record, solver())));
    for (const [index, record] of ended.entries()) {
      assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
      assert.equal(record.reward?.sparse, 1);
      assert.match(record.sandbox ?? "", /^pool-/);
      assert.equal(record.reachedMs.serving, records[index]?.reachedMs.serving);
      const { stepsFile } = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
      const text = await readFile(stepsFile, "utf8");
      const lines: Step[] = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      const told = lines.map(({ exposedName, outcome }) => `${exposedName} ${outcome}`);
      assert.deepEqual(told, [
        "write_file ok",
        "run_command interrupted",
        "read_text_file ok",
        "run_command ok",
        "write_file ok",
      ]);
      assert.equal(record.steps, 5);
      assert.match(JSON.stringify(lines[2]), /half/);
      assert.doesNotMatch(JSON.stringify(lines[3]?.result), /sleep/);
    }
    await assertAllOver(ended);
  });

  for (const moment of MOMENTS) {
    it(`at the moment "${moment}" all end graded, in one record each, and leave nothing`, async () => {
      await using decoy = await makeDecoy();
      const records = await killedAt(moment, 3);
      const ended = await Promise.all(records.map((record) => recovered(record, solver())));
      for (const record of ended) {
        assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
        assert.equal(record.reward?.sparse, 1);
      }
      await assertAllOver(ended);
      assert.equal(await sh(decoy, "echo alive"), "alive\n");
    });
  }

  /** Lets a program conduct rollouts until it is killed; gives what it left on the disk. */
  async function killedAt(
    moment: string,
    count: number,
    options: { readonly root?: TestRoot; readonly pool?: boolean } = {},
  ): Promise<[RolloutRecord, ...RolloutRecord[]]> {
    const path = (options.root ?? root).path;
    const program = `import(${JSON.stringify(PROGRAM)}).then(({ main }) => main())`;
    const child = spawn(process.execPath, ["-e", program], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        ...{ KILL_FOLDER: folder, KILL_ROOT: path, KILL_MOMENT: moment },
        ...{ KILL_COUNT: String(count), KILL_POOL: options.pool ? "yes" : "" },
      },
    });
    const [, signal] = await once(child, "exit");
    assert.equal(signal, "SIGKILL");
    const left = (await runtime.records.unfinished()).filter((one) => !isAlive(one.process));
    const [first, ...rest] = left;
    assert(first);
    return [first, ...rest];
  }

  /** What a service does with one of them when it starts anew. */
  async function recovered(
    record: RolloutRecord,
    policy: Policy,
    from = root,
    signal = never,
  ): Promise<RolloutRecord> {
    const spec = await specOf(record, policy, from);
    const parts = { ...runtime, tokenOf };
    const found = await foundOf(record);
    if (record.phase !== "requested" && record.phase !== "seeded") {
      return await resumeRollout(record, found, spec, parts, signal);
    }
    for (const one of await runtime.engine.find(runtime.data.owner)) {
      if (one.id === record.id) await runtime.engine.remove(one);
    }
    const again = { ...record, process: runtime.process, phase: "requested" } as const;
    const accepted = { record: { ...again, reachedMs: { requested: 0 } }, atMs: performance.now() };
    return await runRollout({ ...spec, accepted }, parts, signal);
  }

  async function specOf(
    record: RolloutRecord,
    policy: Policy,
    from: TestRoot,
  ): Promise<RolloutSpec> {
    const { engine, images, data, log } = runtime;
    const task = await findTask(from.path, record.task.id);
    const prepared = await prepareVariant(task, record.variant, {
      ...{ engine, graderImage: images.grader, blobs: new BlobFolder(data.blobs), log },
      ...{ cacheFolder: data.cache, signal: never },
      labels: { owner: data.owner, process: runtime.process },
    });
    const { id, group, labels } = record;
    return { id, group, labels, task, prepared, policy };
  }

  async function foundOf({ sandbox }: RolloutRecord) {
    const found = await runtime.engine.find(runtime.data.owner);
    return found.find(({ id }) => id === sandbox);
  }

  async function removeAll(): Promise<void> {
    for (const found of await runtime.engine.find(runtime.data.owner)) {
      await runtime.engine.remove(found);
    }
  }

  /** After the reaper has had its turn: pools and half-made sandboxes belong to nobody. */
  async function assertAllOver(ended: readonly RolloutRecord[]): Promise<void> {
    await reap(runtime, never);
    assert.deepEqual(await runtime.records.unfinished(), []);
    for (const record of ended) {
      assert.equal(record.phase, "stored");
      assert.equal(record.process, runtime.process);
      assert.deepEqual(await runtime.records.get(record.id), record);
    }
    await runtime.assertNothingLeft();
    assert.deepEqual(await readdir(runtime.data.rollouts), []);
  }

  /** A sandbox of another data folder's dead process, named as one of a pool's. */
  async function makeDecoy() {
    const owner = `${runtime.data.owner}-x`;
    const spec = smallSpec(runtime.images.office, owner, { id: namedId("pool") });
    const process = `${runtime.process.split(".")[0]}.4194304.1`;
    assert.equal(isAlive(process), false);
    return await runtime.engine.create({ ...spec, labels: { ...spec.labels, process } });
  }
});

/** Does nothing until its time is over. */
function waiter(): Policy {
  return {
    name: "external",
    play: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        if (signal.aborted) reject(signal.reason);
      }),
  };
}

function servedMs({ requestedAt, reachedMs }: RolloutRecord): number {
  return Date.parse(requestedAt) + (reachedMs.serving ?? 0);
}
