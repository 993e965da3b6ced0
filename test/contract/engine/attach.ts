import assert from "node:assert/strict";
import type { Sandbox } from "../../../runtime/engine/engine.ts";
import { entriesOf, faultOf, sh } from "../../support/engine.ts";
import type { ContractBody, EngineWorld } from "../engine.ts";

const AGENT = { user: "agent" };
const WAIT = ["/bin/sleep", "600"];

/** How a sandbox that another process has left is taken over. */
export const attachContract: Readonly<Record<string, ContractBody>> = {
  "a sandbox that is gone cannot be taken over": async (world) => {
    const box = await world.fresh();
    const found = await foundOf(world, box);
    await box[Symbol.asyncDispose]();
    assert.equal(await world.engine.attach(found), undefined);
  },

  "a sandbox is not taken over under another owner's name": async (world) => {
    await using box = await world.fresh();
    const found = await foundOf(world, box);
    const labels = { ...found.labels, owner: `${world.owner}-x` };
    assert.equal(await world.engine.attach({ ...found, labels }), undefined);
    assert.equal(await sh(box, "echo alive"), "alive\n");
  },

  "a sandbox whose workspace nobody holds any more cannot be taken over": async (world) => {
    const { keeper: _, ...alone } = world.spec();
    await using box = await world.engine.create(alone);
    const found = await foundOf(world, box);
    await box.stop();
    assert.equal(await world.engine.attach(found), undefined);
  },

  "a sandbox that was left is taken over with its users and its workspace": async (world) => {
    await using left = await world.fresh();
    await sh(left, "echo kept > /workspace/f; mkdir /tmp/g");
    await using box = await attached(world, left);
    assert.equal(box.id, left.id);
    assert.deepEqual(box.identity, left.identity);
    assert.equal(await sh(box, "cat /workspace/f; ls -d /tmp/g"), "kept\n/tmp/g\n");
    assert.equal(await sh(box, "id -u", "server"), `${left.identity.uids["server"]}\n`);
    assert(box.keeper);
    assert.equal(await sh(box.keeper, "id -u", "grader"), `${left.identity.uids["grader"]}\n`);
    await faultOf(box.exec(["true"], { user: "grader" }), "engine/exec-refused");
    await faultOf(box.keeper.exec(["true"], AGENT), "engine/exec-refused");
    await faultOf(box.getArchive("/tmp"), "engine/path-missing");
    assert.equal((await box.stop()).running, true);
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
    await box[Symbol.asyncDispose]();
    assert.equal(await world.engine.attach(await foundOf(world, left, true)), undefined);
  },

  "what ran in a sandbox has ended when it is taken over, whoever started it": async (world) => {
    await using left = await world.fresh();
    const programs = [
      await left.open(WAIT, AGENT),
      await left.open(["/bin/sh", "-c", "trap '' TERM HUP; setsid sleep 600 & wait"], AGENT),
      await left.open(WAIT, { user: "server" }),
      await (left.keeper ?? left).open(WAIT, { user: "grader" }),
    ];
    for (const { stdout, stderr } of programs) {
      stdout.resume();
      stderr.resume();
    }
    await using box = await attached(world, left);
    for (const { ended } of programs) await ended;
    const others = `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c "sleep 6[0]0" || true`;
    for (const user of ["agent", "server"]) assert.equal(await sh(box, others, user), "0\n");
    assert.equal(await sh(box.keeper ?? box, others, "grader"), "0\n");
    assert.equal((await box.state()).running, true);
  },

  "a sandbox whose main box has ended is taken over for its workspace": async (world) => {
    await using left = await world.fresh();
    await sh(left, "echo kept > /workspace/f");
    await left.stop();
    await using box = await attached(world, left);
    assert.equal((await box.state()).running, false);
    assert.equal((await box.stop()).running, false);
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
  },
};

async function attached(world: EngineWorld, left: Sandbox): Promise<Sandbox> {
  const box = await world.engine.attach(await foundOf(world, left));
  assert(box);
  return box;
}

async function foundOf({ engine, owner, spec }: EngineWorld, { id }: Sandbox, mayBeGone = false) {
  const found = (await engine.find(owner)).find((one) => one.id === id);
  if (found === undefined && mayBeGone) return { id, labels: spec().labels, parts: [] };
  assert(found);
  return found;
}
