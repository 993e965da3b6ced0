import type { Snapshot } from "../workspace/snapshot.ts";

/** The hashes of all files of the snapshots, each once. */
export function contentsOf(...snapshots: readonly Snapshot[]): ReadonlySet<string> {
  const entries = snapshots.flatMap((snapshot) => snapshot.entries);
  return new Set(entries.flatMap((entry) => (entry.type === "file" ? [entry.sha256] : [])));
}
