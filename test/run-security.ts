import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { haveRunsc } from "./support/have-runsc.ts";

// The numbered threats under each OCI runtime that is here, or under those that are named; all of them are
// run whatever fails.
const root = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("test/security/*.test.ts", { cwd: root }).sort();
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ["runc", "runsc"];

process.env["CLOCHE_TEST_RUNSC"] = "install";
for (const runtime of wanted) await attack(runtime);
say(process.exitCode ? "some failed" : "all passed");

async function attack(runtime: string): Promise<void> {
  if (runtime !== "runsc") return run(runtime, files);
  const { skip } = await haveRunsc();
  if (skip !== false) return say(`runsc: skipped, ${skip}`);
  run(runtime, [...files, "test/engine/docker-runsc.test.ts"]);
}

function run(runtime: string, tests: readonly string[]): void {
  say(runtime);
  const args = ["test/run-files.ts", ...tests];
  const env = { ...process.env, CLOCHE_TEST_RUNTIME: runtime, CLOCHE_TEST_SLOW: "1" };
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
  if (error) say(error.message);
  if (status === 0) return;
  say(`${runtime} failed (exit ${status})`);
  process.exitCode = 1;
}

function say(text: string): void {
  process.stderr.write(`\n== ${text}\n`);
}
