import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// All checks in order, each said; ends with the code of the first that fails.
interface Stage {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const ARCHITECTURE = join("test", "architecture.test.ts");
/** These take minutes: whatever began last would be waited for alone. */
const LONGEST = [
  "tasks/workshop-day",
  "clients/python",
  "grading/python-library",
  "tasks/proven",
].map((name) => join("test", `${name}.test.ts`));
const others = globSync("test/**/*.test.ts", { cwd: root })
  .filter((file) => ![ARCHITECTURE, ...LONGEST].includes(file))
  .sort();

const colours = process.stdout.isTTY ? [] : ["--colors=off"];

const STAGES: readonly Stage[] = [
  { name: "lint", program: bin("biome"), args: ["ci", "--diagnostic-level=warn", ...colours] },
  { name: "types", program: bin("tsc"), args: ["--noEmit"] },
  python("python style", "style"),
  python("python types", "types"),
  { name: "dead code", program: bin("knip"), args: ["--no-progress"] },
  {
    name: "supply chain",
    program: process.execPath,
    args: [join("test", "run-supply-chain.ts")],
  },
  nodeTest("architecture", [ARCHITECTURE]),
  nodeTest("tests", [...LONGEST, ...others]),
];

for (const stage of STAGES) {
  const code = run(stage);
  if (code !== 0) {
    say(`${stage.name} failed (exit ${code}); nothing after it was run`);
    process.exit(code);
  }
}
say("all passed");

function nodeTest(name: string, files: readonly string[]): Stage {
  return { name, program: process.execPath, args: [join("test", "run-files.ts"), ...files] };
}

function python(name: string, mode: string): Stage {
  return { name, program: process.execPath, args: [join("test", "run-python.ts"), mode] };
}

function run({ name, program, args }: Stage): number {
  say(name);
  const started = performance.now();
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (error) say(error.message);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status === 0) say(`${name}: ${seconds} s`);
  return status ?? 1;
}

function bin(name: string): string {
  return join(root, "node_modules", ".bin", name);
}

function say(text: string): void {
  process.stderr.write(`\n== ${text}\n`);
}
