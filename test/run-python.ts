import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedPython } from "./support/pinned-python.ts";

// node test/run-python.ts style | types | format
// All Python of the repository, as pyproject.toml says: ruff, mypy, or ruff's own changes written.
// Says "skipped" where the packages that check it are not to be had.
const root = fileURLToPath(new URL("..", import.meta.url));
const LIBRARY = join("python", "cloche", "src");
const CLIENT = join("python", "cloche_client");

/** Modules that find each other by name; those of another unit may have the same names. */
interface Unit {
  readonly name: string;
  /** Where their imports begin. */
  readonly bases: readonly string[];
  readonly files: readonly string[];
}

const modes: Readonly<Record<string, (python: string) => boolean>> = {
  style: (python) =>
    ruff(python, ["check", "--quiet"]) && ruff(python, ["format", "--check", "--quiet"]),
  types: (python) => units().filter((unit) => !mypy(python, unit)).length === 0,
  format: (python) =>
    ruff(python, ["format", "--quiet"]) && ruff(python, ["check", "--quiet", "--fix"]),
};
const [mode = ""] = process.argv.slice(2);
const check = modes[mode];
if (check === undefined) {
  process.stderr.write("usage: node test/run-python.ts style | types | format\n");
  process.exit(2);
}
const { python, missing } = pinnedPython();
if (python === undefined) process.stderr.write(`skipped: ${missing}\n`);
else process.exitCode = check(python) ? 0 : 1;

function ruff(python: string, args: readonly string[]): boolean {
  const cache = join(root, ".cache", "ruff");
  return run(python, ["-m", "ruff", ...args, "--cache-dir", cache, "."]);
}

function mypy(python: string, { name, bases, files }: Unit): boolean {
  const cache = join(root, ".cache", "mypy");
  const args = ["-m", "mypy", "--no-error-summary", "--cache-dir", cache, ...files];
  const right = run(python, args, { MYPYPATH: bases.join(":") });
  if (!right) process.stderr.write(`${name}: its types are wrong, see above\n`);
  return right;
}

/** The library, the client, what else is no task, and each task's folder. */
function units(): Unit[] {
  const tests = join("python", "cloche", "tests");
  const probe = join("runtime", "engine", "probe");
  const tasks = pythonFiles("{tasks,test/proof,runtime/task}/**/{grader,generate,solution}.py");
  const folders = [...new Set(tasks.map((file) => dirname(file)))];
  const others = pythonFiles("{runtime,test,servers,images,bench,examples}/**/*.py").filter(
    (file) => !folders.some((folder) => file.startsWith(folder)),
  );
  return [
    { name: "the library", bases: [LIBRARY, tests], files: [LIBRARY, tests] },
    {
      name: "the client",
      bases: [...["src", "tests", "examples"].map((name) => join(CLIENT, name)), LIBRARY],
      files: pythonFiles(`${CLIENT}/**/*.py`),
    },
    {
      name: "programs and tests",
      bases: ["test", probe, join(CLIENT, "src"), LIBRARY],
      files: others,
    },
    ...folders.map((folder) => ({
      name: folder,
      bases: [folder, LIBRARY],
      files: pythonFiles(`${folder}/**/*.py`),
    })),
  ];
}

function pythonFiles(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).sort();
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): boolean {
  const options = { cwd: root, stdio: "inherit", env: { ...process.env, ...env } } as const;
  const { status, error } = spawnSync(program, args, options);
  if (error) process.stderr.write(`${error.message}\n`);
  return status === 0;
}
