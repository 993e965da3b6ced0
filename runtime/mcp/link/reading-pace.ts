import type { Readable } from "node:stream";

/** What may be read at once, and how much more each second. */
interface Pace {
  readonly lines: number;
  readonly linesPerSecond: number;
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

/** Far above what a server has to say, far below what would keep this process busy. */
const PACE: Pace = {
  lines: 2_000,
  linesPerSecond: 10_000,
  bytes: 64 * 2 ** 20,
  bytesPerSecond: 32 * 2 ** 20,
};

/**
 * Reads from one program no faster than its pace, so that a flood of one keeps nobody else waiting:
 * what is not read yet holds up its writer.
 */
export class ReadingPace {
  readonly #stream: Readable;
  readonly #pace: Pace;
  #lines: number;
  #bytes: number;
  #since = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Readable, pace: Pace = PACE) {
    this.#stream = stream;
    this.#pace = pace;
    this.#lines = pace.lines;
    this.#bytes = pace.bytes;
  }

  /** So much was read. Stops the stream for a while if that was too fast. */
  spend(lines: number, bytes: number): void {
    const { linesPerSecond, bytesPerSecond } = this.#pace;
    this.#refill();
    this.#lines -= lines;
    this.#bytes -= bytes;
    const seconds = Math.max(-this.#lines / linesPerSecond, -this.#bytes / bytesPerSecond);
    if (seconds <= 0 || this.#timer !== undefined) return;
    this.#stream.pause();
    this.#timer = setTimeout(() => this.stop(), Math.ceil(seconds * 1_000));
    this.#timer.unref();
  }

  /** Reads on at once. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.resume();
  }

  #refill(): void {
    const { lines, linesPerSecond, bytes, bytesPerSecond } = this.#pace;
    const now = performance.now();
    const seconds = (now - this.#since) / 1_000;
    this.#since = now;
    this.#lines = Math.min(lines, this.#lines + seconds * linesPerSecond);
    this.#bytes = Math.min(bytes, this.#bytes + seconds * bytesPerSecond);
  }
}
