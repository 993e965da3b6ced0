import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../base/fault.ts";
import { taskFault } from "./faults.ts";
import { requireTaskId } from "./task-file.ts";

const SCAFFOLD = fileURLToPath(new URL("scaffold/", import.meta.url));

/**
 * Writes the folder of a new task, `<root>/tasks/<id>`, with a small task in it that proves. Rejects
 * with `task/bad-folder-name`, with `task/exists` if there is anything at that place already, and
 * with `task/not-written`; then nothing has changed.
 */
export async function initTask(
  root: string,
  id: string,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  requireTaskId(id);
  const folder = join(root, "tasks", id);
  await makeNew(folder);
  try {
    const files = await scaffoldFiles();
    for (const file of files) {
      const text = await readFile(join(SCAFFOLD, file), "utf8");
      await mkdir(dirname(join(folder, file)), { recursive: true });
      // Only task.toml names the task; the instruction's {{variables}} are the author's.
      const own = file === "task.toml" ? text.replaceAll("{{id}}", id) : text;
      await writeFile(join(folder, file), own, { flag: "wx" });
    }
    return { folder, files };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw notWritten(folder, error);
  }
}

async function makeNew(folder: string): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw notWritten(folder, error);
    const message = `${folder} is there already: give another name, or move it away`;
    throw taskFault("exists", message, { cause: error });
  }
}

async function scaffoldFiles(): Promise<readonly string[]> {
  const found = await readdir(SCAFFOLD, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() && /\.(?:toml|md|py)$/.test(entry.name))
    .map((entry) => relative(SCAFFOLD, join(entry.parentPath, entry.name)))
    .sort();
}

function notWritten(folder: string, cause: unknown): Error {
  return taskFault("not-written", `${folder} could not be written: ${messageOf(cause)}`, { cause });
}
