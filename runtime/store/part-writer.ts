import { createHash } from "node:crypto";
import { link, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobSource } from "../workspace/blob-source.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { Writes } from "../workspace/writes.ts";
import { blobPath, isPartPath } from "./bundle-layout.ts";
import type { BundlePart } from "./manifest.ts";

/** Opened only when its turn comes, so that no file stays open and no error goes unheard. */
export type Source = () => Uint8Array | AsyncIterable<Uint8Array>;

/** Writes one file of a bundle; it is on the disk when all of the bundle is. */
export async function writePart(draft: string, path: string, source: Source): Promise<BundlePart> {
  if (!isPartPath(path)) throw new Error(`a bundle has no file "${path}"`);
  const file = join(draft, path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await using handle = await open(file, "wx", 0o444);
  const hash = createHash("sha256");
  let bytes = 0;
  const content = source();
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    hash.update(chunk);
    bytes += chunk.length;
    await handle.writeFile(chunk);
  }
  return { path, bytes, sha256: hash.digest("hex") };
}

/**
 * Writes the contents of the snapshots' files, each once and several at a time: as a link to the file
 * that has it where that is given away, else as a copy. Whoever opens the bundle sees that they are sound.
 */
export async function writeBlobs(
  draft: string,
  snapshots: readonly Snapshot[],
  blobs: BlobSource,
): Promise<readonly BundlePart[]> {
  const parts: BundlePart[] = [];
  const writes = new Writes();
  const folders = new Set<string>();
  const write = async (sha256: string, bytes: number) => {
    const path = blobPath(sha256);
    const linked = await isLinked(join(draft, path), blobs.giveable?.(sha256));
    const copy = () => writePart(draft, path, () => blobs.read(sha256));
    parts.push(linked ? { path, bytes, sha256 } : await copy());
  };
  try {
    for (const [sha256, bytes] of sizesOf(snapshots)) {
      const folder = dirname(join(draft, blobPath(sha256)));
      if (!folders.has(folder)) await mkdir(folder, { recursive: true, mode: 0o700 });
      folders.add(folder);
      await writes.add(write(sha256, bytes));
    }
    await writes.settle();
    return parts;
  } finally {
    await writes.ended();
  }
}

function sizesOf(snapshots: readonly Snapshot[]): ReadonlyMap<string, number> {
  const entries = snapshots.flatMap((snapshot) => snapshot.entries);
  return new Map(
    entries.flatMap((entry) =>
      entry.type === "file" ? [[entry.sha256, entry.size] as const] : [],
    ),
  );
}

/** What is not there, lies on another file system, or on one without links, is copied. */
async function isLinked(path: string, file: string | undefined): Promise<boolean> {
  if (file === undefined) return false;
  return link(file, path).then(
    () => true,
    () => false,
  );
}
