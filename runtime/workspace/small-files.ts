import { Readable } from "node:stream";
import { sha256 } from "../base/hash.ts";
import type { BlobSource } from "./blob-source.ts";
import { comparePaths } from "./entry-path.ts";
import type { Snapshot, SnapshotFile } from "./snapshot.ts";

/** A few files of ours as a snapshot with its contents in memory, to seed a box with. */
export function smallFiles(contents: Readonly<Record<string, string | Uint8Array>>): {
  readonly snapshot: Snapshot;
  readonly blobs: BlobSource;
} {
  const held = new Map<string, Buffer>();
  const entries = Object.entries(contents)
    .map(([path, content]): SnapshotFile => {
      const bytes = Buffer.from(content);
      const hash = sha256(bytes);
      held.set(hash, bytes);
      return { type: "file", path, mode: 0o644, size: bytes.length, sha256: hash };
    })
    .sort((a, b) => comparePaths(a.path, b.path));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return {
    snapshot: { schema: "cloche.snapshot/1", entries, bytes, skipped: [] },
    blobs: {
      read: (hash) => Readable.from([held.get(hash) ?? Buffer.alloc(0)], { objectMode: false }),
      has: async (hash) => held.has(hash),
    },
  };
}
