import { isUtf8 } from "node:buffer";
import { constants, type Dirent } from "node:fs";
import { open, readdir, readlink } from "node:fs/promises";
import { type Fault, messageOf } from "../base/fault.ts";
import type { BlobFolder } from "./blobs.ts";
import { shown } from "./entry-path.ts";
import { workspaceFault } from "./faults.ts";
import { leadsOut } from "./link-target.ts";
import type { Snapshot, SnapshotEntry } from "./snapshot.ts";
import { SnapshotBuilder, type SnapshotLimits } from "./snapshot-builder.ts";

export interface FolderOptions {
  /** Whether to leave out a file or a whole directory, by its path in the folder. Default: none. */
  readonly ignore?: (path: string) => boolean;
}

/**
 * Reads a folder of fixture files that a task's author wrote; contents go into `blobs`. The same
 * files give the same snapshot on every machine: of the modes only "executable" is kept (0o775 or
 * 0o664, directories 0o775).
 * @throws Fault workspace/fixture-refused, naming the file and what to do: a link that leads out of
 * the folder, a device, a pipe, a socket, a name that is not portable, more than the limits allow
 */
export async function snapshotOfFolder(
  folder: string,
  blobs: BlobFolder,
  limits: SnapshotLimits,
  { ignore = () => false }: FolderOptions = {},
): Promise<Snapshot> {
  const builder = new SnapshotBuilder(limits, {
    refused: (message) => refused(folder, message, "rename or remove it"),
    tooLarge: (message) => refused(folder, message, "make it smaller or raise the task's limits"),
  });
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const found of await list(folder, below)) {
      const path = portable(folder, below, found.name);
      if (ignore(path)) continue;
      builder.add(await entryOf(folder, path, found, builder, blobs));
      if (found.isDirectory()) pending.push(path);
    }
  }
  const snapshot = builder.finish();
  checkLinks(folder, snapshot);
  return snapshot;
}

async function list(folder: string, below: string): Promise<Dirent<Buffer>[]> {
  try {
    const options = { withFileTypes: true, encoding: "buffer" } as const;
    const found = await readdir(`${folder}/${below}`, options);
    return found.sort((a, b) => Buffer.compare(a.name, b.name));
  } catch (error) {
    throw unreadable(folder, below || ".", error);
  }
}

function portable(folder: string, below: string, name: Buffer): string {
  const path = `${below && `${below}/`}${name.toString("utf8")}`;
  if (!isUtf8(name)) {
    throw refused(folder, `the name ${shown(path)} is not UTF-8`, "rename it");
  }
  if (/\p{Cc}/u.test(path)) {
    throw refused(folder, `the name ${shown(path)} has a control character`, "rename it");
  }
  return path;
}

async function entryOf(
  folder: string,
  path: string,
  found: Dirent<Buffer>,
  builder: SnapshotBuilder,
  blobs: BlobFolder,
): Promise<SnapshotEntry> {
  if (found.isDirectory()) return { type: "directory", path, mode: 0o775 };
  if (found.isSymbolicLink()) return { type: "link", path, target: await targetOf(folder, path) };
  if (found.isFile()) return await fileOf(folder, path, builder, blobs);
  const what = found.isFIFO() ? "a pipe" : found.isSocket() ? "a socket" : "a device";
  throw refused(folder, `${shown(path)} is ${what}`, "remove it: fixtures are files and links");
}

async function targetOf(folder: string, path: string): Promise<string> {
  const target = await readlink(`${folder}/${path}`, "buffer");
  if (isUtf8(target)) return target.toString("utf8");
  throw refused(folder, `the target of the link ${shown(path)} is not UTF-8`, "change it");
}

async function fileOf(
  folder: string,
  path: string,
  builder: SnapshotBuilder,
  blobs: BlobFolder,
): Promise<SnapshotEntry> {
  await using handle = await open(`${folder}/${path}`, READ_ONLY).catch((error) => {
    throw unreadable(folder, path, error);
  });
  const { size, mode } = await handle.stat();
  builder.checkRoom(path, size);
  const chunks = handle.createReadStream({ autoClose: false });
  const blob = await blobs.put(chunks, { maxBytes: size });
  return { type: "file", path, mode: (mode & 0o100) === 0 ? 0o664 : 0o775, ...blob };
}

/** What was a file when it was listed may be a link or a pipe when it is opened. */
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function checkLinks(folder: string, { entries }: Snapshot): void {
  const links = entries.filter((entry) => entry.type === "link");
  const targets = new Map(links.map(({ path, target }) => [path, target]));
  for (const link of links) {
    if (!leadsOut(link, targets)) continue;
    const message = `the link ${shown(link.path)} leads out of the folder, to ${shown(link.target)}`;
    throw refused(folder, message, "put a copy in its place, or a relative link to a file inside");
  }
}

function unreadable(folder: string, path: string, cause: unknown): Fault {
  const message = `${shown(path)} can't be read: ${messageOf(cause)}`;
  return refused(folder, message, "check that it is there and readable", cause);
}

function refused(folder: string, what: string, remedy: string, cause?: unknown): Fault {
  const message = `the fixture folder ${shown(folder)}: ${what}; ${remedy}`;
  return workspaceFault("fixture-refused", message, { cause });
}
