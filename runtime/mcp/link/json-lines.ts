import { isUtf8 } from "node:buffer";
import { createHash, type Hash } from "node:crypto";

/** Tiny chunks are joined from time to time: each costs far more memory than its bytes. */
const MAX_PARTS = 4_096;
/** Of a line that is too long to be kept. */
const HEAD_BYTES = 4_096;
const TAIL_BYTES = 1_024;

/** What a stream of lines may hold before its writer counts as broken. */
export interface LineLimits {
  /** The longest line, in bytes. */
  readonly lineBytes: number;
  /** A longer line, up to this, is not kept but told of. Default: there is none. */
  readonly longLineBytes?: number;
}

/** What is known of a line that was too long to be kept. */
export interface LongLine {
  readonly bytes: number;
  readonly sha256: string;
  /** Its first 4 KiB, or what of them could be kept, and its last KiB. */
  readonly head: string;
  readonly tail: string;
}

/**
 * Cuts a byte stream into lines of text, whatever the chunks. Bounded: an endless line throws
 * instead of growing. A byte order mark at the start and CR before LF are dropped, invalid UTF-8
 * becomes U+FFFD, which the listener is told, empty lines are skipped.
 */
export class LineSplitter {
  readonly #limits: Required<LineLimits>;
  readonly #onLine: (line: string, isRepaired: boolean) => void;
  readonly #onLong: (line: LongLine) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #long: { readonly hash: Hash; readonly head: Buffer; tail: Buffer } | undefined;
  #first = true;

  constructor(
    limits: LineLimits,
    onLine: (line: string, isRepaired: boolean) => void,
    onLong: (line: LongLine) => void = () => {},
  ) {
    this.#limits = { longLineBytes: limits.lineBytes, ...limits };
    this.#onLine = onLine;
    this.#onLong = onLong;
  }

  /** @throws LineTooLong once a line is over the limit; nothing may be pushed after that. */
  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (end === -1) break;
      this.#take(chunk.subarray(from, end));
      this.#flush();
      from = end + 1;
    }
    if (from < chunk.length) this.#take(chunk.subarray(from));
  }

  /** What came after the last line's end is a line as well, if the stream is over. */
  end(): void {
    if (this.#bytes > 0) this.#flush();
  }

  #take(part: Buffer): void {
    const { lineBytes, longLineBytes } = this.#limits;
    this.#bytes += part.length;
    if (this.#bytes > Math.max(lineBytes, longLineBytes)) {
      this.#parts = [];
      throw new LineTooLong(Math.max(lineBytes, longLineBytes));
    }
    if (this.#bytes > lineBytes) {
      this.#skip(part);
      return;
    }
    this.#parts.push(part);
    if (this.#parts.length >= MAX_PARTS) this.#parts = [Buffer.concat(this.#parts)];
  }

  /** From here on nothing of this line is kept but its hash, its beginning and its end. */
  #skip(part: Buffer): void {
    const parts = [...this.#parts, part];
    this.#parts = [];
    this.#long ??= {
      hash: createHash("sha256"),
      head: headOf(parts),
      tail: Buffer.alloc(0),
    };
    for (const one of parts) {
      this.#long.hash.update(one);
      const tail = Buffer.concat([this.#long.tail, one.subarray(-TAIL_BYTES)]);
      this.#long.tail = Buffer.from(tail.subarray(-TAIL_BYTES));
    }
  }

  #flush(): void {
    const long = this.#long;
    if (long !== undefined) {
      const bytes = this.#bytes;
      this.#long = undefined;
      this.#bytes = 0;
      this.#first = false;
      const [head, tail] = [long.head.toString("utf8"), long.tail.toString("utf8").trimEnd()];
      this.#onLong({ bytes, sha256: long.hash.digest("hex"), head, tail });
      return;
    }
    const [only = Buffer.alloc(0)] = this.#parts;
    const bytes = this.#parts.length <= 1 ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    let line = bytes.toString("utf8");
    if (this.#first && line.startsWith("\uFEFF")) line = line.slice(1);
    this.#first = false;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line !== "") this.#onLine(line, !isUtf8(bytes));
  }
}

/** A copy: what it is cut from is let go of. */
function headOf(parts: readonly Buffer[]): Buffer {
  const head: Buffer[] = [];
  let room = HEAD_BYTES;
  for (const part of parts) {
    if (room <= 0) break;
    head.push(part.subarray(0, room));
    room -= part.length;
  }
  return Buffer.concat(head);
}

export class LineTooLong extends Error {
  constructor(limit: number) {
    super(`a line longer than ${limit} bytes`);
    this.name = "LineTooLong";
  }
}
