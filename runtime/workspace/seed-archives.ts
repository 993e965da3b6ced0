import { Readable } from "node:stream";
import { type Access, snapshotArchive } from "./archive-writer.ts";
import type { BlobSource } from "./blob-source.ts";
import type { Snapshot } from "./snapshot.ts";

/** A larger one is read anew each time. */
const KEPT_BYTES = 2 * 1024 * 1024;
/** Who unpacks it owns what is in it. */
const NOBODY = { uid: 0, gid: 0 };

/**
 * Archives for seeders. Rollouts of one variant are seeded with the same bytes, so those of a small
 * snapshot are kept for as long as somebody holds the snapshot itself.
 */
export class SeedArchives {
  readonly #kept = new WeakMap<Snapshot, Buffer>();

  /**
   * As `snapshotArchive`, without an owner; fails as it does. One snapshot is always asked for with
   * the same access.
   */
  open(snapshot: Snapshot, blobs: BlobSource, access: Access = "shared"): Readable {
    const kept = this.#kept.get(snapshot);
    if (kept !== undefined) return Readable.from([kept], { objectMode: false });
    const archive = snapshotArchive(snapshot, blobs, { ...NOBODY, access });
    if (snapshot.bytes > KEPT_BYTES) return archive;
    return Readable.from(this.#keeping(snapshot, archive), { objectMode: false });
  }

  async *#keeping(snapshot: Snapshot, archive: Readable): AsyncGenerator<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      yield chunk;
    }
    this.#kept.set(snapshot, Buffer.concat(chunks));
  }
}
