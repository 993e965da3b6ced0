import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/fault.ts";
import { taskFault } from "./faults.ts";

/** Where tasks/ and fixtures/ lie. The tasks of several are one list; each begins with its own fixtures. */
export type Roots = string | readonly string[];

/**
 * The folders as they are named once, whichever way they were given (twice, by a link).
 * Rejects with `task/bad-root` for what is missing, no folder, or cannot be read.
 */
export async function requireRoots(given: readonly string[]): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const root of given) {
    await requireFolder(root, root);
    const place = await realpath(root);
    if (!found.has(place)) found.set(place, root);
  }
  return [...found.values()];
}

/**
 * Whether rollouts could be asked for: each root has a task, and none has one of the same id as
 * another. Rejects with `task/bad-root`, which names the root, or `task/ambiguous`, with the ids.
 */
export async function requireTasks(roots: readonly string[]): Promise<void> {
  for (const root of roots) {
    await requireFolder(root, join(root, "tasks"));
    const ids = await idsIn(root);
    const tomls = await Promise.all(ids.map((id) => isThere(join(root, "tasks", id, "task.toml"))));
    if (tomls.includes(true)) continue;
    const what = `--root ${root} has no task in it, tasks/<category>/<name>/task.toml`;
    throw badRoot(root, `${what}; "cloche task init" writes one`);
  }
  const clashes = [...(await taskPlaces(roots))].filter(([, places]) => places.length > 1);
  if (clashes.length > 0) throw ambiguous(clashes);
}

/** The roots in which there is a folder for each id, sorted by id; nearly always one. */
export async function taskPlaces(roots: Roots): Promise<ReadonlyMap<string, readonly string[]>> {
  const places = new Map<string, string[]>();
  for (const root of rootsOf(roots)) {
    for (const id of await idsIn(root)) places.set(id, [...(places.get(id) ?? []), root]);
  }
  return new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function rootsOf(roots: Roots): readonly string[] {
  return typeof roots === "string" ? [roots] : roots;
}

/** For ids of which each is in several roots. */
export function ambiguous(clashes: Iterable<readonly [string, readonly string[]]>): Error {
  const named = [...clashes].map(
    ([id, places]) =>
      `"${id}" is in ${places.map((root) => join(root, "tasks", id)).join(" and ")}`,
  );
  const remedy = "rename one, or leave one --root out";
  return taskFault("ambiguous", `${named.join("; ")}: ${remedy}`);
}

async function idsIn(root: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const category of await foldersIn(join(root, "tasks"))) {
    const names = await foldersIn(join(root, "tasks", category));
    ids.push(...names.map((name) => `${category}/${name}`));
  }
  return ids;
}

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
    throw taskFault("unknown", `no tasks can be found: ${messageOf(error)}`, { cause: error });
  });
  return entries
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
    .map((entry) => entry.name);
}

async function requireFolder(root: string, path: string): Promise<void> {
  const said = path === root ? `--root ${root}` : `--root ${root}: ${path}`;
  const remedy = "give the folder that holds tasks/ and fixtures/";
  try {
    if (!(await stat(path)).isDirectory()) {
      throw badRoot(root, `${said} is a file and no folder; ${remedy}`);
    }
    await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith("task/")) throw error;
    const what = code === "ENOENT" ? "is not there" : `cannot be read (${messageOf(error)})`;
    throw badRoot(root, `${said} ${what}; ${remedy}`, error);
  }
}

function badRoot(root: string, message: string, cause?: unknown): Error {
  return taskFault("bad-root", message, { cause, detail: { root } });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
