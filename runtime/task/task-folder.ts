import { createHash } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { canonicalJson } from "../base/canonical-json.ts";
import { asFault, messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import { taskFault } from "./faults.ts";

/** One file of a folder by its path in it ("cheats/empty.py"). */
export interface FolderEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
}

/**
 * Everything below a folder, sorted by path; links are named, not followed.
 * Rejects with `task/file-refused` for what is neither file, directory nor link.
 */
export async function listFolder(folder: string): Promise<readonly FolderEntry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .map((entry) => ({ path: pathOf(folder, entry), kind: kindOf(entry) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One of the folders that a task is made of. */
export interface HashedFolder {
  readonly name: string;
  readonly folder: string;
  readonly entries: readonly FolderEntry[];
}

/**
 * One hash over the names and contents of all files and links of several folders. Times, owners
 * and modes don't count, since a copy of a repository changes them.
 */
export async function hashFolders(folders: readonly HashedFolder[]): Promise<string> {
  const lines: string[][] = [];
  for (const { name, folder, entries } of folders) {
    for (const { path, kind } of entries) {
      const full = join(folder, path);
      if (kind === "directory") lines.push([name, path, kind]);
      else if (kind === "link") lines.push([name, path, kind, sha256(await readlink(full))]);
      else lines.push([name, path, kind, await hashFile(full)]);
    }
  }
  return sha256(canonicalJson(lines));
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw asFault(error, () =>
      taskFault("file-refused", `${path} cannot be read: ${messageOf(error)}`, { cause: error }),
    );
  }
  return hash.digest("hex");
}

function pathOf(folder: string, entry: Dirent): string {
  return relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
}

function kindOf(entry: Dirent): FolderEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  const path = join(entry.parentPath, entry.name);
  throw taskFault("file-refused", `${path} is neither file nor folder: remove it`);
}
