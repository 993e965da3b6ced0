import { TarFormatError } from "./tar-format.ts";

/** Takes a stream apart into pieces of wanted sizes. Holds what it was given and not yet asked for. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly `size` bytes. @throws TarFormatError if the stream ends before. */
  async take(size: number): Promise<Buffer> {
    if (this.#rest.length >= size) return this.#cut(size);
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0; ) {
      const part = await this.some(missing);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts, size);
  }

  /** Between one and `most` bytes. @throws TarFormatError at the end of the stream. */
  async some(most: number): Promise<Buffer> {
    const bytes = await this.someOrEnd(most);
    if (bytes === undefined) throw new TarFormatError("the stream ended early");
    return bytes;
  }

  /** Between one and `most` bytes; undefined at the end of the stream. */
  async someOrEnd(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return this.#cut(Math.min(most, this.#rest.length));
  }

  async skip(size: number): Promise<void> {
    for (let missing = size; missing > 0; ) missing -= (await this.some(missing)).length;
  }

  #cut(size: number): Buffer {
    const bytes = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return bytes;
  }
}
