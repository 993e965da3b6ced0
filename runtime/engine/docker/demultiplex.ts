import type { Readable, Writable } from "node:stream";

const HEADER_BYTES = 8;

/**
 * Splits Docker's joined stream: frames of a header (stream number, three zero bytes, length as
 * 32 bits big-endian) and a payload. Waits for the slower reader, so no more than one chunk of the
 * source is buffered beyond the streams' own bounds; what is for a stream that was let go is
 * dropped, and with `hurry` what a reader is not ready for. Ends both outputs. Resolves when the
 * source has ended or broken; never rejects: a broken stream is a lost program.
 */
export async function demultiplex(
  source: Readable,
  stdout: Writable,
  stderr: Writable,
  hurry: AbortSignal,
): Promise<void> {
  const splitter = new FrameSplitter();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  source.on("data", (chunk: Buffer) => {
    for (const { stream, bytes } of splitter.push(chunk)) {
      write(stream === 2 ? stderr : stdout, bytes, hurry);
    }
    const full = [stdout, stderr].filter((out) => !isReady(out, hurry));
    if (full.length === 0) return;
    source.pause();
    void Promise.all(full.map((out) => untilReady(out, hurry))).then(() => source.resume());
  });
  // If the engine or the connection went away, the outputs end where they were cut.
  for (const end of ["end", "close", "error"]) source.on(end, () => resolve());
  await over;
  stdout.end();
  stderr.end();
}

export interface Piece {
  /** 1 is standard output, 2 standard error. */
  readonly stream: number;
  readonly bytes: Buffer;
}

/** Takes the joined stream in any slices and gives payload pieces back as they come. */
export class FrameSplitter {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #left = 0;

  *push(chunk: Buffer): Generator<Piece> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        at += this.#fillHeader(chunk, at);
        continue;
      }
      const bytes = chunk.subarray(at, at + this.#left);
      this.#left -= bytes.length;
      at += bytes.length;
      yield { stream: this.#header[0] ?? 1, bytes };
    }
  }

  #fillHeader(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#header, this.#headerFilled, at);
    this.#headerFilled += taken;
    if (this.#headerFilled === HEADER_BYTES) {
      this.#headerFilled = 0;
      this.#left = this.#header.readUInt32BE(4);
    }
    return taken;
  }
}

function write(out: Writable, bytes: Buffer, hurry: AbortSignal): void {
  if (out.destroyed || (hurry.aborted && out.writableNeedDrain)) return;
  out.write(bytes);
}

function isReady(out: Writable, hurry: AbortSignal): boolean {
  return out.destroyed || hurry.aborted || !out.writableNeedDrain;
}

async function untilReady(out: Writable, hurry: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = () => {
      out.off("drain", settle).off("close", settle);
      hurry.removeEventListener("abort", settle);
      resolve();
    };
    out.on("drain", settle).on("close", settle);
    hurry.addEventListener("abort", settle);
  });
}
