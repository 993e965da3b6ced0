import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox, SandboxSpec } from "../../../runtime/engine/engine.ts";
import { entriesOf, faultOf, MIB, sh, tarOf } from "../../support/engine.ts";
import type { ContractBody, EngineWorld } from "../engine.ts";

const AGENT = { user: "agent" };
const STATE = { path: "/state", owner: "state", bytes: 4 * MIB, files: 50 };
const USERS = ["agent", "server", "state"];

/** The volume that services keep their state in. */
export const stateContract: Readonly<Record<string, ContractBody>> = {
  "a state that makes no sense is refused by its field's name": async ({ engine, spec }) => {
    const { workspace } = spec();
    const bad: [string, Partial<SandboxSpec>][] = [
      ["state.owner", { state: { ...STATE, owner: "nobody" } }],
      ["state.path", { state: { ...STATE, path: "/etc" } }],
      ["state.path", { state: { ...STATE, path: workspace.path } }],
      ["state.path", { state: { ...STATE, path: `${workspace.path}/state` } }],
      ["state.bytes", { state: { ...STATE, bytes: 0 } }],
      ["state.files", { state: { ...STATE, files: Number.NaN } }],
    ];
    for (const [field, change] of bad) {
      const one = spec({ users: USERS, ...change });
      const fault = await faultOf(engine.create(one), "engine/spec-refused");
      assert(fault.message.includes(field), fault.message);
    }
  },

  "a sandbox that was made without state has none to read": async ({ fresh }) => {
    await using box = await fresh();
    await box.stop();
    await faultOf(box.readState(), "engine/no-state");
  },

  "without a keeper there is no state to read either": async (world) => {
    const { keeper: _, ...spec } = world.spec({ state: STATE, users: USERS });
    await using box = await world.engine.create(spec);
    await sh(box, "echo x > /state/f; cat /state/f", "state");
    await faultOf(box.readState(), "engine/no-keeper");
  },

  "nobody but its owner can list, read, write or change the state": async (world) => {
    await using box = await withState(world);
    await sh(box, "mkdir -m 777 /state/mail; echo secret > /state/mail/1", "state");
    await sh(box, "chmod -R 777 /state/mail", "state");
    for (const user of ["agent", "server", "init"]) {
      for (const attempt of [
        "ls /state",
        "cat /state/mail/1",
        "ls /state/mail",
        "cd /state/mail",
        "stat /state/mail",
        "echo forged > /state/mail/1",
        ": > /state/new",
        "rm -rf /state/mail/1",
        "mv /state/mail /workspace/",
        "ln /state/mail/1 /workspace/linked",
        "chmod 777 /state",
        "chgrp $(id -g) /state",
        "ln -s /state /workspace/s && ls /workspace/s/",
      ]) {
        const { exitCode } = await box.exec(["/bin/sh", "-c", attempt], { user });
        assert.notEqual(exitCode, 0, `${user}: ${attempt}`);
      }
      const find = await sh(box, "find /state 2>/dev/null | wc -l; rm -f /workspace/s", user);
      assert.equal(find, "1\n");
    }
    assert.equal(await sh(box, "cat /state/mail/1", "state"), "secret\n");
    const { uids, gid } = box.identity;
    const root = await sh(box, "stat -c '%a %u %g' /state");
    assert.equal(root, `700 ${uids["state"]} ${gid}\n`);
  },

  "the owner of the state works in the workspace as the others do": async (world) => {
    await using box = await withState(world);
    await sh(box, "mkdir -m 2770 /workspace/d; echo x > /workspace/d/f", "state");
    assert.equal(await sh(box, "cat /workspace/d/f; echo y > /workspace/d/g"), "x\n");
    assert.equal(await sh(box, "cat /workspace/d/g", "state"), "y\n");
  },

  "the state holds its bytes and its files and no more": async (world) => {
    await using box = await withState(world);
    const fill = "head -c 9000000 /dev/zero > /state/f || stat -c %s /state/f";
    const full = await sh(box, fill, "state");
    assert(Number(full) <= STATE.bytes && Number(full) > STATE.bytes - MIB);
    await sh(box, "rm /state/f", "state");
    const many = "cd /state; i=0; while [ $i -lt 99 ] && : > f$i; do i=$((i + 1)); done";
    const count = await sh(box, `(${many}) 2>/dev/null; ls /state | wc -l`, "state");
    assert(Number(count) <= STATE.files && Number(count) > STATE.files - 10);
    assert.equal(await sh(box, "echo room > /workspace/f; cat /workspace/f"), "room\n");
  },

  "no program runs with more rights, and no device is made, from the state": async (world) => {
    await using box = await withState(world);
    assert.match(await sh(box, "grep ' /state ' /proc/mounts"), /nosuid,nodev/);
  },

  "an archive goes into the state with its owners and modes": async (world) => {
    await using box = await withState(world);
    const uid = box.identity.uids["state"] ?? 0;
    const owned = { uid, gid: box.identity.gid };
    const tar = tarOf([
      { name: "mail/", type: "directory", mode: 0o700, ...owned },
      { name: "mail/1", content: "hello", mode: 0o600, ...owned },
    ]);
    await box.putArchive(tar, "/state");
    const seen = await sh(box, "stat -c '%a %u' /state /state/mail /state/mail/1", "state");
    assert.equal(seen, `700 ${uid}\n700 ${uid}\n600 ${uid}\n`);
  },

  "the keeper's users see nothing of the state, also one that is open to all": async (world) => {
    await using box = await withState(world);
    await sh(
      box,
      "echo hidden > /state/hidden; chmod 777 /state; chmod 666 /state/hidden",
      "state",
    );
    const { keeper } = box;
    assert(keeper);
    for (const user of ["grader", "init"]) {
      assert.equal(await sh(keeper, "find / -name hidden 2>/dev/null || true", user), "");
      const direct = "cat /run/keeper/state/hidden || ls /run/keeper/state || cd /run/keeper/state";
      const { exitCode } = await keeper.exec(["/bin/sh", "-c", direct], { user });
      assert.notEqual(exitCode, 0);
    }
    await faultOf(keeper.getArchive("/run/keeper/state"), "engine/path-missing");
  },

  "the state can be read after the stop, apart from the workspace": async (world) => {
    await using box = await withState(world);
    await sh(box, "mkdir /state/mail; echo kept > /state/mail/1", "state");
    await sh(box, "echo mine > /workspace/f");
    await box.stop();
    assert.deepEqual(await filesOf(box), { "./mail/1": "kept\n" });
    const workspace = await entriesOf(await box.readWorkspace());
    assert.deepEqual(
      workspace.map(({ name }) => name),
      ["./", "./f"],
    );
  },

  "the state outlives a main box that died by itself, and one without memory": async (world) => {
    await using box = await withState(world);
    await sh(box, "echo kept > /state/f", "state");
    await box.exec(["/bin/sh", "-c", "kill -TERM 1; sleep 5"], { user: "init" });
    while ((await box.state()).running) await sleep(50);
    assert.deepEqual(await filesOf(box), { "./f": "kept\n" });
    const limits = { ...world.spec().limits, memoryBytes: 24 * MIB };
    await using tight = await withState(world, { limits });
    await sh(tight, "echo kept > /state/f", "state");
    const fill = "head -c 60000000 /dev/zero > /workspace/large";
    await tight.exec(["/bin/sh", "-c", fill], AGENT).catch(() => undefined);
    await tight.stop();
    assert.deepEqual(await filesOf(tight), { "./f": "kept\n" });
  },

  "a sandbox that was left is taken over with its state": async (world) => {
    await using left = await withState(world);
    await sh(left, "echo kept > /state/f", "state");
    const found = (await world.engine.find(world.owner)).find(({ id }) => id === left.id);
    assert(found);
    assert.equal(found.parts.length, 5);
    const box = await world.engine.attach(found);
    assert(box);
    assert.equal(await sh(box, "cat /state/f", "state"), "kept\n");
    await box.stop();
    assert.deepEqual(await filesOf(box), { "./f": "kept\n" });
  },

  "the state is removed with its sandbox, by whoever finds it": async (world) => {
    const [one, other] = [await withState(world), await withState(world)];
    await one[Symbol.asyncDispose]();
    const found = (await world.engine.find(world.owner)).find(({ id }) => id === other.id);
    assert(found);
    await world.engine.remove(found);
    const left = (await world.engine.find(world.owner)).map(({ id }) => id);
    assert(!left.includes(one.id) && !left.includes(other.id));
  },
};

async function withState(world: EngineWorld, change: Partial<SandboxSpec> = {}): Promise<Sandbox> {
  return await world.fresh({ state: STATE, users: USERS, ...change });
}

async function filesOf(box: Sandbox): Promise<Record<string, string>> {
  const entries = await entriesOf(await box.readState());
  assert.equal(entries[0]?.name, "./");
  const files = entries.filter(({ header }) => header.type === "file");
  return Object.fromEntries(files.map(({ name, content }) => [name, content.toString()]));
}
