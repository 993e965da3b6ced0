import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { FoundSandbox } from "../../../runtime/engine/engine.ts";
import { entriesOf, faultOf, MIB, sh, tarOf } from "../../support/engine.ts";
import type { ContractBody, EngineWorld } from "../engine.ts";

const AGENT = { user: "agent" };

/** How sandboxes come, stop and go. */
export const lifetimeContract: Readonly<Record<string, ContractBody>> = {
  "a sandbox from an image that is not there is refused and leaves nothing": async (world) => {
    const { engine, spec } = world;
    const missing = spec({ image: "cloche/no-such-image:1" });
    const fault = await faultOf(engine.create(missing), "engine/image-missing");
    assert.match(fault.message, /cloche\/no-such-image:1/);
    const { keeper } = spec();
    assert(keeper);
    const half = spec({ keeper: { ...keeper, image: "cloche/no-such-image:2" } });
    await faultOf(engine.create(half), "engine/image-missing");
    await assertGone(world, missing.id, half.id);
  },

  "a specification that makes no sense is refused by its field's name": async (world) => {
    const { engine, spec } = world;
    const { workspace, limits, keeper } = spec();
    assert(keeper);
    const bad: [string, ReturnType<EngineWorld["spec"]>][] = [
      ["id", spec({ id: "../x" })],
      ["id", spec({ id: "" })],
      ["id", spec({ id: "x".repeat(61) })],
      ["users", spec({ users: ["agent", "init"] })],
      ["users", spec({ users: ["agent", "root:0"] })],
      ["workspace.owner", spec({ workspace: { ...workspace, owner: "grader" } })],
      ["workspace.path", spec({ workspace: { ...workspace, path: "/proc/self" } })],
      ["workspace.path", spec({ workspace: { ...workspace, path: "/a/../etc" } })],
      ["workspace.path", spec({ workspace: { ...workspace, path: "relative" } })],
      ["workspace.bytes", spec({ workspace: { ...workspace, bytes: 0 } })],
      ["workspace.files", spec({ workspace: { ...workspace, files: 1.5 } })],
      ["limits.memoryBytes", spec({ limits: { ...limits, memoryBytes: 0 } })],
      ["limits.cpus", spec({ limits: { ...limits, cpus: Number.NaN } })],
      ["limits.processes", spec({ limits: { ...limits, processes: -1 } })],
      [
        "keeper.scratch.path",
        spec({ keeper: { ...keeper, scratch: { ...workspace, path: "/" } } }),
      ],
    ];
    for (const [field, one] of bad) {
      const fault = await faultOf(engine.create(one), "engine/spec-refused");
      assert(fault.message.includes(field), fault.message);
    }
    const tiny = spec({ limits: { ...limits, memoryBytes: 1_000 } });
    await faultOf(engine.create(tiny), "engine/spec-refused");
    await assertGone(world, tiny.id);
  },

  "a second sandbox of the same id is refused and the first one is unharmed": async (world) => {
    const { engine, spec, fresh } = world;
    await using first = await fresh();
    await sh(first, "echo mine > /workspace/f");
    await faultOf(engine.create(spec({ id: first.id })), "engine/name-taken");
    assert.equal(await sh(first, "cat /workspace/f"), "mine\n");
    assert.equal((await first.keeper?.state())?.running, true);
    assert.equal((await partsOf(world, first.id))?.length, 4);
  },

  "an abort in the middle of create leaves nothing": async (world) => {
    const { engine, spec } = world;
    const specs = [0, 3, 10, 25, 60, 120, 200].map((ms) => ({ ms, one: spec() }));
    for (const { ms, one } of specs) {
      const caller = new AbortController();
      const reason = new Error("never mind");
      const creating = engine.create(one, { signal: caller.signal });
      if (ms === 0) caller.abort(reason);
      else void sleep(ms).then(() => caller.abort(reason));
      const box = await creating.catch((error) => assert.equal(error, reason));
      await box?.[Symbol.asyncDispose]();
    }
    await assertGone(world, ...specs.map(({ one }) => one.id));
  },

  "many sandboxes can be made at once": async (world) => {
    const boxes = await Promise.all(Array.from({ length: 4 }, () => world.fresh()));
    const names = await Promise.all(boxes.map((box) => sh(box, "id -u")));
    assert.equal(new Set(names).size, boxes.length);
    await Promise.all(boxes.map((box) => box[Symbol.asyncDispose]()));
    await assertGone(world, ...boxes.map(({ id }) => id));
  },

  "a sandbox without a keeper works, and has none to read through": async (world) => {
    const { keeper: _, ...spec } = world.spec();
    await using box = await world.engine.create(spec);
    assert.equal(box.keeper, undefined);
    assert.equal(await sh(box, "echo x > /workspace/f; cat /workspace/f"), "x\n");
    assert.equal((await partsOf(world, box.id))?.length, 2);
    await box.stop();
    await faultOf(box.readWorkspace(), "engine/no-keeper");
  },

  "stop ends every process, and the workspace can be read afterwards": async ({ fresh }) => {
    await using box = await fresh();
    const writer = 'n=0; while :; do n=$((n + 1)); echo $n > "f$((n % 50))"; done';
    await using program = await box.open(["/bin/sh", "-c", writer], {
      ...AGENT,
      cwd: "/workspace",
    });
    program.stdout.resume();
    program.stderr.resume();
    while (Number(await sh(box, "set -- /workspace/f*; echo $#")) < 12) await sleep(50);
    assert.deepEqual(await box.stop(), { running: true, exitCode: null, outOfMemory: false });
    await program.ended;
    const before = await entriesOf(await box.readWorkspace());
    await sleep(200);
    const after = await entriesOf(await box.readWorkspace());
    assert.equal(before[0]?.name, "./");
    assert(before.length > 10);
    assert.deepEqual(after, before);
    await faultOf(box.exec(["true"], AGENT), "engine/box-gone");
    await faultOf(box.open(["true"], AGENT), "engine/box-gone");
    await faultOf(box.getArchive("/workspace"), "engine/box-gone");
    await faultOf(box.putArchive(tarOf([{ name: "x" }]), "/workspace"), "engine/box-gone");
    const again = await box.stop();
    assert.deepEqual(again, { running: false, exitCode: 137, outOfMemory: false });
  },

  "stop and removal do not wait for somebody who does not read": async (world) => {
    const box = await world.fresh();
    const flood = await box.open(["/bin/sh", "-c", "cat /dev/zero"], AGENT);
    const other = box.exec(["sleep", "400"], AGENT);
    await sleep(300);
    assert.equal((await box.stop()).running, true);
    assert.equal((await other).exitCode, 137);
    await flood.ended;
    await box[Symbol.asyncDispose]();
    await assertGone(world, box.id);
  },

  "the workspace outlives a main box that died by itself": async ({ fresh }) => {
    await using box = await fresh();
    await sh(box, "echo kept > /workspace/f");
    // Only init's own user may do this, and no program of an agent is ever run as it.
    await box.exec(["/bin/sh", "-c", "kill -TERM 1; sleep 5"], { user: "init" });
    while ((await box.state()).running) await sleep(50);
    assert.deepEqual(await box.stop(), { running: false, exitCode: 143, outOfMemory: false });
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
  },

  "the workspace outlives a main box without memory": async ({ fresh, spec }) => {
    const limits = { ...spec().limits, memoryBytes: 24 * MIB };
    await using box = await fresh({ limits });
    await sh(box, "echo kept > /workspace/f");
    const fill = "head -c 60000000 /dev/zero > /workspace/large";
    for (let attempt = 0; attempt < 3; attempt++) {
      const filled = await box.exec(["/bin/sh", "-c", fill], AGENT).catch(() => undefined);
      assert.notEqual(filled?.exitCode, 0);
    }
    assert.equal((await box.stop()).outOfMemory, true);
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
  },

  "what is found of an owner is that owner's, with its labels": async (world) => {
    const { engine, spec } = world;
    const expires = new Date("2020-01-01T00:00:00Z");
    const labels = { owner: `${world.owner}-b`, rollout: "r1", expires, process: "boot.1.2" };
    await using mine = await world.fresh();
    await using other = await engine.create(spec({ labels }));
    assert.equal(await partsOf(world, other.id), undefined);
    const [found, ...more] = await engine.find(labels.owner);
    assert(found && more.length === 0);
    assert.equal(found.id, other.id);
    assert.deepEqual(found.labels, labels);
    assert.equal(found.parts.length, 4);
    assert(found.parts.every((part) => part.startsWith(`cloche-${other.id}`)));
    await engine.remove(found);
    assert.deepEqual(await engine.find(labels.owner), []);
    assert.equal(await sh(mine, "echo alive"), "alive\n");
    await engine.remove(found);
  },

  "removing what was found takes nothing of another owner's similar name": async (world) => {
    const { engine, spec } = world;
    const labels = { ...spec().labels, owner: `${world.owner}-c` };
    const id = spec().id;
    await using neighbour = await engine.create(spec({ id: `${id}-k`, labels }));
    await using box = await engine.create(spec({ id }));
    const found = await foundOf(world, id);
    assert(found);
    // Also if the report is wrong about whose it is.
    await engine.remove({ ...found, id: neighbour.id, parts: [`cloche-${neighbour.id}`] });
    await engine.remove(found);
    assert.equal(await sh(neighbour, "echo alive"), "alive\n");
    await assertGone(world, box.id);
  },

  "a sandbox can be removed while its programs run": async (world) => {
    const { engine, fresh } = world;
    const box = await fresh();
    const program = await box.open(["/bin/sh", "-c", "cat /dev/zero"], AGENT);
    program.stdout.resume();
    program.stderr.resume();
    const running = box.exec(["sleep", "60"], AGENT).catch((error) => error.code);
    await sleep(300);
    const found = await foundOf(world, box.id);
    assert(found);
    await engine.remove(found);
    await program.ended;
    const result = await running;
    assert(result === "engine/box-gone" || result.exitCode === 137);
    await faultOf(box.exec(["true"], AGENT), "engine/box-gone");
    assert.equal((await box.state()).running, false);
    assert.deepEqual(await box.stop(), { running: false, exitCode: null, outOfMemory: false });
    await faultOf(box.readWorkspace(), "engine/box-gone");
    await program[Symbol.asyncDispose]();
    await box[Symbol.asyncDispose]();
    await assertGone(world, box.id);
  },

  "disposing twice, and at once, is harmless and leaves nothing": async (world) => {
    const box = await world.fresh();
    await Promise.all([box[Symbol.asyncDispose](), box[Symbol.asyncDispose]()]);
    await box[Symbol.asyncDispose]();
    await assertGone(world, box.id);
  },

  "the engine says what it is": async ({ engine }) => {
    const report = await engine.check();
    assert.match(report.summary, new RegExp(`^${engine.name} `));
    assert(report.summary.includes(report.architecture));
    assert(report.cpus >= 1 && report.memoryBytes > 64 * MIB);
    assert(report.address.length > 0 && report.version.length > 0);
  },
};

async function foundOf(world: EngineWorld, id: string): Promise<FoundSandbox | undefined> {
  return (await world.engine.find(world.owner)).find((found) => found.id === id);
}

async function partsOf(world: EngineWorld, id: string): Promise<readonly string[] | undefined> {
  return (await foundOf(world, id))?.parts;
}

async function assertGone(world: EngineWorld, ...ids: readonly string[]): Promise<void> {
  const left = (await world.engine.find(world.owner)).filter(({ id }) => ids.includes(id));
  assert.deepEqual(left, []);
}
