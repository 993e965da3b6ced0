import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../base/fault.ts";
import { taskFault } from "./faults.ts";
import { findFixture, listFixture } from "./fixture-set.ts";
import { variablesOf } from "./instruction.ts";
import type { Task, TaskFiles } from "./task.ts";
import { type FolderEntry, hashFolders, listFolder } from "./task-folder.ts";
import { readTaskToml, type TaskToml } from "./task-toml.ts";

const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*\/[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MODULE = /^[A-Za-z_][A-Za-z0-9_]*\.py$/;
const NOT_FOR_THE_GRADER = ["grader.py", "generate.py", "solution.py"];

/**
 * Reads the task in `<root>/tasks/<id>` whole and checks it. Nothing of the task is run.
 * Rejects with one `task/…` fault that names file, field and remedy.
 */
export async function readTask(root: string, id: string): Promise<Task> {
  requireTaskId(id);
  const folder = join(root, "tasks", id);
  const listed = await listTask(folder);
  const entries = plainFiles(listed);
  const toml = await readToml(id, folder, entries);
  const file = join(folder, "task.toml");
  const { name: _, category, fixture: fixtureName, ...said } = toml;
  const files = filesOf(folder, entries);
  const instruction = await readInstruction(folder, files, entries);
  const parts = [{ name: "task", folder, entries: listed }];
  const fixture =
    fixtureName === undefined
      ? null
      : await findFixture(root, fixtureName, `${file}: [cloche].fixture`);
  if (fixture !== null) {
    parts.push({ name: "fixture", folder: fixture.folder, entries: await listFixture(fixture) });
  }
  return {
    id,
    folder,
    category: category ?? id.slice(0, id.indexOf("/")),
    instruction,
    fixture,
    files,
    sha256: await hashFolders(parts),
    ...said,
  };
}

/** Throws `task/bad-folder-name` unless a task may lie in `tasks/<id>`. */
export function requireTaskId(id: string): void {
  if (ID.test(id)) return;
  const remedy =
    "name it <category>/<name>, both in lower-case letters and digits with hyphens between them";
  throw taskFault("bad-folder-name", `tasks/${id} can be no task's folder: ${remedy}`);
}

/** The paths of files among all entries. */
export function plainFiles(listed: readonly FolderEntry[]): ReadonlySet<string> {
  return new Set(listed.filter(({ kind }) => kind === "file").map(({ path }) => path));
}

export async function readToml(
  id: string,
  folder: string,
  entries: ReadonlySet<string>,
): Promise<TaskToml> {
  if (!entries.has("task.toml")) {
    throw taskFault("no-toml", `${folder} has no task.toml: write one, or move the folder away`);
  }
  const file = join(folder, "task.toml");
  const toml = readTaskToml(await readText(file), file);
  if (toml.name === undefined || toml.name === id) return toml;
  const said = `[task].name is "${toml.name}" but the folder is tasks/${id}`;
  throw taskFault("wrong-name", `${file}: ${said}: make them equal`);
}

/** What editors and Python leave behind; no part of a task. */
const LEFT_BEHIND = /(?:^|\/)(?:__pycache__(?:\/|$)|\.DS_Store$|[^/]*\.(?:pyc|swp)$)/;

export async function listTask(folder: string): Promise<readonly FolderEntry[]> {
  let entries: readonly FolderEntry[];
  try {
    entries = await listFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw taskFault("unknown", `there is no task at ${folder}`, { cause: error });
  }
  const own = entries.filter(({ path }) => !LEFT_BEHIND.test(path));
  const link = own.find(({ kind }) => kind === "link");
  if (link === undefined) return own;
  const message = `${join(folder, link.path)} is a link: put the file itself there`;
  throw taskFault("file-refused", message);
}

export function filesOf(folder: string, entries: ReadonlySet<string>): TaskFiles {
  if (!entries.has("grader.py")) {
    const message = `${folder} has no grader.py: without one nothing can be graded; write it`;
    throw taskFault("no-grader", message);
  }
  const optional = (name: string) => (entries.has(name) ? join(folder, name) : null);
  const cheats = [...entries].filter((path) => /^cheats\/[^/]+\.py$/.test(path));
  const modules = [...entries].filter(
    (path) => MODULE.test(path) && !NOT_FOR_THE_GRADER.includes(path),
  );
  return {
    toml: join(folder, "task.toml"),
    grader: join(folder, "grader.py"),
    generate: optional("generate.py"),
    solution: optional("solution.py"),
    expected: optional("expected.json"),
    cheats: Object.fromEntries(cheats.map((path) => [basename(path, ".py"), join(folder, path)])),
    modules: modules.map((path) => join(folder, path)),
  };
}

export async function readInstruction(
  folder: string,
  files: TaskFiles,
  entries: ReadonlySet<string>,
): Promise<string> {
  const path = join(folder, "instruction.md");
  const text = entries.has("instruction.md") ? await readText(path) : "";
  if (text.trim() === "") {
    const what = entries.has("instruction.md") ? `${path} is empty` : `${path} is not there`;
    throw taskFault("no-instruction", `${what}: write what the agent is told to do`);
  }
  const [variable] = variablesOf(text);
  if (variable !== undefined && files.generate === null) {
    const why = "since the task has no generate.py: write one, or take the variable out";
    throw taskFault("unknown-variable", `${path}: nothing sets {{${variable}}}, ${why}`);
  }
  return text;
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const message = `${path} cannot be read as UTF-8 text: ${messageOf(error)}`;
    throw taskFault("file-refused", message, { cause: error });
  }
}
