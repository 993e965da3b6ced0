import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { type PreparedVariant, type PrepareParts, prepareVariant } from "../task/prepare.ts";
import type { Roots } from "../task/roots.ts";
import type { Task } from "../task/task.ts";
import { listFolder } from "../task/task-folder.ts";
import { findTask } from "../task/task-list.ts";

/** A task and one of its variants, ready to be played. */
export interface ReadyTask {
  readonly task: Task;
  readonly prepared: PreparedVariant;
}

interface KnownTask {
  readonly task: Task;
  /** Changes whenever a file of it does. */
  readonly look: string;
}

const KEPT = 256;

/**
 * Tasks and variants as they are asked for. What was read and prepared before is used again as long
 * as no file of the task has changed; a variant is prepared once, however many ask for it at once.
 */
export class ReadyTasks {
  readonly #roots: Roots;
  readonly #parts: PrepareParts;
  readonly #tasks = new Map<string, KnownTask>();
  readonly #variants = new Map<string, Promise<PreparedVariant>>();

  constructor(roots: Roots, parts: PrepareParts) {
    this.#roots = roots;
    this.#parts = parts;
  }

  /** Rejects as `findTask` and `prepareVariant` do. */
  async ready(id: string, variant: number): Promise<ReadyTask> {
    const task = await this.task(id);
    const key = `${task.sha256} ${variant}`;
    const known = this.#variants.get(key);
    const preparing = known ?? prepareVariant(task, variant, this.#parts);
    this.#variants.delete(key);
    this.#variants.set(key, preparing);
    if (known === undefined) preparing.catch(() => this.#variants.delete(key));
    if (this.#variants.size > KEPT) this.#forgetOldest();
    return { task, prepared: await preparing };
  }

  /** Rejects as `findTask` does. */
  async task(id: string): Promise<Task> {
    const known = this.#tasks.get(id);
    if (known && (await lookOf(known.task)) === known.look) return known.task;
    const task = await findTask(this.#roots, id);
    this.#tasks.set(id, { task, look: await lookOf(task) });
    return task;
  }

  #forgetOldest(): void {
    const [oldest] = this.#variants.keys();
    if (oldest !== undefined) this.#variants.delete(oldest);
  }
}

/** Sizes and times of all files: cheap, where a hash over a large fixture is not. */
async function lookOf(task: Task): Promise<string> {
  const folders = [task.folder, ...(task.fixture ? [task.fixture.folder] : [])];
  const looks: string[] = [];
  for (const folder of folders) {
    const entries = await listFolder(folder).catch(() => []);
    const stats = entries.map(async ({ path }) => {
      const { size, mtimeNs, ino } = await lstat(join(folder, path), { bigint: true });
      return `${path} ${size} ${mtimeNs} ${ino}`;
    });
    looks.push(...(await Promise.all(stats).catch(() => ["changing"])));
  }
  return looks.join("\n");
}
