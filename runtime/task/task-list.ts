import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { didYouMean } from "../base/nearest.ts";
import { taskFault } from "./faults.ts";
import type { Task } from "./task.ts";
import { readTask } from "./task-file.ts";

/** The tasks of a repository: those that can be run, and what is wrong with the others. */
export interface TaskList {
  readonly tasks: readonly Task[];
  readonly broken: readonly BrokenTask[];
}

export interface BrokenTask {
  readonly id: string;
  readonly fault: Fault;
}

/** Reads all of `<root>/tasks`, sorted by id. A broken task hinders no other. */
export async function listTasks(root: string): Promise<TaskList> {
  const tasks: Task[] = [];
  const broken: BrokenTask[] = [];
  for (const id of await taskIds(root)) {
    try {
      tasks.push(await readTask(root, id));
    } catch (error) {
      const unreadable = () =>
        taskFault("file-refused", `tasks/${id}: ${messageOf(error)}`, { cause: error });
      broken.push({ id, fault: asFault(error, unreadable) });
    }
  }
  return { tasks, broken };
}

/** Reads one task. Rejects with `task/unknown`, which names the nearest, or as `readTask` does. */
export async function findTask(root: string, id: string): Promise<Task> {
  const known = await taskIds(root);
  if (known.includes(id)) return readTask(root, id);
  const byFolder = known.filter((one) => one.endsWith(`/${id}`)).map((one) => `"${one}"`);
  const near =
    byFolder.length > 0 ? `; did you mean ${byFolder.join(" or ")}?` : didYouMean(id, known);
  throw taskFault("unknown", `there is no task "${id}"${near || "; see cloche task list"}`);
}

/** The ids of all folders that a task could lie in, sorted. */
export async function taskIds(root: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const category of await foldersIn(join(root, "tasks"))) {
    const names = await foldersIn(join(root, "tasks", category));
    ids.push(...names.map((name) => `${category}/${name}`));
  }
  return ids.sort();
}

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
    throw taskFault("unknown", `no tasks can be found: ${messageOf(error)}`, { cause: error });
  });
  return entries
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
    .map((entry) => entry.name);
}
