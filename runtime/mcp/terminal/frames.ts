/** What our script in the sandbox says between the output of commands. */
export interface Frame {
  /** One letter, see driver.ts. */
  readonly kind: string;
  readonly fields: readonly string[];
}

export interface FrameSink {
  output(bytes: Buffer): void;
  frame(frame: Frame): void;
}

const START = 0x1e;
const END = 0x00;
/** The longest frame: the exported environment of a shell. A longer one is taken for output. */
export const FRAME_BYTES = 512 * 1024;

/**
 * Tells frames from output in one stream of bytes: RS, the nonce, ";", a letter, fields behind
 * ";", NUL. Whatever does not have that form is output; memory is bounded by one frame.
 */
export class FrameReader {
  readonly #prefix: Buffer;
  readonly #sink: FrameSink;
  #pending: Buffer = Buffer.alloc(0);

  constructor(nonce: string, sink: FrameSink) {
    this.#prefix = Buffer.from(`\u001e${nonce};`);
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let from = 0;
    while (rest.length > 0) {
      const start = rest.indexOf(START, from);
      if (start < 0) break;
      const candidate = rest.subarray(start);
      const length = this.#frameLength(candidate);
      if (length === "undecided") {
        this.#output(rest.subarray(0, start));
        // A copy, so that no large chunk is held for the sake of its last bytes.
        this.#pending = Buffer.from(candidate);
        return;
      }
      if (length === "none") {
        from = start + 1;
        continue;
      }
      this.#output(rest.subarray(0, start));
      this.#frame(candidate.subarray(this.#prefix.length, length - 1));
      rest = rest.subarray(start + length);
      from = 0;
    }
    this.#pending = Buffer.alloc(0);
    this.#output(rest);
  }

  /** No more will come: what was waited for is output. */
  end(): void {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    this.#output(rest);
  }

  #frameLength(candidate: Buffer): number | "undecided" | "none" {
    const known = Math.min(candidate.length, this.#prefix.length);
    if (candidate.compare(this.#prefix, 0, known, 0, known) !== 0) return "none";
    if (candidate.length < this.#prefix.length) return "undecided";
    const end = candidate.indexOf(END, this.#prefix.length);
    if (end >= 0) return end < FRAME_BYTES ? end + 1 : "none";
    return candidate.length < FRAME_BYTES ? "undecided" : "none";
  }

  #frame(body: Buffer): void {
    const [kind = "", ...fields] = body.toString("utf8").split(";");
    this.#sink.frame({ kind, fields });
  }

  #output(bytes: Buffer): void {
    if (bytes.length > 0) this.#sink.output(bytes);
  }
}
