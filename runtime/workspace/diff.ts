import { shown } from "./entry-path.ts";
import type { Snapshot, SnapshotEntry } from "./snapshot.ts";

/** What is different between two snapshots. Every list is in the order of snapshots, by path. */
export interface SnapshotDiff {
  readonly schema: "cloche.diff/1";
  readonly added: readonly SnapshotEntry[];
  readonly removed: readonly SnapshotEntry[];
  /** Another content, another target, or something of another type in the same place. */
  readonly modified: readonly SnapshotChange[];
  /** The permission bits and nothing else. */
  readonly modeChanged: readonly SnapshotChange[];
}

export interface SnapshotChange {
  readonly path: string;
  readonly before: SnapshotEntry;
  readonly after: SnapshotEntry;
}

/** Compares by path; a file that was moved is one removed and one added. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDiff {
  const earlier = new Map(before.entries.map((entry) => [entry.path, entry]));
  const later = new Set(after.entries.map((entry) => entry.path));
  const changes = after.entries.flatMap((entry) => {
    const old = earlier.get(entry.path);
    return old ? [{ path: entry.path, before: old, after: entry }] : [];
  });
  const modified = changes.filter((change) => !sameContent(change.before, change.after));
  const modeChanged = changes.filter((change) => onlyModeDiffers(change.before, change.after));
  return {
    schema: "cloche.diff/1",
    added: after.entries.filter((entry) => !earlier.has(entry.path)),
    removed: before.entries.filter((entry) => !later.has(entry.path)),
    modified,
    modeChanged,
  };
}

/** Whether two snapshots say the same, byte for byte. */
export function sameSnapshot(a: Snapshot, b: Snapshot): boolean {
  const { added, removed, modified, modeChanged } = diffSnapshots(a, b);
  const skippedOf = (snapshot: Snapshot) =>
    JSON.stringify(snapshot.skipped.map(({ path, type }) => [path, type]));
  return (
    added.length + removed.length + modified.length + modeChanged.length === 0 &&
    skippedOf(a) === skippedOf(b)
  );
}

/** One line a change for a person (`+ "a.txt" (12 bytes)`), at most `maxLines`, the rest counted. */
export function describeDiff(diff: SnapshotDiff, { maxLines = 20 } = {}): readonly string[] {
  const lines = [
    ...diff.added.map((entry) => `+ ${described(entry)}`),
    ...diff.removed.map((entry) => `- ${described(entry)}`),
    ...diff.modified.map(({ before, after }) => `~ ${described(after)}, was ${formOf(before)}`),
    ...diff.modeChanged.map(
      ({ path, before, after }) => `~ ${shown(path)} mode ${modeOf(before)} to ${modeOf(after)}`,
    ),
  ];
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`];
}

function sameContent(a: SnapshotEntry, b: SnapshotEntry): boolean {
  if (a.type === "file" && b.type === "file") return a.sha256 === b.sha256 && a.size === b.size;
  if (a.type === "link" && b.type === "link") return a.target === b.target;
  return a.type === b.type;
}

function onlyModeDiffers(a: SnapshotEntry, b: SnapshotEntry): boolean {
  return sameContent(a, b) && modeOf(a) !== modeOf(b);
}

function described(entry: SnapshotEntry): string {
  return `${shown(entry.path)} (${formOf(entry)})`;
}

function formOf(entry: SnapshotEntry): string {
  if (entry.type === "file") return `${entry.size} bytes, ${entry.sha256.slice(0, 8)}`;
  return entry.type === "link" ? `link to ${shown(entry.target)}` : "directory";
}

function modeOf(entry: SnapshotEntry): string {
  return entry.type === "link" ? "" : entry.mode.toString(8).padStart(3, "0");
}
