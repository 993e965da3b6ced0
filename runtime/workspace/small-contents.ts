import { sha256 } from "../base/hash.ts";
import type { Blob, BlobFolder } from "./blobs.ts";
import { FileThread, MANY_FILES } from "./file-thread.ts";
import { Writes } from "./writes.ts";

/** Of contents that are held until they are written together. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Puts small contents into a folder of blobs: a few each by itself, many in batches. */
export class SmallContents implements AsyncDisposable {
  readonly #blobs: BlobFolder;
  readonly #writes = new Writes();
  #thread: FileThread | undefined;
  #batch = new Map<string, Buffer>();
  #bytes = 0;

  constructor(blobs: BlobFolder) {
    this.#blobs = blobs;
  }

  /** May wait for earlier ones. Rejects with what an earlier write failed with. */
  async add(bytes: Buffer): Promise<Blob> {
    const blob = { sha256: sha256(bytes), size: bytes.length };
    if (!this.#batch.has(blob.sha256)) {
      this.#batch.set(blob.sha256, bytes);
      this.#bytes += bytes.length;
    }
    if (this.#batch.size >= MANY_FILES || this.#bytes >= BATCH_BYTES) await this.#flush();
    return blob;
  }

  /** All are written. Rejects with what the first of them failed with. */
  async settle(): Promise<void> {
    await this.#flush();
    await this.#writes.settle();
  }

  /** What was begun ends; what is held is let go of. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writes.ended();
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    [this.#batch, this.#bytes] = [new Map(), 0];
    if (batch.size >= MANY_FILES) this.#thread ??= new FileThread();
    if (this.#thread === undefined) {
      for (const bytes of batch.values()) await this.#writes.add(this.#blobs.put(bytes));
    } else if (batch.size > 0) {
      await this.#writes.settle(); // One batch is written while the next is read.
      await this.#writes.add(this.#blobs.putBatch(batch, this.#thread));
    }
  }
}
