import { messageOf } from "../../base/fault.ts";
import { secret } from "../../base/id.ts";
import type { Log } from "../../base/log.ts";
import type { Box, BoxProcess, OpenOptions } from "../../engine/engine.ts";
import type { Program } from "./driver.ts";
import { type Frame, FrameReader } from "./frames.ts";

/** Who runs programs, where, and with what around them. */
export interface Place {
  readonly box: Box;
  readonly user: string;
  /** Where shells begin. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface FramedListener {
  output(bytes: Buffer): void;
  frame(frame: Frame): void;
  /** The process is gone or its streams broke; nothing follows. Called once. `byEngine`: no agent's doing. */
  lost(byEngine: boolean): void;
}

/**
 * A program in the box whose output is mixed with frames of ours. It is read as fast as it comes,
 * so it never waits for us; what is kept is the listener's affair.
 */
export class FramedProcess implements AsyncDisposable {
  readonly #process: BoxProcess;
  readonly #log: Log;
  #listener: FramedListener | undefined;

  /** Rejects as `Box.open`. */
  static async open(
    place: Place,
    { argv, opening }: Program,
    listener: FramedListener,
  ): Promise<FramedProcess> {
    const options: OpenOptions = {
      user: place.user,
      // Not the session's directory: an engine refuses one that is gone or closed to the user.
      cwd: "/",
      env: place.env,
      startsWithInput: true,
      endsFirst: true,
      signal: place.signal,
    };
    const nonce = secret();
    const process = await place.box.open(argv, options);
    const framed = new FramedProcess(process, nonce, place.log, listener);
    framed.writeInput(opening(nonce));
    return framed;
  }

  private constructor(process: BoxProcess, nonce: string, log: Log, listener: FramedListener) {
    this.#process = process;
    this.#log = log;
    this.#listener = listener;
    const frames = new FrameReader(nonce, {
      output: (bytes) => this.#listener?.output(bytes),
      frame: (frame) => this.#listener?.frame(frame),
    });
    process.stdout.on("data", (chunk: Buffer) => frames.push(chunk));
    process.stderr.resume();
    for (const stream of [process.stdin, process.stdout, process.stderr]) {
      stream.on("error", (error) => log.debug({ error: error.message }, "a shell's stream broke"));
    }
    void process.ended.then(({ isLost = false }) => {
      frames.end();
      const last = this.#listener;
      this.#listener = undefined;
      last?.lost(isLost);
    });
  }

  /** Bytes that the program has not yet read. */
  get unread(): number {
    return this.#process.stdin.writableLength;
  }

  /** Writes fields, each ended by NUL. They must not hold one. */
  write(fields: readonly string[]): void {
    this.writeInput(`${fields.join("\0")}\0`);
  }

  writeInput(text: string): void {
    if (this.#process.stdin.writable) this.#process.stdin.write(text);
  }

  endInput(): void {
    if (this.#process.stdin.writable) this.#process.stdin.end();
  }

  /** Kills the program and all that descends from it. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#process[Symbol.asyncDispose]();
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, "a shell could not be ended");
    }
    const last = this.#listener;
    this.#listener = undefined;
    last?.lost(false);
  }
}
