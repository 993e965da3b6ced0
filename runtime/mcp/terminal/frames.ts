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
const FRAME_BYTES = 512 * 1024;

/**
 * Tells frames from output in one stream of bytes: RS, the nonce, ";", a letter, fields behind
 * ";", NUL. Whatever does not have that form is output; memory is bounded by one frame.
 */
export class FrameReader {
  readonly #prefix: Buffer;
  readonly #sink: FrameSink;
  /** The begin of what may become a frame, in a buffer that grows by doubling. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;

  constructor(nonce: string, sink: FrameSink) {
    this.#prefix = Buffer.from(`\u001e${nonce};`);
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    if (this.#heldBytes === 0) {
      this.#scan(chunk);
      return;
    }
    const isFrame = this.#heldBytes >= this.#prefix.length;
    this.#hold(chunk);
    // Looked at again only when it can be decided: else single bytes would cost a scan each.
    if (isFrame && this.#heldBytes < FRAME_BYTES && !chunk.includes(END)) return;
    this.#scan(this.#release());
  }

  /** No more will come: what was waited for is output. */
  end(): void {
    this.#output(this.#release());
  }

  #scan(bytes: Buffer): void {
    let rest = bytes;
    let from = 0;
    while (rest.length > 0) {
      const start = rest.indexOf(START, from);
      if (start < 0) break;
      const candidate = rest.subarray(start);
      const length = this.#frameLength(candidate);
      if (length === "undecided") {
        this.#output(rest.subarray(0, start));
        this.#hold(candidate);
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
    this.#output(rest);
  }

  #hold(bytes: Buffer): void {
    const total = this.#heldBytes + bytes.length;
    if (total > this.#held.length) {
      const larger = Buffer.alloc(Math.max(total, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = total;
  }

  #release(): Buffer {
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    return held;
  }

  #frameLength(candidate: Buffer): number | "undecided" | "none" {
    const known = Math.min(candidate.length, this.#prefix.length);
    if (candidate.compare(this.#prefix, 0, known, 0, known) !== 0) return "none";
    if (candidate.length < this.#prefix.length) return "undecided";
    const end = candidate.indexOf(END, this.#prefix.length);
    if (end >= 0) {
      // Two begins and one end: the first was a command's, and must not swallow ours.
      const again = candidate.subarray(1, end).includes(this.#prefix);
      return end < FRAME_BYTES && !again ? end + 1 : "none";
    }
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
