import { execFile } from "node:child_process";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Writes } from "../workspace/writes.ts";

/** From here on the whole file system is put on the disk at once: each file alone waits for the journal. */
const MANY = 64;

/**
 * Puts all below a folder on the disk, names included. With many files the system is asked once to write
 * all of the folder's file system (`sync -f`, which says so if a write has failed); where it cannot be
 * asked, and with few, each file and folder is put there by itself.
 */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  if (entries.length >= MANY && (await isSynced(root))) return;
  const writes = new Writes();
  try {
    for (const { parentPath, name } of entries) await writes.add(syncPath(join(parentPath, name)));
    await writes.settle();
  } finally {
    await writes.ended();
  }
  await syncPath(root);
}

/** Also puts a folder's names on the disk. */
export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

async function isSynced(root: string): Promise<boolean> {
  return promisify(execFile)("sync", ["-f", "--", root]).then(
    () => true,
    () => false,
  );
}
