import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { openTestEngine } from "../support/engine.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SLOW = `import time


def solve(agent):
    agent.call("list_directory", path="/workspace")
    time.sleep(600)
`;

/** What stands between whoever sends the signal and Cloche. */
type Launcher = "none" | "an older Node" | "npx" | "npx and an older Node";

describe("a signal to whatever was started", () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let root: TestRoot;
  let oldNode: string | undefined;
  before(async () => {
    folder = await tempFolder();
    root = await smallTask({ "solution.py": SLOW });
    oldNode = await nodeBefore24();
    if (oldNode === undefined) return;
    await mkdir(join(folder.path, "bin"));
    await symlink(oldNode, join(folder.path, "bin", "node"));
  });
  after(async () => {
    await root?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  for (const launcher of ["none", "an older Node", "npx", "npx and an older Node"] as const) {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      it(`${signal} drains a service, through ${launcher}`, async (t) => {
        if (launcher.includes("older") && oldNode === undefined) {
          t.skip("there is no Node before 24 in PATH");
          return;
        }
        const data = join(folder.path, `${signal}-${launcher.replaceAll(" ", "-")}`);
        const child = start(launcher, ["serve", "--port", "0", "--pool", "0", "--data", data]);
        const pid = await servingPid(child);
        child.kill(signal);
        const [code] = await once(child, "exit");
        await untilDead(pid);
        assert.match(said(child), /draining: .*\ndrained\n$/);
        // npm's own end is npm's to tell: its shell dies of what it is handed.
        if (!launcher.includes("npx")) assert.equal(code, 0);
      });
    }
  }

  for (const [signal, launcher] of [
    ["SIGTERM", "npx"],
    ["SIGHUP", "none"],
  ] as const) {
    it(`${signal} ends the rollout of a run with its record, through ${launcher}`, async () => {
      const data = join(folder.path, `run-${signal}`);
      const child = start(launcher, ["run", "test/note", "--root", root.path, "--data", data]);
      await untilServing(child, data);
      child.kill(signal);
      const [code] = await once(child, "exit");
      if (launcher === "none") assert.equal(code, 1);
      assert.equal((await untilEnded(data)).outcome, "cancelled");
      const { owner } = await openDataFolder(data);
      await using engine = await openTestEngine();
      assert.deepEqual(await engine.find(owner), []);
    });
  }

  function start(launcher: Launcher, args: readonly string[]): ChildProcess {
    const main = join(ROOT, "cloche.mjs");
    const bin = join(folder.path, "bin");
    const isOld = launcher.includes("older");
    // Beyond the clone npm finds no Node of ours to put before the one in PATH.
    const cwd = isOld ? folder.path : ROOT;
    const path = [isOld ? bin : dirname(process.execPath), process.env["PATH"]].join(delimiter);
    const words = launcher.includes("npx")
      ? ["npx", "--yes", "--offline", ROOT, ...args]
      : [isOld ? join(bin, "node") : process.execPath, main, ...args];
    const [command = "", ...rest] = words;
    const env = { ...process.env, PATH: path, npm_config_cache: join(folder.path, "npm") };
    const child = spawn(command, rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const texts: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => texts.push(text));
    }
    heard.set(child, texts);
    return child;
  }
});

const heard = new WeakMap<ChildProcess, string[]>();

function said(child: ChildProcess): string {
  return heard.get(child)?.join("") ?? "";
}

/** The process that serves is the one that has no child of its own. */
async function servingPid(child: ChildProcess): Promise<number> {
  while (!said(child).includes("cloche serves at")) {
    if (child.exitCode !== null) throw new Error(`it ended: ${said(child)}`);
    await sleep(50);
  }
  let pid = Number(child.pid);
  for (let below = childOf(pid); below !== undefined; below = childOf(pid)) pid = below;
  return pid;
}

function childOf(pid: number): number | undefined {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = all.find((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]) === pid;
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

async function untilDead(pid: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(100);
  }
  process.kill(pid, "SIGKILL");
  assert.fail(`process ${pid} still lives`);
}

async function newest(data: string) {
  await openDataFolder(data);
  using records = await RecordStore.open(join(data, "cloche.db"));
  return (await records.list({ limit: 1 })).records[0];
}

async function untilServing(child: ChildProcess, data: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended: ${said(child)}`);
    const record = await newest(data);
    if (record?.phase === "serving") return;
    await sleep(50);
  }
}

async function untilEnded(data: string) {
  for (let tries = 0; tries < 300; tries++) {
    const record = await newest(data);
    if (record && record.outcome !== null) return record;
    await sleep(100);
  }
  return assert.fail("the rollout did not end");
}

async function nodeBefore24(): Promise<string | undefined> {
  for (const place of (process.env["PATH"] ?? "").split(delimiter)) {
    const node = join(place, "node");
    const { stdout, exitCode } = await execa(node, ["-v"], { reject: false });
    const major = Number(/^v(\d+)\./.exec(String(stdout))?.[1]);
    if (exitCode === 0 && major >= 18 && major < 24) return node;
  }
  return undefined;
}
