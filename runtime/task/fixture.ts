import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { messageOf } from "../base/fault.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import { comparePaths } from "../workspace/entry-path.ts";
import { snapshotOfFolder } from "../workspace/folder-reader.ts";
import type { Snapshot, SnapshotEntry } from "../workspace/snapshot.ts";
import type { SnapshotLimits } from "../workspace/snapshot-builder.ts";
import { taskFault } from "./faults.ts";
import type { Task } from "./task.ts";

const MIB = 1024 * 1024;
const OUT_BYTES_MAX = 64 * MIB;
const VARIABLES = z.record(z.string(), z.string());

/** The static fixture set as every variant begins with it; empty if the task has none. */
export async function staticFixture(task: Task, blobs: BlobFolder): Promise<Snapshot> {
  if (task.fixture === null) return snapshotOf([]);
  const read = await snapshotOfFolder(task.fixture.folder, blobs, workspaceLimits(task));
  return snapshotOf(checkFixture(task, read, "").entries.map(plainMode));
}

/** Where the author's code runs: task/ with its Python, out/workspace/ with the static set. */
export async function authorFolder(
  task: Task,
  fixture: Snapshot,
  blobs: BlobFolder,
): Promise<Snapshot> {
  const { grader, generate, modules } = task.files;
  const scripts = [grader, ...(generate === null ? [] : [generate]), ...modules];
  const files = scripts.map(async (path) => {
    const blob = await blobs.put(await readFile(path));
    return { type: "file", path: `task/${basename(path)}`, mode: 0o644, ...blob } as const;
  });
  const folders = ["task", "out", "out/workspace"].map(
    (path) => ({ type: "directory", path, mode: 0o755 }) as const,
  );
  const inside = fixture.entries.map((entry) => ({
    ...entry,
    path: `out/workspace/${entry.path}`,
  }));
  return snapshotOf([...folders, ...(await Promise.all(files)), ...inside]);
}

/** What generate.py left in out/, taken apart: fixture, expected value and variables. */
export async function splitOutput(
  task: Task,
  output: Snapshot,
  blobs: BlobFolder,
): Promise<{ fixture: Snapshot; expected: string; variables: Record<string, string> }> {
  const prefix = "workspace/";
  const entries = output.entries
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => plainMode({ ...entry, path: entry.path.slice(prefix.length) }));
  const expected = await readOutput(task, output, "expected.json", blobs);
  const variables = VARIABLES.safeParse(await readOutput(task, output, "variables.json", blobs));
  if (!variables.success) throw badOutput(task, "variables.json holds no names with texts");
  return {
    fixture: checkFixture(task, snapshotOf(entries), ""),
    expected: canonicalJson(expected),
    variables: variables.data,
  };
}

/** Throws `task/fixture-refused` for what is no file, and for more than the task's limits allow. */
export function checkFixture(task: Task, snapshot: Snapshot, where: string): Snapshot {
  const source = task.files.generate ?? task.fixture?.folder ?? task.folder;
  const [skipped] = snapshot.skipped;
  if (skipped !== undefined) {
    const what = `"${skipped.path}" (${skipped.type}) cannot be in a workspace: remove it`;
    throw taskFault("fixture-refused", `${source}: ${what}`);
  }
  const { workspaceBytes, workspaceFiles } = task.limits;
  if (
    where !== "" ||
    (snapshot.bytes <= workspaceBytes && snapshot.entries.length < workspaceFiles)
  ) {
    return snapshot;
  }
  const has = `${snapshot.bytes} bytes in ${snapshot.entries.length} files and folders`;
  const may = `${workspaceBytes} bytes and ${workspaceFiles} files`;
  throw taskFault(
    "fixture-refused",
    `${source}: the fixture has ${has}; the workspace holds ${may}: raise ` +
      "[environment].storage_mb or [cloche.limits].workspace_files, or make it smaller",
  );
}

/** Room for the workspace, and for expected values and scripts beside it. */
export function outLimits(task: Task): Required<SnapshotLimits> {
  const limits = workspaceLimits(task);
  return {
    ...limits,
    bytes: limits.bytes + OUT_BYTES_MAX,
    files: limits.files + 1000,
    entries: limits.entries + 1000,
  };
}

function workspaceLimits({ limits }: Task): Required<SnapshotLimits> {
  return {
    bytes: limits.workspaceBytes,
    files: limits.workspaceFiles,
    entries: limits.workspaceFiles,
    pathBytes: 1024,
    depth: 64,
  };
}

/** As `snapshotOfFolder` has them: of a mode only "executable" is kept. */
function plainMode(entry: SnapshotEntry): SnapshotEntry {
  if (entry.type === "link") return entry;
  const mode = entry.type === "directory" || (entry.mode & 0o100) !== 0 ? 0o775 : 0o664;
  return { ...entry, mode };
}

function snapshotOf(entries: readonly SnapshotEntry[]): Snapshot {
  return {
    schema: "cloche.snapshot/1",
    entries: [...entries].sort((a, b) => comparePaths(a.path, b.path)),
    bytes: entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0),
    skipped: [],
  };
}

async function readOutput(
  task: Task,
  output: Snapshot,
  path: string,
  blobs: BlobFolder,
): Promise<unknown> {
  const entry = output.entries.find((one) => one.path === path);
  if (entry?.type !== "file") throw badOutput(task, `${path} is not there`);
  try {
    return JSON.parse((await blobs.bytes(entry.sha256, OUT_BYTES_MAX)).toString("utf8"));
  } catch (error) {
    throw badOutput(task, `${path} cannot be read: ${messageOf(error)}`);
  }
}

function badOutput(task: Task, what: string): Error {
  return taskFault("generate-failed", `${task.files.generate} left no usable output: ${what}`);
}
