/** What is left of an output: readable text and how many bytes were left out of its middle. */
export interface KeptText {
  readonly text: string;
  readonly droppedBytes: number;
}

const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 16 * 1024;

/**
 * Keeps the head and the tail of an output of any length in memory of a fixed size. What lies
 * between is counted and dropped.
 */
export class KeptOutput {
  readonly #head: Buffer[] = [];
  readonly #tail = new Tail(TAIL_BYTES);
  #headBytes = 0;
  #sealed = false;

  /** Bytes kept or dropped so far. */
  get bytes(): number {
    return this.#headBytes + this.#tail.bytes;
  }

  push(chunk: Buffer): void {
    if (this.#sealed) return;
    const room = HEAD_BYTES - this.#headBytes;
    if (room > 0) {
      // A copy, because a slice would keep the whole chunk of the stream alive.
      const part = Buffer.from(chunk.subarray(0, room));
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    if (chunk.length > room) this.#tail.push(chunk.subarray(Math.max(0, room)));
  }

  /** From now on everything is ignored, not even counted. */
  seal(): void {
    this.#sealed = true;
  }

  read(): KeptText {
    const head = Buffer.concat(this.#head);
    const { kept, dropped } = this.#tail.read();
    if (dropped === 0) return { text: readable(Buffer.concat([head, kept])), droppedBytes: 0 };
    const headEnd = wholeCharactersEnd(head);
    const tailStart = wholeCharactersStart(kept);
    const droppedBytes = dropped + (head.length - headEnd) + tailStart;
    const first = readable(head.subarray(0, headEnd));
    const last = readable(kept.subarray(tailStart));
    return { text: `${first}\n${leftOut(droppedBytes)}\n${last}`, droppedBytes };
  }
}

/** Keeps the last bytes of an output, and knows where in the whole of it they lie. */
export class Tail {
  readonly #size: number;
  #ring: Buffer | undefined;
  #bytes = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes of the whole output so far. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#ring ??= Buffer.alloc(this.#size);
    const last = chunk.subarray(Math.max(0, chunk.length - this.#size));
    const at = (this.#bytes + chunk.length - last.length) % this.#size;
    const upToEnd = last.subarray(0, this.#size - at);
    upToEnd.copy(this.#ring, at);
    last.copy(this.#ring, 0, upToEnd.length);
    this.#bytes += chunk.length;
  }

  /** The bytes from `since` (0 is the output's begin) that are still there. */
  read(since = 0): { kept: Buffer; dropped: number } {
    const start = Math.max(since, this.#bytes - this.#size, 0);
    const length = Math.max(0, this.#bytes - start);
    if (this.#ring === undefined || length === 0) return { kept: Buffer.alloc(0), dropped: 0 };
    const at = start % this.#size;
    const first = this.#ring.subarray(at, Math.min(this.#size, at + length));
    const kept = Buffer.concat([first, this.#ring.subarray(0, length - first.length)]);
    return { kept, dropped: start - since };
  }
}

/** The bytes of a tail as text, with a line in front that says what is missing. */
export function tailText(kept: Buffer, dropped: number): KeptText {
  if (dropped === 0) return { text: readable(kept), droppedBytes: 0 };
  const start = wholeCharactersStart(kept);
  const droppedBytes = dropped + start;
  return { text: `${leftOut(droppedBytes)}\n${readable(kept.subarray(start))}`, droppedBytes };
}

/**
 * Output of a program as text that can be read without a terminal: what is no UTF-8 becomes U+FFFD,
 * escape sequences and control characters go, a carriage return ends a line.
 */
export function readable(bytes: Buffer): string {
  return DECODER.decode(bytes).replace(ESCAPES, "").replace(/\r\n?/g, "\n").replace(CONTROLS, "");
}

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
/** CSI, OSC, other strings and short escapes; an unfinished string swallows one line at most. */
const ESCAPES = new RegExp(
  [
    String.raw`\u001b\[[0-?]*[ -/]*[@-~]`,
    String.raw`\u001b[\]PX^_][^\u0007\u001b\n]{0,1024}(?:\u0007|\u001b\\)?`,
    String.raw`\u001b[ -/]*[0-~]`,
  ].join("|"),
  "g",
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

function leftOut(bytes: number): string {
  return `… ${bytes.toLocaleString("en-US")} bytes left out …`;
}

/** The end of the last whole UTF-8 character, or of the bytes if they end in no UTF-8 at all. */
function wholeCharactersEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function wholeCharactersStart(bytes: Buffer): number {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return start;
}
