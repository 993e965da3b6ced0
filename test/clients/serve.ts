import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `cloche serve` as anybody starts it, on a data folder of its own. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly data: string;
}

/** Serves the tasks of `root`, without a pool. Disposing drains it and fails if it did not end well. */
export async function serve(
  root: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Serving> {
  const data = await mkdtemp(join(tmpdir(), "cloche-serve-"));
  const all = ["--json", "--port", "0", "--pool", "0", "--grace", "5", "--root", root];
  const child = spawn(
    process.execPath,
    [join(ROOT, "cloche.mjs"), "serve", ...all, "--data", data, ...args],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const first = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit"),
  ]);
  if (child.exitCode !== null) throw new Error(`serve ended: ${said.join("")}`);
  const { url } = JSON.parse(String(first[0])) as { url: string };
  return {
    url,
    data,
    async [Symbol.asyncDispose]() {
      const code = await stopped(child);
      await rm(data, { recursive: true, force: true });
      if (code !== 0) throw new Error(`serve ended with ${code}: ${said.join("")}`);
    },
  };
}

async function stopped(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  }
  return child.exitCode;
}
