import type { Fault } from "../base/fault.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import type { SnapshotLimits } from "../workspace/snapshot-builder.ts";
import { taskFault } from "./faults.ts";
import type { Task } from "./task.ts";

const MIB = 1024 * 1024;
/** For expected values and scripts beside the fixture. */
const OUT_BYTES = 64 * MIB;
const OUT_FILES = 1000;

/** Throws `task/fixture-refused` for what the workspace or the state of this task cannot hold. */
export function requireFits(task: Task, workspace: Snapshot, state: Snapshot): void {
  const { workspaceBytes, workspaceFiles, stateBytes = 0, stateFiles = 0 } = task.limits;
  requireSize(task, workspace, {
    ...{ what: "the fixture", where: "the workspace" },
    ...{ bytes: workspaceBytes, files: workspaceFiles },
    keys: "[environment].storage_mb or [cloche.limits].workspace_files",
  });
  if (state.entries.length === 0) return;
  requireSize(task, state, {
    ...{ what: "the services' state", where: "/state", bytes: stateBytes, files: stateFiles },
    keys: "[environment].state_mb or [cloche.limits].state_files",
  });
}

interface Room {
  readonly what: string;
  readonly where: string;
  readonly bytes: number;
  readonly files: number;
  /** Of task.toml. */
  readonly keys: string;
}

/** A tmpfs counts its root too. */
function requireSize(task: Task, { bytes, entries }: Snapshot, room: Room): void {
  if (bytes <= room.bytes && entries.length < room.files) return;
  const has = `${bytes} bytes in ${entries.length} files and folders`;
  const may = `${room.bytes} bytes and ${room.files} files`;
  throw refusedFixture(
    task,
    `${room.what} has ${has}; ${room.where} holds ${may}: raise ${room.keys}, or make it smaller`,
  );
}

/** What an author looks into first stands at the head. */
export function refusedFixture(task: Task, problem: string): Fault {
  const source = task.files.generate ?? task.fixture?.folder ?? task.folder;
  return taskFault("fixture-refused", `${source}: ${problem}`);
}

export function workspaceLimits({ limits }: Task): Required<SnapshotLimits> {
  return { ...pathLimits(limits.workspaceFiles), bytes: limits.workspaceBytes };
}

export function stateLimits({ limits }: Task): Required<SnapshotLimits> {
  return { ...pathLimits(limits.stateFiles ?? 0), bytes: limits.stateBytes ?? 0 };
}

/** Room for workspace and state, and for expected values and scripts beside them. */
export function outLimits(task: Task): Required<SnapshotLimits> {
  const [workspace, state] = [workspaceLimits(task), stateLimits(task)];
  const files = workspace.files + state.files + OUT_FILES;
  return { ...pathLimits(files), bytes: workspace.bytes + state.bytes + OUT_BYTES };
}

function pathLimits(files: number): Omit<Required<SnapshotLimits>, "bytes"> {
  return { files, entries: files, pathBytes: 1024, depth: 64 };
}
