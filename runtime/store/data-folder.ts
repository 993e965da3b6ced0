import { access, constants, link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { sweepDrafts } from "../base/draft.ts";
import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import { storeFault } from "./faults.ts";

/** Where everything that Cloche keeps lies. Paths are absolute; all folders exist. */
export interface DataFolder {
  readonly path: string;
  /** A random id made with the folder; the engine's labels carry it (`cloche.owner`). */
  readonly owner: string;
  /** The file for `RecordStore.open`. */
  readonly database: string;
  /** One folder for each rollout under way. */
  readonly rollouts: string;
  /** Finished bundles, each named by its id. */
  readonly bundles: string;
  /** Steps of rollouts that left no bundle, `<id>.jsonl`. */
  readonly steps: string;
  /** Contents of workspaces, for workspace's `BlobFolder`. */
  readonly blobs: string;
  /** What can be made again. */
  readonly cache: string;
  readonly log: string;
}

const FOLDERS = ["rollouts", "bundles", "steps", "blobs", "cache", "log"] as const;
const OWNER = /^data-[0-9a-z]{16}$/;

/**
 * Opens a data folder, making what is missing (mode 0700), and clears away what processes that
 * died while writing have left half done. Safe with several processes at once.
 * Rejects with `store/folder-unusable` or `store/folder-damaged`.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const root = resolve(path);
  try {
    await makeFolder(root);
    for (const name of FOLDERS) await makeFolder(join(root, name));
    for (const name of ["", ...FOLDERS]) await requireWritable(join(root, name));
    const owner = await ownerOf(join(root, "owner"));
    await sweepDrafts(join(root, "bundles"));
    await sweepDrafts(join(root, "cache"));
    const folders = Object.fromEntries(FOLDERS.map((name) => [name, join(root, name)]));
    const paths = folders as Record<(typeof FOLDERS)[number], string>;
    return { path: root, owner, database: join(root, "cloche.db"), ...paths };
  } catch (error) {
    throw asFault(error, unusable(root));
  }
}

/** The folder of one rollout's work in progress, made if absent. */
export async function rolloutFolder(folder: DataFolder, rolloutId: string): Promise<string> {
  const path = join(folder.rollouts, rolloutId);
  try {
    await makeFolder(path);
    return path;
  } catch (error) {
    throw unusable(folder.path)(error);
  }
}

/** Node's own recursive mkdir never returns where a file system makes no folders, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch(unlessThere);
  }
}

async function requireWritable(path: string): Promise<void> {
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is not a folder`);
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** Written whole under another name and then linked, so no process ever reads a half id. */
async function ownerOf(path: string): Promise<string> {
  const known = await readOwner(path);
  if (known !== undefined) return known;
  const draft = `${path}.${namedId("draft")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${namedId("data")}\n`);
    await file.sync();
    await link(draft, path).catch(unlessThere);
  } finally {
    await file.close();
    await unlink(draft);
  }
  const owner = await readOwner(path);
  if (owner === undefined) throw new Error(`${path} vanished while it was made`);
  return owner;
}

async function readOwner(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (OWNER.test(text)) return text;
  throw storeFault(
    "folder-damaged",
    `${path} does not hold the id of this data folder; without it sandboxes cannot be told from ` +
      "another folder's: restore it, or start with a new data folder",
  );
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

function unusable(path: string): (error: unknown) => Fault {
  return (error) => {
    const message =
      `the data folder ${path} cannot be used: ${messageOf(error)}; ` +
      "give a folder that you may write with --data";
    return storeFault("folder-unusable", message, { cause: error });
  };
}
