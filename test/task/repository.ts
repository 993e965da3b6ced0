import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { sealFixtures } from "../support/seal-fixtures.ts";

export const TOML = `schema_version = "1.4"
[task]
name = "desk/count-lines"
description = "Counts lines."
[environment]
[[environment.mcp_servers]]
name = "terminal"
[cloche]
now = "2026-03-02T09:00:00Z"
`;

export const GRADER = `from cloche import criterion, grade

@criterion("answer.txt exists", weight=2)
def exists(run):
    return run.workspace.file("answer.txt").exists()

grade()
`;

/** A repository with one task that is sound, but for the files given; undefined leaves one out. */
export function repository(
  context: TestContext,
  files: Readonly<Record<string, string | undefined>> = {},
): string {
  const root = mkdtempSync(join(tmpdir(), "cloche-task-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const task = {
    "task.toml": TOML,
    "instruction.md": "Count the lines.\n",
    "grader.py": GRADER,
    ...files,
  };
  mkdirSync(join(root, "fixtures"));
  for (const [name, text] of Object.entries(task)) {
    if (text === undefined) continue;
    const path = name.startsWith("/")
      ? join(root, name)
      : join(root, "tasks/desk/count-lines", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  sealFixtures(root);
  return root;
}
