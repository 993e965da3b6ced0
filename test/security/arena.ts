import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";
import type { PolicyInput } from "../../runtime/rollout/policy.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { readSteps } from "../../runtime/store/step-lines.ts";
import { openTestRuntime, type PlayOptions, play, type TestRuntime } from "../support/runtime.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";

/** What a command came to, as the terminal says it. */
export interface Ran {
  readonly output: string;
  readonly exitCode: number | null;
}

/** What an attacker has: the tools of its rollout, its URL and its token. */
export interface Attacker extends PolicyInput {
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<ToolSaid>;
  /** Runs a command in the terminal. */
  run(command: string, args?: Readonly<Record<string, unknown>>): Promise<Ran>;
}

export interface ToolSaid {
  readonly text: string;
  readonly isError: boolean;
  readonly result: Readonly<Record<string, unknown>>;
}

/** What remains of a rollout after an attack. */
export interface Aftermath {
  readonly record: RolloutRecord;
  /** Undefined if the rollout came to nothing that could be captured. */
  readonly bundle: Bundle | undefined;
  readonly steps: readonly Step[];
  readonly wire: readonly WireFrame[];
}

export interface WireFrame {
  readonly direction: "in" | "out";
  readonly peer: string;
  readonly message: Readonly<Record<string, unknown>>;
}

/** A place where rollouts are attacked, next to things of the host's that must not change. */
export interface Arena extends AsyncDisposable {
  readonly runtime: TestRuntime;
  readonly root: TestRoot;
  /**
   * One rollout of the small task, some of its files changed, played by `attacker`. Fails if the
   * host was harmed, the record is not complete or something is left in the engine.
   */
  attack(attacker: Attack, options?: AttackOptions): Promise<Aftermath>;
}

/** A text that it resolves with is its answer; what it throws fails the test. */
export type Attack = (attacker: Attacker, signal: AbortSignal) => Promise<unknown>;

export interface AttackOptions extends PlayOptions {
  /** Changed files of the small task. */
  readonly task?: Readonly<Record<string, string | undefined>>;
}

export async function openArena(): Promise<Arena> {
  await using stack = new AsyncDisposableStack();
  const runtime = stack.use(await openTestRuntime());
  const root = stack.use(await smallTask());
  const host = stack.use(await HostWatch.begin());
  const rest = stack.move();
  return {
    runtime,
    root,
    async attack(attacker, { task, ...options } = {}) {
      await using changed = task === undefined ? undefined : await smallTask(task);
      const folder = (changed ?? root).path;
      const thrown: unknown[] = [];
      const policy = attacking(async (...args) => {
        try {
          return await attacker(...args);
        } catch (error) {
          if (!args[1].aborted) thrown.push(error);
          throw error;
        }
      });
      const record = await play(runtime, folder, "test/note", policy, options);
      if (thrown.length > 0) throw thrown[0];
      const found = await runtime.engine.find(runtime.data.owner);
      assert.deepEqual(
        found.filter(({ labels }) => labels.rollout === record.id),
        [],
        "something is left in the engine",
      );
      await host.assertUnharmed(record);
      return await aftermathOf(runtime, record);
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** A task's server of its own, beside the terminal: a program of Node's that is a text. */
export function withServer(program: string, more = ""): Readonly<Record<string, string>> {
  const quoted = JSON.stringify(program);
  return {
    "task.toml": toml(
      `name = "odd"\ncommand = "/usr/local/bin/node"\nargs = ["-e", ${quoted}]`,
      more,
    ),
  };
}

/** The small task's settings with one more server, and more at their end. */
export function toml(server: string, more = ""): string {
  const table = server === "" ? "" : `[[environment.mcp_servers]]\n${server}\n`;
  return `schema_version = "1.4"
[task]
name = "test/note"
[environment]
memory_mb = 512
storage_mb = 32
${table}
[[environment.mcp_servers]]
name = "terminal"
[cloche]
now = "2026-03-02T09:00:00Z"
${more}
`;
}

function attacking(attack: Attack) {
  return {
    name: "attacker",
    async play(input: PolicyInput, signal: AbortSignal) {
      await using client = await connectClient(input.url, input.token, signal);
      const call = async (tool: string, args: Readonly<Record<string, unknown>> = {}) => {
        return saidBy(await client.callTool(tool, args));
      };
      const run = async (command: string, args = {}): Promise<Ran> => {
        const { result, text } = await call("run_command", { command, ...args });
        const said = result["structuredContent"] as Partial<Ran> | undefined;
        return { output: said?.output ?? text, exitCode: said?.exitCode ?? null };
      };
      const answer = await attack({ ...input, call, run }, signal);
      return { answer: typeof answer === "string" ? answer : null };
    },
  };
}

function saidBy(called: object): ToolSaid {
  const { result = {}, error } = called as {
    result?: Record<string, unknown>;
    error?: { message: string };
  };
  const content = (result["content"] ?? []) as { text?: string }[];
  const text = error?.message ?? content.map((block) => block.text ?? "").join("");
  return { text, isError: error !== undefined || result["isError"] === true, result };
}

/** Opens, and thereby verifies, the bundle; holds the record to it. */
async function aftermathOf(runtime: TestRuntime, record: RolloutRecord): Promise<Aftermath> {
  assert.equal(record.phase, "stored");
  assert.ok(record.outcome);
  assert.deepEqual(await runtime.records.get(record.id), record);
  assert.ok(!(await readdir(runtime.data.rollouts)).includes(record.id));
  if (record.bundle === null) return { record, bundle: undefined, steps: [], wire: [] };
  const bundle = await openBundle(join(runtime.data.bundles, record.bundle));
  const steps = await Array.fromAsync(readSteps(bundle.stepsFile));
  assert.equal(steps.length, record.steps);
  assert.equal(bundle.manifest.rollout, record.id);
  assert.equal(bundle.grade === null, record.criteria === null);
  const lines = (await readFile(bundle.wireFile, "utf8")).split("\n").filter((line) => line !== "");
  return { record, bundle, steps, wire: lines.map((line) => JSON.parse(line) as WireFrame) };
}

/** Files of the host's, and its processes, before and after. */
class HostWatch implements AsyncDisposable {
  readonly #folder: string;
  readonly #before: string;

  static async begin(): Promise<HostWatch> {
    const folder = await mkdtemp(join(tmpdir(), "cloche-canary-"));
    await writeFile(join(folder, "file"), "as it was\n");
    await writeFile(join(folder, "secret"), CANARY, { mode: 0o600 });
    await symlink("file", join(folder, "link"));
    return new HostWatch(folder, await printOf(folder));
  }

  private constructor(folder: string, before: string) {
    this.#folder = folder;
    this.#before = before;
  }

  async assertUnharmed({ identity }: RolloutRecord): Promise<void> {
    assert.equal(await printOf(this.#folder), this.#before, "the host's files were changed");
    const uids = new Set(Object.values(identity?.uids ?? {}));
    assert.deepEqual(processesOf(uids), [], "processes of the sandbox are left on the host");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A text that lies on the host and nowhere else. */
export const CANARY = "canary-of-the-host-0f1e2d3c4b5a";

async function printOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const path of ["/etc/passwd", "/etc/hosts", "/etc/hostname"]) {
    hash.update(await readFile(path).catch(() => Buffer.alloc(0)));
  }
  for (const name of (await readdir(folder)).sort()) {
    const { mode, uid, mtimeMs } = await stat(join(folder, name));
    hash.update(`${name} ${mode} ${uid} ${mtimeMs} `).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}

/** Where the engine runs on this host: whatever still runs under one of these users. */
function processesOf(uids: ReadonlySet<number>): string[] {
  const found = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
      if (uids.has(uid) && !/^State:\s+[ZX]/m.test(status)) found.push(`${pid} of ${uid}`);
    } catch {
      // It ended in the meantime.
    }
  }
  return found;
}
