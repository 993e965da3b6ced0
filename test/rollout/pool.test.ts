import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import type { FoundSandbox } from "../../runtime/engine/engine.ts";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { type PoolOptions, WarmPool } from "../../runtime/rollout/pool/pool.ts";
import type { SandboxNeed, TakenSandbox } from "../../runtime/rollout/sandbox-source.ts";
import { holdMsOf, needOf } from "../../runtime/rollout/sandbox-source.ts";
import { sandboxSpec } from "../../runtime/rollout/sandbox-spec.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { asSeeded } from "../../runtime/workspace/archive-writer.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { captureWorkspace } from "../../runtime/workspace/seed.ts";
import { faultOf, MIB, sh } from "../support/engine.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A claim of its own for each take. */
const claim = (holdMs = 60_000) => ({ rollout: namedId("r-test"), holdMs });
const never = new AbortController().signal;

describe("a pool of prepared sandboxes", () => {
  let runtime: TestRuntime;
  let root: TestRoot;
  let need: SandboxNeed;

  before(async () => {
    runtime = await openTestRuntime();
    root = await smallTask();
    need = needOf(await findTask(root.path, "test/note"), runtime);
  });
  after(async () => {
    try {
      await runtime?.assertNothingLeft();
    } finally {
      await runtime?.[Symbol.asyncDispose]();
      await root?.[Symbol.asyncDispose]();
    }
  });

  it("does not try again and again what cannot be made, and lets the taker know why", async () => {
    await using pool = open({});
    const images = { ...need.images, sandbox: "cloche/no-such-image:1" };
    pool.expect({ ...need, images }, claim(), 1);
    await until(() => pool.level.filling === 1);
    await until(() => pool.level.filling === 0);
    await sleep(50);
    assert.equal(pool.level.filling, 0);
    await faultOf(pool.take({ ...need, images }, claim(), never), "engine/image-missing");
  });

  it("takes the place of what a dead process's last request made, and of nothing else", async () => {
    await using pool = open({ max: 0 });
    const owned = { owner: runtime.data.owner, expires: new Date(Date.now() + 60_000) };
    const request = claim();
    const labels = { ...owned, rollout: request.rollout, process: "noboot.1.2" };
    await runtime.engine.create(sandboxSpec(request.rollout, need, labels));
    {
      await using taken = await pool.take(need, request, never);
      assert.equal(await sh(taken.sandbox, "echo here"), "here\n");
    }
    const other = claim();
    const living = { ...owned, rollout: other.rollout, process: runtime.process };
    await using held = await runtime.engine.create(sandboxSpec(other.rollout, need, living));
    await faultOf(pool.take(need, other, never), "engine/name-taken");
    assert.equal(await sh(held, "echo alive"), "alive\n");
  });

  it("keeps what it has when a taker has given up before", async () => {
    await using pool = await filled(1);
    const gone = AbortSignal.abort(new Error("given up"));
    await assert.rejects(pool.take(need, claim(), gone), /given up/);
    assert.deepEqual(levelOf(pool), { ready: 1, hits: 0 });
  });

  it("keeps one in the making whose taker gives up meanwhile", async () => {
    await using pool = open({});
    pool.expect(need, claim(), 1);
    await until(() => pool.level.filling === 1);
    const taker = new AbortController();
    const taking = pool.take(need, claim(), taker.signal);
    taker.abort(new Error("given up"));
    await assert.rejects(taking, /given up/);
    await until(() => pool.level.ready >= 1);
  });

  it("replaces one whose boxes are removed from outside, or whose keeper alone is", async () => {
    await using pool = await filled(1, { lookMs: 100 });
    const [first] = await held();
    assert(first);
    await runtime.engine.remove(first);
    await until(async () => pool.level.ready === 1 && (await idsHeld())[0] !== first.id);
    const [second] = await held();
    assert(second);
    execFileSync("docker", ["kill", `cloche-${second.id}-keeper`]);
    await until(async () => pool.level.ready === 1 && (await idsHeld())[0] !== second.id);
    await using taken = await pool.take(need, claim(), never);
    assert.equal(await sh(taken.sandbox, "echo alive"), "alive\n");
  });

  it("makes a new one in the place of one that is too old", async () => {
    await using _ = await filled(1, { maxAgeMs: 1 });
    const [old] = await idsHeld();
    await until(async () => {
      const ids = await idsHeld();
      return ids.length === 1 && ids[0] !== old;
    });
  });

  it("hands out none whose time would not suffice", async () => {
    await using pool = await filled(1);
    const [short] = await idsHeld();
    await using taken = await pool.take(need, claim(3_600_000), never);
    assert.equal(taken.warm, false);
    assert((await idsHeld()).includes(short ?? ""));
  });

  it("gives up what nobody has asked for lately", async () => {
    // Longer than the making of one takes on a busy machine, or nobody would see it ready.
    await using pool = await filled(1, { memoryMs: 8_000 });
    await until(() => pool.level.ready + pool.level.filling === 0);
    await until(async () => (await idsHeld()).length === 0);
  });

  it("holds no more than it may, and of what was asked for last", async () => {
    await using pool = await filled(1, { max: 1 });
    const [first] = await idsHeld();
    const other = { ...need, limits: { ...need.limits, workspaceBytes: 16 * MIB } };
    pool.expect(other, claim(), 1);
    await until(async () => {
      assert(pool.level.ready + pool.level.filling <= 1);
      return pool.level.ready === 1 && (await idsHeld())[0] !== first;
    });
    await using taken = await pool.take(other, claim(), never);
    assert.equal(taken.warm, true);
    assert.match(await sh(taken.sandbox, "df -B1 /workspace"), new RegExp(String(16 * MIB)));
  });

  it("removes all when it is closed, also what is in the making; then it makes on demand", async () => {
    const pool = await filled(1);
    pool.expect(need, claim(), 3);
    await until(() => pool.level.filling > 0);
    await pool[Symbol.asyncDispose]();
    await runtime.assertNothingLeft();
    await using taken = await pool.take(need, claim(), never);
    assert.equal(taken.warm, false);
    assert.equal(pool.level.filling, 0);
  });

  it("hands each out once, however many ask at the same time, and makes as many again", async () => {
    await using pool = await filled(2);
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => pool.take(need, claim(), never)));
    try {
      assert.equal(new Set(all.map(({ sandbox }) => sandbox.id)).size, 5);
      assert.equal(new Set(all.map(({ sandbox }) => sandbox.identity.gid)).size, 5);
      assert.deepEqual([pool.level.hits, pool.level.misses], [2, 3]);
      await until(() => pool.level.ready === 5);
      const taken = new Set(all.map(({ sandbox }) => sandbox.id));
      const fresh = (await idsHeld()).filter((id) => !taken.has(id));
      assert(fresh.length >= 5);
    } finally {
      await Promise.all(all.map(async (one) => await one[Symbol.asyncDispose]()));
    }
  });

  it("hands out what is labelled as its own and whole: servers greeted, filled byte for byte", async () => {
    await using pool = await filled(1);
    const [found] = await held();
    assert.match(found?.labels.rollout ?? "", /^pool-/);
    assert.equal(found?.labels.process, runtime.process);
    await using taken = await pool.take(need, claim(), never);
    assert.equal(taken.sandbox.id, found?.id);
    const tools = taken.servers?.surface.tools.map(({ name }) => name) ?? [];
    assert(tools.includes("write_file") && tools.includes("run_command"));
    await assertFilled(taken);
  });

  it("serves rollouts that end as from a sandbox of their own, and know which they had", async () => {
    await using pool = await filled(2, {}, holdMsOf(await findTask(root.path, "test/note")));
    const parts = { ...runtime, sandboxes: pool };
    const records = await Promise.all([
      play(parts, root.path, "test/note", nullPolicy),
      play(parts, root.path, "test/note", nullPolicy),
    ]);
    for (const record of records) {
      assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
      assert.deepEqual(record.reward, { sparse: 0, dense: 0.25, gain: 0 });
      assert.match(record.sandbox ?? "", /^pool-/);
    }
    assert.notEqual(records[0].sandbox, records[1].sandbox);
    const left = await idsHeld();
    for (const { sandbox } of records) assert(!left.includes(sandbox ?? ""));
  });

  function open(options: PoolOptions): WarmPool {
    const owner = { owner: runtime.data.owner, process: runtime.process };
    return new WarmPool({ engine: runtime.engine, owner, ...timeAndLog(runtime) }, options);
  }

  async function filled(count: number, options: PoolOptions = {}, holdMs = 60_000) {
    const pool = open(options);
    pool.expect(need, { holdMs }, count);
    await until(() => pool.level.ready === count);
    return pool;
  }

  async function held(): Promise<readonly FoundSandbox[]> {
    return await runtime.engine.find(runtime.data.owner);
  }

  async function idsHeld(): Promise<readonly string[]> {
    return (await held()).map(({ id }) => id);
  }

  async function assertFilled(taken: TakenSandbox): Promise<void> {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const file = { type: "file", path: "f", mode: 0o640, ...(await blobs.put(Buffer.from("hi"))) };
    const entries = [file as { type: "file" } & typeof file];
    const snapshot = { schema: "cloche.snapshot/1", entries, skipped: [], bytes: 2 } as const;
    const state = { ...snapshot, entries: [], bytes: 0 };
    await taken.seed({ fixture: snapshot, state }, blobs, never);
    await taken.sandbox.stop();
    const limits = { bytes: 10 * MIB, files: 100 };
    assert.deepEqual(
      await captureWorkspace(taken.sandbox, blobs, limits, never),
      asSeeded(snapshot),
    );
  }
});

function timeAndLog({ clock, log }: TestRuntime) {
  return { clock, log };
}

function levelOf(pool: WarmPool) {
  const { ready, hits } = pool.level;
  return { ready, hits };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail("it never came to that");
}
