import { Readable } from "node:stream";

/** Where contents are read from, by their sha256; a BlobFolder is one. */
export interface BlobSource {
  /** As `BlobFolder.read`. */
  read(sha256: string): Readable;
  has(sha256: string): Promise<boolean>;
  /** Where contents are given away: the file to link to, if this source has it. */
  giveable?(sha256: string): string | undefined;
  /** A small content that is at hand, which is what its name says. */
  known?(sha256: string): Buffer | undefined;
}

/** Several sources as one: the first that has a content gives it. */
export function layeredBlobs(...sources: readonly BlobSource[]): BlobSource {
  return {
    read: (sha256) => Readable.from(chunks(sources, sha256), { objectMode: false }),
    has: async (sha256) => (await holder(sources, sha256)) !== undefined,
    giveable: (sha256) => sources[0]?.giveable?.(sha256),
    known: (sha256) => {
      for (const source of sources) {
        const bytes = source.known?.(sha256);
        if (bytes !== undefined) return bytes;
      }
      return undefined;
    },
  };
}

/** A source that remembers small contents, `maxBytes` of them, once they were read to their end. */
export function rememberedBlobs(source: BlobSource, known: BlobMemory): BlobSource {
  return {
    read: (sha256) => {
      const bytes = known.get(sha256);
      if (bytes !== undefined) return Readable.from([bytes], { objectMode: false });
      return Readable.from(remembering(source, sha256, known), { objectMode: false });
    },
    has: async (sha256) => known.get(sha256) !== undefined || (await source.has(sha256)),
  };
}

/** Contents by their sha256; of those that were read long ago nothing is kept. */
export class BlobMemory {
  readonly #known = new Map<string, Buffer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(sha256: string): Buffer | undefined {
    return this.#known.get(sha256);
  }

  set(sha256: string, bytes: Buffer): void {
    if (bytes.length === 0 || bytes.length > SMALL_BYTES || this.#known.has(sha256)) return;
    this.#known.set(sha256, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#known) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#known.delete(oldest);
      this.#bytes -= length;
    }
  }
}

const SMALL_BYTES = 256 * 1024;

/** What ends without an error is what its name says: the source has checked it. */
async function* remembering(
  source: BlobSource,
  sha256: string,
  known: BlobMemory,
): AsyncIterable<Buffer> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source.read(sha256) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= SMALL_BYTES) read.push(chunk);
    yield chunk;
  }
  if (bytes <= SMALL_BYTES) known.set(sha256, Buffer.concat(read));
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
