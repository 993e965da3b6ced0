/**
 * Cuts bytes into lines at "\n" and nowhere else: Node's readline also cuts at U+2028, which JSON
 * holds as it is. A line is handed over with its end.
 */
export class CutLines {
  readonly #lineBytes: number;
  readonly #onLine: (line: Buffer) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(lineBytes: number, onLine: (line: Buffer) => void) {
    this.#lineBytes = lineBytes;
    this.#onLine = onLine;
  }

  /** Throws once a line is longer than it may be; nothing may be pushed after that. */
  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (end === -1) break;
      this.#take(chunk.subarray(from, end + 1));
      const line = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      this.#parts = [];
      this.#bytes = 0;
      this.#onLine(line ?? Buffer.alloc(0));
      from = end + 1;
    }
    if (from < chunk.length) this.#take(chunk.subarray(from));
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#lineBytes) {
      throw new RangeError(`a line longer than ${this.#lineBytes} bytes`);
    }
    this.#parts.push(part);
  }
}
