import { Readable } from "node:stream";

/** Where contents are read from, by their sha256; a BlobFolder is one. */
export interface BlobSource {
  /** As `BlobFolder.read`. */
  read(sha256: string): Readable;
  has(sha256: string): Promise<boolean>;
}

/** Several sources as one: the first that has a content gives it. */
export function layeredBlobs(...sources: readonly BlobSource[]): BlobSource {
  return {
    read: (sha256) => Readable.from(chunks(sources, sha256), { objectMode: false }),
    has: async (sha256) => (await holder(sources, sha256)) !== undefined,
  };
}

async function* chunks(sources: readonly BlobSource[], sha256: string): AsyncIterable<Buffer> {
  const source = (await holder(sources, sha256)) ?? sources.at(-1);
  if (source) yield* source.read(sha256);
}

async function holder(
  sources: readonly BlobSource[],
  sha256: string,
): Promise<BlobSource | undefined> {
  for (const source of sources) if (await source.has(sha256)) return source;
  return undefined;
}
