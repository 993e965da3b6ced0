/** Tiny chunks are joined from time to time: each costs far more memory than its bytes. */
const MAX_PARTS = 4_096;

/** What a stream of lines may hold before its writer counts as broken. */
export interface LineLimits {
  /** The longest line, in bytes. */
  readonly lineBytes: number;
}

/**
 * Cuts a byte stream into lines of text, whatever the chunks. Bounded: an endless line throws
 * instead of growing. A byte order mark at the start and CR before LF are dropped, invalid UTF-8
 * becomes U+FFFD, empty lines are skipped.
 */
export class LineSplitter {
  readonly #limits: LineLimits;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #first = true;

  constructor(limits: LineLimits, onLine: (line: string) => void) {
    this.#limits = limits;
    this.#onLine = onLine;
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
    this.#bytes += part.length;
    if (this.#bytes > this.#limits.lineBytes) throw new LineTooLong(this.#limits.lineBytes);
    this.#parts.push(part);
    if (this.#parts.length >= MAX_PARTS) this.#parts = [Buffer.concat(this.#parts)];
  }

  #flush(): void {
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    let line = (bytes ?? Buffer.alloc(0)).toString("utf8");
    if (this.#first && line.startsWith("\uFEFF")) line = line.slice(1);
    this.#first = false;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line !== "") this.#onLine(line);
  }
}

export class LineTooLong extends Error {
  constructor(limit: number) {
    super(`a line longer than ${limit} bytes`);
    this.name = "LineTooLong";
  }
}
