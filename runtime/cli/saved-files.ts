import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../base/deadline.ts";
import type { Task } from "../task/task.ts";
import { listFolder } from "../task/task-folder.ts";

const EVERY_MS = 300;
/** What programs leave beside the files that a person saves. */
const NOT_SAVED = /(?:^|\/)(?:__pycache__(?:\/|$)|\.[^/]*$|[^/]*(?:~|\.pyc|\.swp|\.tmp)$)/;

/**
 * The files of a task and its fixture set, as they are saved. By their times and sizes, looked at
 * again and again: what tells of changes differs from one file system to another, and a task is small.
 */
export class SavedFiles {
  readonly #folders: readonly string[];
  #known: string;

  private constructor(folders: readonly string[], known: string) {
    this.#folders = folders;
    this.#known = known;
  }

  /** Whatever is saved from now on counts. */
  static async of({ folder, fixture }: Pick<Task, "folder" | "fixture">): Promise<SavedFiles> {
    const folders = [folder, ...(fixture === null ? [] : [fixture.folder])];
    return new SavedFiles(folders, await signature(folders));
  }

  /** Yields after something was saved, and nothing more was for a moment. Ends with the signal. */
  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    while (!signal.aborted) {
      let now = await signature(this.#folders);
      if (now !== this.#known) {
        now = await this.#settled(now, signal);
        this.#known = now;
        yield;
      }
      await pause(EVERY_MS, signal).catch(() => {});
    }
  }

  async #settled(first: string, signal: AbortSignal): Promise<string> {
    let before = "";
    let now = first;
    while (before !== now && !signal.aborted) {
      before = now;
      await pause(EVERY_MS, signal).catch(() => {});
      now = await signature(this.#folders);
    }
    return now;
  }
}

async function signature(folders: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const folder of folders) {
    // A file that is just being replaced is seen the next time.
    for (const { path } of await listFolder(folder).catch(() => [])) {
      if (NOT_SAVED.test(path)) continue;
      const stats = await lstat(join(folder, path)).catch(() => undefined);
      lines.push(`${path} ${stats?.mtimeMs} ${stats?.size} ${stats?.ino}`);
    }
  }
  return lines.join("\n");
}
