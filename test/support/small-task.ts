import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sealFixtures } from "./seal-fixtures.ts";

/** A folder with tasks/ in it, for `--root`, gone afterwards. */
export interface TestRoot extends AsyncDisposable {
  readonly path: string;
}

const NOTE: Readonly<Record<string, string>> = {
  "task.toml": `schema_version = "1.4"

[task]
name = "test/note"
description = "Writes one line into note.txt."

[metadata]
category = "test"
difficulty = "easy"

[environment]
cpus = 1
memory_mb = 512
storage_mb = 32

[[environment.mcp_servers]]
name = "filesystem"

[[environment.mcp_servers]]
name = "terminal"

[cloche]
now = "2026-03-02T09:00:00Z"

[cloche.variants]
count = 2
`,
  "instruction.md": "Write the line {{word}} into /workspace/note.txt.\n",
  "generate.py": `def generate(variant):
    word = f"hello-{variant.number}"
    variant.variables["word"] = word
    (variant.workspace / "readme.txt").write_text(f"variant {variant.number}\\n")
    return {"word": word}
`,
  "grader.py": `from cloche import check, criterion, grade


@criterion("note.txt says the word", weight=3)
def says(run):
    text = run.workspace.file("note.txt").text()
    check(text.strip() == run.expected["word"], f"it says {text!r}")
    return True


@criterion("readme.txt is as it was")
def untouched(run):
    return run.workspace.file("readme.txt").sha256 == run.before.file("readme.txt").sha256


grade()
`,
  "solution.py": `def solve(agent):
    word = agent.instruction.split("line ")[1].split(" ")[0]
    agent.call("list_directory", path="/workspace")
    agent.call("write_file", path="/workspace/note.txt", content=word + "\\n")
    return "done"
`,
  "cheats/wrong_word.py": `def solve(agent):
    agent.call("write_file", path="/workspace/note.txt", content="wrong\\n")
`,
};

/**
 * A root with the task "test/note", some of its files replaced, added (a text) or left out
 * (undefined).
 */
export async function smallTask(
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<TestRoot> {
  const path = await mkdtemp(join(tmpdir(), "cloche-root-"));
  for (const [name, text] of Object.entries({ ...NOTE, ...changes })) {
    if (text === undefined) continue;
    const file = join(path, "tasks", "test", "note", name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  sealFixtures(path);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The task's own text of a file, for a change of a part of it. */
export function ofNote(name: string, from = "", to = ""): string {
  const text = NOTE[name];
  if (text?.includes(from) !== true) throw new Error(`${name} of the small task has no "${from}"`);
  return text.replace(from, to);
}
