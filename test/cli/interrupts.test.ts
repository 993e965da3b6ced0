import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, FoundSandbox } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";

const SLOW = `import time


def solve(agent):
    agent.call("list_directory", path="/workspace")
    time.sleep(60)
`;

describe("a run that is interrupted", () => {
  let data: string;
  let root: TestRoot;
  let engine: Engine;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-interrupt-"));
    root = await smallTask({ "solution.py": SLOW });
    engine = await openEngine("docker", { env: process.env });
  });

  after(async () => {
    for (const found of await ours()) await engine.remove(found);
    await engine?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await rm(data, { recursive: true, force: true });
  });

  for (const phase of ["seeded", "serving"] as const) {
    it(`by Ctrl-C once in phase ${phase} records it as cancelled and leaves nothing`, async () => {
      const child = start();
      await reached(child, phase);
      const closed = once(child, "close");
      child.kill("SIGINT");
      const [code] = await closed;
      assert.equal(code, 1);
      assert.deepEqual(await outcomes(), { cancelled: 1 });
      assert.deepEqual(await ours(), []);
      await forget();
    });
  }

  it("by one Ctrl-C that comes twice, by its group and its launcher, ends as by one", async () => {
    const child = start();
    await reached(child, "serving");
    const closed = once(child, "close");
    child.kill("SIGINT");
    await sleep(10);
    child.kill("SIGINT");
    const [code] = await closed;
    assert.equal(code, 1);
    assert.deepEqual(await outcomes(), { cancelled: 1 });
    assert.deepEqual(await ours(), []);
    await forget();
  });

  it("by Ctrl-C twice ends at once, and a reaper removes what it left", async () => {
    const child = start();
    await reached(child, "serving");
    const closed = once(child, "close");
    child.kill("SIGINT");
    await sleep(300);
    child.kill("SIGINT");
    // The first may have been enough: then the second meets a process that is about to exit.
    const [code, signal] = await closed;
    assert.ok(code === 130 || code === 1 || signal === "SIGINT", `exit code ${code}`);
    await untilNothingIsLeft();
    await forget();
  });

  it("by the death of the launcher that an old Node needs ends as by Ctrl-C", async () => {
    const child = start(undefined, "ipc");
    await reached(child, "serving");
    child.disconnect();
    await once(child, "exit"); // "close" never comes to a child whose channel was cut.
    assert.deepEqual(await outcomes(), { cancelled: 1 });
    assert.deepEqual(await ours(), []);
    await forget();
  });

  it("by kill -9 loses nothing: reap ends the record as infra_error and empties the engine", async () => {
    const child = start();
    await reached(child, "serving");
    child.kill("SIGKILL");
    await once(child, "close");
    assert.ok((await ours()).length > 0, "kill -9 left nothing, so this proves nothing");
    const reaper = start(["reap", "--json"]);
    const [text, [code]] = await Promise.all([read(reaper), once(reaper, "close")]);
    assert.equal(code, 0);
    const { removed, ended } = JSON.parse(text);
    assert.ok(removed.length > 0);
    assert.equal(ended.length, 1);
    assert.deepEqual(await ours(), []);
    assert.deepEqual(await outcomes(), { infra_error: 1 });
  });

  it("leaves the sandboxes of a process that lives to that process", async () => {
    await forget();
    const child = start();
    await reached(child, "serving");
    const before = await ours();
    const reaper = start(["reap", "--json"]);
    const text = await read(reaper);
    const { removed, living, failed, ended } = JSON.parse(text);
    assert.deepEqual([removed, failed, ended], [[], [], []]);
    assert.ok(living.length > 0);
    for (const one of living) assert.equal(one.pid, child.pid);
    const after = (await ours()).map(({ id }) => id);
    for (const { id } of before) assert.ok(after.includes(id));
    child.kill("SIGINT");
    await once(child, "close");
  });

  function start(
    args: readonly string[] = ["run", "test/note", "--root", root.path],
    channel: "ipc" | "ignore" = "ignore",
  ): ChildProcess {
    return spawn(process.execPath, ["cloche.mjs", ...args, "--data", data], {
      stdio: ["ignore", "pipe", "pipe", channel],
    });
  }

  async function ours(): Promise<readonly FoundSandbox[]> {
    return engine.find((await openDataFolder(data)).owner);
  }

  async function untilNothingIsLeft(): Promise<void> {
    for (let tries = 0; tries < 100 && (await ours()).length > 0; tries++) await sleep(100);
    assert.deepEqual(await ours(), []);
  }

  async function outcomes(): Promise<Record<string, number>> {
    using records = await RecordStore.open(join(data, "cloche.db"));
    const { records: found } = await records.list();
    const counts: Record<string, number> = {};
    for (const { outcome } of found)
      counts[outcome ?? "none"] = (counts[outcome ?? "none"] ?? 0) + 1;
    return counts;
  }

  async function forget(): Promise<void> {
    for (const name of ["cloche.db", "cloche.db-wal", "cloche.db-shm"]) {
      await rm(join(data, name), { force: true });
    }
  }

  /** From the records, as no progress is printed where nobody looks. */
  async function reached(child: ChildProcess, phase: string): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (child.exitCode !== null) throw new Error(`it ended before ${phase}`);
      const [newest] = await newestRecords();
      if (newest?.outcome === null && newest.phase === phase) return;
      await sleep(20);
    }
    throw new Error(`phase ${phase} was not reached`);
  }

  async function newestRecords() {
    await openDataFolder(data);
    using records = await RecordStore.open(join(data, "cloche.db"));
    return (await records.list({ limit: 1 })).records;
  }
});

async function read(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return text;
}
