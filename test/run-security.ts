import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { haveRunsc } from "./support/have-runsc.ts";

// The 36 threats under each OCI runtime that is here; ends with the code of the first that fails.
const root = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("test/security/*.test.ts", { cwd: root }).sort();

process.env["CLOCHE_TEST_RUNSC"] = "install";
const runsc = await haveRunsc();
run("runc", files);
if (runsc.skip === false) run("runsc", [...files, "test/engine/docker-runsc.test.ts"]);
else say(`runsc: skipped, ${runsc.skip}`);
say("all passed");

function run(runtime: string, tests: readonly string[]): void {
  say(runtime);
  const args = ["--test", "--test-concurrency=2", "--test-reporter=spec", ...tests];
  const env = { ...process.env, CLOCHE_TEST_RUNTIME: runtime, CLOCHE_TEST_SLOW: "1" };
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
  if (error) say(error.message);
  if (status === 0) return;
  say(`${runtime} failed (exit ${status})`);
  process.exit(status ?? 1);
}

function say(text: string): void {
  process.stderr.write(`\n== ${text}\n`);
}
