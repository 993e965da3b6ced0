import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { newKey } from "../../runtime/api/keys.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { openTestEngine } from "../support/engine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `cloche serve` as anybody starts it, on a data folder of its own. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly data: string;
  /** kill -9. */
  crash(): Promise<void>;
  /** Starts it again on the same port and data folder; resolves when it serves. */
  startAgain(): Promise<void>;
  /** Takes the sandbox of a rollout away, as a failing host would. */
  loseSandbox(rollout: string): Promise<void>;
}

export interface ServeArguments {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Serves the tasks of `root`, without a pool. Disposing drains it and fails if it did not end well. */
export async function serve(
  root: string,
  { args = [], env = {} }: ServeArguments = {},
): Promise<Serving> {
  const data = await mkdtemp(join(tmpdir(), "cloche-serve-"));
  const common = ["--json", "--pool", "0", "--grace", "5", "--root", root, "--data", data, ...args];
  const start = (port: string) => started([...common, "--port", port], env);
  const first = await start("0");
  let { child } = first;
  return {
    url: first.url,
    data,
    async crash() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
    async startAgain() {
      ({ child } = await start(new URL(first.url).port));
    },
    loseSandbox: (rollout) => loseSandbox(data, rollout),
    async [Symbol.asyncDispose]() {
      const code = await stopped(child);
      await rm(data, { recursive: true, force: true });
      if (code !== 0) throw new Error(`serve ended with ${code}: ${saidBy.get(child)?.join("")}`);
    },
  };
}

/** A key of each name, and the file of `--keys` that knows them; gone with the folder. */
export async function keyFile<Name extends string>(
  names: readonly Name[],
): Promise<AsyncDisposable & { readonly path: string; readonly keys: Record<Name, string> }> {
  const folder = await mkdtemp(join(tmpdir(), "cloche-keys-"));
  const path = join(folder, "keys");
  const made = names.map((name) => [name, newKey(name)] as const);
  await writeFile(path, made.map(([, { line }]) => `${line}\n`).join(""));
  const keys = Object.fromEntries(made.map(([name, { key }]) => [name, key]));
  return {
    path,
    keys: keys as Record<Name, string>,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const saidBy = new WeakMap<ChildProcess, string[]>();

async function started(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [join(ROOT, "cloche.mjs"), "serve", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  saidBy.set(child, said);
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const first = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit"),
  ]);
  if (child.exitCode !== null) throw new Error(`serve ended: ${said.join("")}`);
  const { url } = JSON.parse(String(first[0])) as { url: string };
  return { child, url };
}

async function loseSandbox(data: string, rollout: string): Promise<void> {
  const { owner, database } = await openDataFolder(data);
  using records = await RecordStore.open(database);
  const sandbox = (await records.get(rollout))?.sandbox;
  await using engine = await openTestEngine();
  const found = (await engine.find(owner)).find(({ id }) => id === sandbox);
  assert(found, `rollout ${rollout} has no sandbox`);
  await engine.remove(found);
}

async function stopped(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  }
  return child.exitCode;
}
