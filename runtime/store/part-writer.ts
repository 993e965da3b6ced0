import { createHash } from "node:crypto";
import { link, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobSource } from "../workspace/blob-source.ts";
import { FileThread, MANY_FILES } from "../workspace/file-thread.ts";
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
  const sizes = sizesOf(snapshots);
  const folders = new Set(
    [...sizes.keys()].map((sha256) => dirname(join(draft, blobPath(sha256)))),
  );
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  const linked = await linkBlobs(draft, [...sizes.keys()], blobs);
  const parts: BundlePart[] = [];
  const writes = new Writes();
  try {
    for (const [sha256, bytes] of sizes) {
      const path = blobPath(sha256);
      if (linked.has(sha256)) parts.push({ path, bytes, sha256 });
      else {
        const copy = writePart(draft, path, () => blobs.read(sha256));
        await writes.add(copy.then((part) => parts.push(part)));
      }
    }
    await writes.settle();
    return parts;
  } finally {
    await writes.ended();
  }
}

/** Those that could be linked. What is not there, or on another file system, is not. */
async function linkBlobs(
  draft: string,
  names: readonly string[],
  blobs: BlobSource,
): Promise<ReadonlySet<string>> {
  const given = names.flatMap((sha256) => {
    const from = blobs.giveable?.(sha256);
    return from === undefined
      ? []
      : [{ sha256, pair: [from, join(draft, blobPath(sha256))] as const }];
  });
  await using thread = given.length >= MANY_FILES ? new FileThread() : undefined;
  const linked = new Set<string>();
  for (let at = 0; at < given.length; at += BATCH) {
    const batch = given.slice(at, at + BATCH);
    const pairs = batch.map(({ pair }) => pair);
    const answers = thread
      ? (await thread.run({ kind: "link", pairs } as const)).linked
      : await Promise.all(pairs.map(([from, to]) => isLinked(to, from)));
    for (const [index, { sha256 }] of batch.entries()) if (answers[index]) linked.add(sha256);
  }
  return linked;
}

/** Of files that are linked at once. */
const BATCH = 1_024;

function sizesOf(snapshots: readonly Snapshot[]): ReadonlyMap<string, number> {
  const entries = snapshots.flatMap((snapshot) => snapshot.entries);
  return new Map(
    entries.flatMap((entry) =>
      entry.type === "file" ? [[entry.sha256, entry.size] as const] : [],
    ),
  );
}

async function isLinked(path: string, file: string): Promise<boolean> {
  return link(file, path).then(
    () => true,
    () => false,
  );
}
