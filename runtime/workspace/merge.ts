import { comparePaths, parentOf } from "./entry-path.ts";
import type { Snapshot, SnapshotEntry } from "./snapshot.ts";

/**
 * Lays one snapshot over another: where both have a path, the overlay's entry stands; where the
 * overlay has a file or link, what the base has below that path is gone. Contents must lie in one
 * folder of blobs.
 */
export function mergeSnapshots(base: Snapshot, overlay: Snapshot): Snapshot {
  const entries = new Map(overlay.entries.map((entry) => [entry.path, entry]));
  for (const entry of base.entries) {
    if (!entries.has(entry.path) && !isCovered(entry.path, entries)) entries.set(entry.path, entry);
  }
  const sorted = [...entries.values()].sort((a, b) => comparePaths(a.path, b.path));
  return {
    schema: "cloche.snapshot/1",
    entries: sorted,
    bytes: sorted.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0),
    skipped: [...base.skipped, ...overlay.skipped].sort((a, b) => comparePaths(a.path, b.path)),
  };
}

function isCovered(path: string, entries: ReadonlyMap<string, SnapshotEntry>): boolean {
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    const entry = entries.get(parent);
    if (entry && entry.type !== "directory") return true;
  }
  return false;
}
