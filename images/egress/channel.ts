import { Duplex } from "node:stream";
import { FRAME, type FrameKind, PAYLOAD_MAX } from "./frames.ts";

/** Bytes of one direction that may be on their way, or wait to be read. */
export const WINDOW = 256 * 1024;

export interface ChannelParts {
  /** Calls back once there is room for more. */
  readonly send: (kind: FrameKind, payload?: Buffer, sent?: () => void) => void;
  readonly credit: (bytes: number) => void;
  readonly idleMs?: number;
}

/** One connection, that travels in frames. Either direction ends by itself. */
export class Channel extends Duplex {
  readonly #parts: ChannelParts;
  readonly #idle: NodeJS.Timeout | undefined;
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;
  #isWanted = false;
  #credit = WINDOW;
  #onCredit: (() => void) | undefined;
  #hasEnded = { here: false, there: false };
  #wasBroken = false;

  constructor(parts: ChannelParts) {
    super({ allowHalfOpen: true });
    this.#parts = parts;
    const { idleMs } = parts;
    if (idleMs !== undefined) this.#idle = setTimeout(() => this.destroy(), idleMs).unref();
    this.on("error", () => {});
  }

  /** Whether both directions came to their end. */
  get isWhole(): boolean {
    return this.#hasEnded.here && this.#hasEnded.there;
  }

  /** @throws Error if the other end sends more than it may */
  received(bytes: Buffer): void {
    if (this.#hasEnded.there) throw new Error("bytes after the end");
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > WINDOW) throw new Error("more bytes than the window has room for");
    this.#idle?.refresh();
    this.#unread.push(Buffer.from(bytes));
    this.#give();
  }

  ended(): void {
    this.#hasEnded.there = true;
    this.#give();
  }

  /** The other end is gone. */
  broken(): void {
    this.#wasBroken = true;
    this.destroy();
  }

  /** @throws Error for more than was ever taken */
  credited(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > WINDOW) throw new Error("more room than there is");
    const go = this.#onCredit;
    this.#onCredit = undefined;
    go?.();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#give();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#idle?.refresh();
    if (this.destroyed || chunk.length === 0) {
      done();
      return;
    }
    const room = Math.min(this.#credit, PAYLOAD_MAX);
    if (room === 0) {
      this.#onCredit = () => this._write(chunk, _encoding, done);
      return;
    }
    const now = chunk.subarray(0, room);
    const rest = chunk.subarray(now.length);
    this.#credit -= now.length;
    const next = rest.length === 0 ? done : () => this._write(rest, _encoding, done);
    this.#parts.send(FRAME.data, now, next);
  }

  override _final(done: () => void): void {
    this.#hasEnded.here = true;
    this.#parts.send(FRAME.end);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    if (!this.isWhole && !this.#wasBroken) this.#parts.send(FRAME.reset);
    this.#unread.length = 0;
    this.#onCredit = undefined;
    done(error);
  }

  #give(): void {
    while (this.#isWanted && this.#unread.length > 0) {
      const bytes = this.#unread.shift() as Buffer;
      this.#unreadBytes -= bytes.length;
      this.#isWanted = this.push(bytes);
      this.#parts.credit(bytes.length);
    }
    if (this.#hasEnded.there && this.#unread.length === 0) this.push(null);
  }
}
