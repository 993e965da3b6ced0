import { asSeeded, contentOf } from "../workspace/archive-writer.ts";
import type { BlobSource } from "../workspace/blob-source.ts";
import type { Snapshot } from "../workspace/snapshot.ts";

/** Small pieces are joined: each write to a box costs far more than its bytes. */
const PIECE_BYTES = 64 * 1024;

/**
 * Snapshots as the grader's program takes them in (python/cloche/src/cloche/arrival.py), one after the
 * other: for each entry a line of JSON, behind a file's line its bytes, unless they came before under
 * another path (most of what an agent leaves is as it was), and at the end of each snapshot how many
 * entries it had. Modes as in `asSeeded`, directories setgid; links are left out. The same snapshots
 * give the same bytes. Fails with workspace/blob-missing or -broken if a content is not there.
 */
export async function* graderFiles(
  snapshots: readonly Snapshot[],
  blobs: BlobSource,
): AsyncGenerator<Buffer, void> {
  const sent = new Map<string, string>();
  for (const snapshot of snapshots) {
    let pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of plainFiles(snapshot, blobs, sent)) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < PIECE_BYTES) continue;
      yield Buffer.concat(pieces);
      [pieces, bytes] = [[], 0];
    }
    yield Buffer.concat(pieces);
  }
}

async function* plainFiles(
  snapshot: Snapshot,
  blobs: BlobSource,
  sent: Map<string, string>,
): AsyncGenerator<Buffer, void> {
  let entries = 0;
  for (const entry of asSeeded(snapshot).entries) {
    if (entry.type === "link") continue;
    entries += 1;
    const { path, mode } = entry;
    if (entry.type === "directory") {
      yield line({ path, mode: 0o2000 | mode });
      continue;
    }
    const known = sent.get(`${mode} ${entry.sha256}`);
    if (known !== undefined) {
      yield line({ path, as: known });
      continue;
    }
    sent.set(`${mode} ${entry.sha256}`, path);
    yield line({ path, mode, size: entry.size });
    if (entry.size > 0) yield* contentOf(entry, blobs);
  }
  yield line({ entries });
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
