import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { didYouMean } from "../base/nearest.ts";
import { taskFault } from "./faults.ts";
import { ambiguous, type Roots, taskPlaces } from "./roots.ts";
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
export async function listTasks(roots: Roots): Promise<TaskList> {
  const tasks: Task[] = [];
  const broken: BrokenTask[] = [];
  for (const [id, places] of await taskPlaces(roots)) {
    try {
      tasks.push(await readTask(onlyPlace(id, places), id));
    } catch (error) {
      const unreadable = () =>
        taskFault("file-refused", `tasks/${id}: ${messageOf(error)}`, { cause: error });
      broken.push({ id, fault: asFault(error, unreadable) });
    }
  }
  return { tasks, broken };
}

/** Reads one task. Rejects as `rootOfTask` and `readTask` do. */
export async function findTask(roots: Roots, id: string): Promise<Task> {
  return readTask(await rootOfTask(roots, id), id);
}

/** Where a task's folder is. Rejects with `task/unknown`, which names the nearest, or `task/ambiguous`. */
export async function rootOfTask(roots: Roots, id: string): Promise<string> {
  const known = await taskPlaces(roots);
  const places = known.get(id);
  if (places !== undefined) return onlyPlace(id, places);
  const ids = [...known.keys()];
  const byFolder = ids.filter((one) => one.endsWith(`/${id}`)).map((one) => `"${one}"`);
  const near =
    byFolder.length > 0 ? `; did you mean ${byFolder.join(" or ")}?` : didYouMean(id, ids);
  throw taskFault("unknown", `there is no task "${id}"${near || "; see cloche task list"}`);
}

function onlyPlace(id: string, places: readonly string[]): string {
  const [root, ...more] = places;
  if (root === undefined || more.length > 0) throw ambiguous([[id, places]]);
  return root;
}
