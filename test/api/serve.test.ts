import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { openTestEngine } from "../support/engine.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { jsonOf } from "./test-api.ts";

const MAIN = "cloche.mjs";

describe("cloche serve", () => {
  let root: TestRoot;
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let data: string;
  const children: ChildProcess[] = [];
  before(async () => {
    root = await smallTask();
    folder = await tempFolder();
    data = join(folder.path, "data");
  });
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    const { owner } = await openDataFolder(data);
    await using engine = await openTestEngine();
    for (const found of await engine.find(owner)) await engine.remove(found);
    await root[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  function cloche(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    return child;
  }

  async function ended(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = cloche(args, env);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (child.exitCode === null) await once(child, "exit");
    return { code: child.exitCode, out, err };
  }

  async function serving(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const common = ["serve", "--port", "0", "--data", data, "--root", root.path, "--pool", "0"];
    const child = cloche([...common, "--json", ...args], env);
    const exit = once(child, "exit").then(([code]) => code);
    const err = text(child.stderr);
    const line = await once(createInterface(child.stdout), "line").then(([one]) => String(one));
    const ready: { url: string; pid: number; data: string } = JSON.parse(line);
    assert.equal(ready.pid, child.pid);
    assert.equal(ready.data, data);
    const ask = async (method: string, path: string, body?: unknown, key = "") => {
      const answer = await fetch(`${ready.url}${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          prefer: "wait=60",
          ...(key && { authorization: `Bearer ${key}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, json: await jsonOf(answer) };
    };
    return { child, exit, err, ask, url: ready.url };
  }

  async function recordOf(id: string) {
    using records = await RecordStore.open(join(data, "cloche.db"));
    return await records.get(id);
  }

  it("runs, as the process that was started, with a young generation that stays small", async () => {
    const { child, exit } = await serving();
    const command = await readFile(`/proc/${child.pid}/cmdline`, "utf8");
    assert.ok(command.split("\0").includes("--max-semi-space-size=4"), command);
    child.kill("SIGTERM");
    assert.equal(await exit, 0);
  });

  it("does not start on an address that others reach without a key, nor with wrong words", async () => {
    const wrong = [
      [["--host", "0.0.0.0"], "api/key-required"],
      [["--host", "::"], "api/key-required"],
      [["--keys", join(folder.path, "absent")], "api/keys-unreadable"],
      [["--port", "70000"], "65535"],
      [["--pool", "many"], "whole number"],
      [["--public-url", "ftp://x"], "https://cloche.example"],
    ] as const;
    for (const [args, what] of wrong) {
      const { code, err } = await ended(["serve", "--data", data, ...args]);
      assert.equal(code, 2, err);
      assert(err.includes(what), err);
    }
    const { code, err } = await ended(["serve", "--data", data], { CLOCHE_KEYS: "one two" });
    assert.deepEqual([code, err.includes("CLOCHE_KEYS, line 1")], [2, true], err);
  });

  it("serves holders of a key until it is told to stop, and drains", async () => {
    const made = await ended(["keys", "new", "trainer", "--json"]);
    const { key, line } = JSON.parse(made.out);
    const keys = join(folder.path, "keys");
    await writeFile(keys, `${line}\n`);
    const { child, exit, ask, err } = await serving(["--keys", keys]);
    assert.equal((await ask("GET", "/v1/tasks")).status, 401);
    const rollout = await ask("POST", "/v1/rollouts", { task: "test/note" }, key);
    assert.equal(rollout.json.phase, "serving");
    const path = `/v1/rollouts/${rollout.json.id}`;

    child.kill("SIGTERM");
    let refused = await ask("POST", "/v1/rollouts", { task: "test/note", variant: 2 }, key);
    while (refused.status === 201) {
      refused = await ask("POST", "/v1/rollouts", { task: "test/note", variant: 2 }, key);
    }
    assert.deepEqual([refused.status, refused.json.code], [503, "rollout/draining"]);
    assert.equal((await ask("GET", "/readyz")).json.code, "api/not-ready");
    const write = { path: "/workspace/note.txt", content: "hello-1\n" };
    const called = await ask("POST", `${path}/tools/write_file`, { arguments: write }, key);
    assert.equal(called.status, 200, "a rollout under way gets its time");
    const end = await ask("POST", `${path}/finish`, {}, key);
    assert.deepEqual(end.json.record.reward, { sparse: 1, dense: 1, gain: 1 });
    const open = await ask("GET", "/v1/rollouts?outcome=none", undefined, key).catch(() => null);
    for (const { id } of open?.json.records ?? []) {
      await ask("DELETE", `/v1/rollouts/${id}`, undefined, key).catch(() => {});
    }
    assert.equal(await exit, 0, await err);
    assert.equal((await recordOf(rollout.json.id))?.outcome, "graded");
    const log = await err;
    assert(!log.includes(key), log);
  });

  it("releases everything at once when it is told twice", async () => {
    const { child, exit, ask, err } = await serving();
    const rollout = await ask("POST", "/v1/rollouts", { task: "test/note" });
    child.kill("SIGTERM");
    while ((await ask("GET", "/healthz")).json.phase !== "draining");
    await sleep(300); // Faster than a person presses twice, it would count as one press.
    child.kill("SIGINT");
    assert.equal(await exit, 130, await err);
    const record = await recordOf(rollout.json.id);
    assert.notEqual(record?.outcome, null);
    const { owner } = await openDataFolder(data);
    await using engine = await openTestEngine();
    assert.deepEqual(await engine.find(owner), []);
  });

  it("does not start on a port that is taken", async () => {
    const { child, exit, url } = await serving();
    const { port } = new URL(url);
    const { code, err } = await ended(["serve", "--port", port, "--data", data]);
    assert.deepEqual([code, err.includes("api/port-unusable")], [2, true], err);
    child.kill("SIGTERM");
    assert.equal(await exit, 0);
  });
});
