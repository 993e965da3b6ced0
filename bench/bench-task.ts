import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A task that costs nothing beside the sandbox: one small file, and one criterion. */
export const BENCH_TASK = "bench/still";

const FILES: Readonly<Record<string, string>> = {
  "task.toml": `schema_version = "1.4"

[task]
name = "${BENCH_TASK}"
description = "Nothing is to be done."

[metadata]
category = "bench"
difficulty = "easy"

[environment]
cpus = 1
memory_mb = 512
storage_mb = 64

[[environment.mcp_servers]]
name = "filesystem"

[[environment.mcp_servers]]
name = "terminal"

[cloche]
now = "2026-03-02T09:00:00Z"

[cloche.budget]
calls = 100000
concurrent_calls = 64
`,
  "instruction.md": "Leave readme.txt as it is.\n",
  "generate.py": `def generate(variant):
    (variant.workspace / "readme.txt").write_text("still\\n")
    return None
`,
  "grader.py": `from cloche import criterion, grade


@criterion("readme.txt is as it was")
def untouched(run):
    return run.workspace.file("readme.txt").sha256 == run.before.file("readme.txt").sha256


grade()
`,
};

/** Writes the task into `root`, for `--root`. */
export async function writeBenchTask(root: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(root, "tasks", BENCH_TASK, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
