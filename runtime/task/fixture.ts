import { lstat, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { messageOf } from "../base/fault.ts";
import { asSeeded } from "../workspace/archive-writer.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import { comparePaths } from "../workspace/entry-path.ts";
import { snapshotOfFolder } from "../workspace/folder-reader.ts";
import type { Snapshot, SnapshotEntry } from "../workspace/snapshot.ts";
import { taskFault } from "./faults.ts";
import { refusedFixture, requireFits, stateLimits, workspaceLimits } from "./fixture-limits.ts";
import { STATE_PART, WORKSPACE_PART } from "./fixture-set.ts";
import { stateFoldersOf } from "./state-folders.ts";
import type { Task } from "./task.ts";

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const VARIABLES = z.record(z.string(), z.string());

/** What a variant begins with. */
export interface Fixture {
  /** Of the workspace's modes only "executable" is kept. */
  readonly fixture: Snapshot;
  /** A folder for each that the task's servers work on; private modes. */
  readonly state: Snapshot;
}

/** The static fixture set as every variant begins with it; empty if the task has none. */
export async function staticFixture(task: Task, blobs: BlobFolder): Promise<Fixture> {
  const workspace = await partOf(task, WORKSPACE_PART, async (folder) =>
    snapshotOfFolder(folder, blobs, workspaceLimits(task)),
  );
  // A set may be shared with tasks that have more services.
  const wanted = stateFoldersOf(task.servers);
  const ignore = (path: string) => !wanted.includes(topOf(path));
  const state = await partOf(task, STATE_PART, async (folder) =>
    snapshotOfFolder(folder, blobs, stateLimits(task), { ignore }),
  );
  return fixtureOf(task, workspace, state);
}

/** Where the author's code runs: task/ with its Python, out/ with the static set in its parts. */
export async function authorFolder(
  task: Task,
  { fixture, state }: Fixture,
  blobs: BlobFolder,
): Promise<Snapshot> {
  const { grader, generate, modules } = task.files;
  const scripts = [grader, ...(generate === null ? [] : [generate]), ...modules];
  const files = scripts.map(async (path) => {
    const blob = await blobs.put(await readFile(path));
    return { type: "file", path: `task/${basename(path)}`, mode: 0o644, ...blob } as const;
  });
  const folders = ["task", "out", `out/${WORKSPACE_PART}`, `out/${STATE_PART}`].map(
    (path) => ({ type: "directory", path, mode: 0o755 }) as const,
  );
  return snapshotOf([
    ...folders,
    ...(await Promise.all(files)),
    ...below(`out/${WORKSPACE_PART}`, fixture.entries),
    ...below(`out/${STATE_PART}`, state.entries),
  ]);
}

/** What generate.py left in out/, taken apart: fixture, state, expected value and variables. */
export async function splitOutput(
  task: Task,
  output: Snapshot,
  blobs: BlobFolder,
): Promise<Fixture & { expected: string; variables: Record<string, string> }> {
  const [skipped] = output.skipped;
  if (skipped !== undefined) {
    const place = topOf(skipped.path) === STATE_PART ? "a service's state" : "a workspace";
    const what = `"${skipped.path}" (${skipped.type}) cannot be in ${place}: remove it`;
    throw refusedFixture(task, what);
  }
  const expected = await readOutput(task, output, "expected.json", blobs);
  const variables = VARIABLES.safeParse(await readOutput(task, output, "variables.json", blobs));
  if (!variables.success) throw badOutput(task, "variables.json holds no names with texts");
  const state = inside(STATE_PART, output);
  requireState(task, state);
  return {
    ...fixtureOf(task, inside(WORKSPACE_PART, output), state),
    expected: canonicalJson(expected),
    variables: variables.data,
  };
}

async function partOf(
  task: Task,
  part: string,
  read: (folder: string) => Promise<Snapshot>,
): Promise<readonly SnapshotEntry[]> {
  if (task.fixture === null) return [];
  const folder = join(task.fixture.folder, part);
  const there = await lstat(folder).catch(() => undefined);
  return there === undefined ? [] : (await read(folder)).entries;
}

/** The services' folders are there also if nothing is in them: not every service makes its own. */
function fixtureOf(
  task: Task,
  workspace: readonly SnapshotEntry[],
  state: readonly SnapshotEntry[],
): Fixture {
  const fixture = snapshotOf(workspace.map(plainMode));
  const paths = new Set(state.map(({ path }) => path));
  const missing = stateFoldersOf(task.servers)
    .filter((path) => !paths.has(path))
    .map((path) => ({ type: "directory", path, mode: 0o700 }) as const);
  const all = asSeeded(snapshotOf([...state, ...missing]), "private");
  requireFits(task, fixture, all);
  return { fixture, state: all };
}

/** What a generator made for a service that the task does not have would be lost without a word. */
function requireState(task: Task, state: readonly SnapshotEntry[]): void {
  const wanted = stateFoldersOf(task.servers);
  for (const { path, type } of state) {
    if (type === "link") {
      const what = `state/${path} is a link: services follow none, write the file itself there`;
      throw refusedFixture(task, what);
    }
    if (wanted.includes(topOf(path)) && (type === "directory" || path.includes("/"))) continue;
    const kept = wanted.length === 0 ? "none" : `only the folders ${wanted.join(", ")}`;
    throw refusedFixture(
      task,
      `state/${path} would be read by no service: the task's servers keep ${kept} in /state; ` +
        "name the server in task.toml, or write it elsewhere",
    );
  }
}

function below(folder: string, entries: readonly SnapshotEntry[]): SnapshotEntry[] {
  return entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));
}

function inside(folder: string, { entries }: Snapshot): SnapshotEntry[] {
  const prefix = `${folder}/`;
  return entries
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
}

function topOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
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
    return JSON.parse((await blobs.bytes(entry.sha256, OUTPUT_BYTES_MAX)).toString("utf8"));
  } catch (error) {
    throw badOutput(task, `${path} cannot be read: ${messageOf(error)}`);
  }
}

function badOutput(task: Task, what: string): Error {
  return taskFault("generate-failed", `${task.files.generate} left no usable output: ${what}`);
}
