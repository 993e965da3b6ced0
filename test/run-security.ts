import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

// The 36 threats under each OCI runtime that is here; ends with the code of the first that fails.
const root = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("test/security/*.test.ts", { cwd: root }).sort();

for (const runtime of ["runc", "runsc"]) {
  if (!isKnown(runtime)) {
    say(`${runtime}: skipped, the engine knows no such runtime`);
    continue;
  }
  say(runtime);
  const args = ["--test", "--test-concurrency=2", "--test-reporter=spec", ...files];
  const env = { ...process.env, CLOCHE_TEST_RUNTIME: runtime, CLOCHE_TEST_SLOW: "1" };
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
  if (error) say(error.message);
  if (status === 0) continue;
  say(`${runtime} failed (exit ${status})`);
  process.exit(status ?? 1);
}
say("all passed");

/** As the engine lists it; one that is installed and not known to it cannot be used either. */
function isKnown(runtime: string): boolean {
  const list = ["info", "--format", "{{range $name, $_ := .Runtimes}}{{$name}} {{end}}"];
  const { stdout } = spawnSync("docker", list, { encoding: "utf8" });
  return runtime === "runc" || (stdout ?? "").split(" ").includes(runtime);
}

function say(text: string): void {
  process.stderr.write(`\n== ${text}\n`);
}
