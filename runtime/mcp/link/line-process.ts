import { withDeadline } from "../../base/deadline.ts";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { BoxProcess } from "../../engine/engine.ts";
import { LineSplitter, type LongLine } from "./json-lines.ts";
import { ReadingPace } from "./reading-pace.ts";
import type { LinkClosed } from "./server-link.ts";

export interface LineProcessOptions {
  readonly log: Log;
  /** The longest line that is kept, in bytes. Default: a result of 8 MiB and what is around it. */
  readonly lineBytes?: number;
  /** A longer line, up to this, is withheld; then the program counts as broken. Default 256 MiB. */
  readonly longLineBytes?: number;
  /** Lines that are not what they should be before the program counts as broken. Default 1,000. */
  readonly garbageLines?: number;
}

const LINE_BYTES = 9 * 2 ** 20;
const LONG_LINE_BYTES = 256 * 2 ** 20;
const STDERR_TAIL_BYTES = 16 * 1024;
const DISPOSE_MS = 5_000;
const GARBAGE_SHOWN = 200;

export interface LineListener {
  /** `isRepaired`: bytes that are not UTF-8 became U+FFFD. */
  readonly line: (line: string, isRepaired: boolean) => void;
  /** A line that was too long to be kept. */
  readonly longLine: (line: LongLine) => void;
}

/** A program in a box that is spoken with in lines. Takes the process over. */
export class LineProcess implements AsyncDisposable {
  /** Resolves once, when the program is gone, broke or was disposed. */
  readonly closed: Promise<LinkClosed>;
  readonly #process: BoxProcess;
  readonly #log: Log;
  readonly #garbageLimit: number;
  readonly #close: (closed: LinkClosed) => void;
  #isClosed = false;
  #garbage = 0;
  #stderr = Buffer.alloc(0);

  /** `heard` hears no more once the program is closed. */
  constructor(process: BoxProcess, options: LineProcessOptions, heard: LineListener) {
    const { log, garbageLines = 1_000 } = options;
    const { promise, resolve } = Promise.withResolvers<LinkClosed>();
    this.closed = promise;
    this.#process = process;
    this.#log = log;
    this.#garbageLimit = garbageLines;
    this.#close = (closed) => {
      this.#isClosed = true;
      resolve(closed);
    };
    this.#listen(options, heard);
  }

  get stderrTail(): string {
    return this.#stderr.toString("utf8");
  }

  /** Writes a line; goes nowhere if nobody is there to read it. */
  write(line: string): void {
    if (this.#isClosed || !this.#process.stdin.writable) return;
    this.#process.stdin.write(`${line}\n`);
  }

  /** The program wrote a line that it should not have; with too many of them it is ended. */
  garbage(line: string, reason: string): void {
    this.#garbage += 1;
    if (this.#garbage <= 20) {
      const shown = line.slice(0, GARBAGE_SHOWN);
      this.#log.warn({ line: shown, length: line.length, reason }, "an MCP server wrote garbage");
    }
    if (this.#garbage > this.#garbageLimit) {
      this.break(`it wrote ${this.#garbage} lines that are no JSON-RPC, the last one: ${reason}`);
    }
  }

  /** Ends the program. Idempotent, bounded in time, never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close({ reason: "it was stopped", exitCode: null });
    const late = () => new Error(`no answer within ${DISPOSE_MS} ms`);
    try {
      await withDeadline(DISPOSE_MS, undefined, late, () => this.#process[Symbol.asyncDispose]());
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, "an MCP server could not be ended");
    }
  }

  #listen(options: LineProcessOptions, heard: LineListener): void {
    const { lineBytes = LINE_BYTES, longLineBytes = LONG_LINE_BYTES } = options;
    const { stdin, stdout, stderr, ended } = this.#process;
    const pace = new ReadingPace(stdout);
    void this.closed.then(() => pace.stop());
    let count = 0;
    const counting =
      <Line extends unknown[]>(hear: (...line: Line) => void) =>
      (...line: Line): void => {
        count += 1;
        if (!this.#isClosed) hear(...line);
      };
    const limits = { lineBytes, longLineBytes };
    const lines = new LineSplitter(limits, counting(heard.line), counting(heard.longLine));
    stdout.on("data", (chunk: Buffer) => {
      if (this.#isClosed) return;
      count = 0;
      try {
        lines.push(chunk);
      } catch (error) {
        this.break(`it wrote ${messageOf(error)}`);
      }
      if (!this.#isClosed) pace.spend(count, chunk.length);
    });
    stdout.on("end", () => {
      if (!this.#isClosed) lines.end();
      this.#outputOver();
    });
    stderr.on("data", (chunk: Buffer) => {
      const joined = Buffer.concat([this.#stderr, chunk]);
      this.#stderr = joined.subarray(Math.max(0, joined.length - STDERR_TAIL_BYTES));
    });
    for (const stream of [stdin, stdout, stderr]) stream.on("error", (error) => this.#torn(error));
    void ended.then(({ exitCode }) => {
      const how = exitCode === null ? "it is gone" : `it ended with exit code ${exitCode}`;
      this.#close({ reason: how, exitCode, isLoss: exitCode === null });
    });
  }

  /**
   * A server that closes its output but lives on can never answer again. If its standard error is over
   * too it ends, or was lost: how, the engine says when it can.
   */
  #outputOver(): void {
    if (this.#process.stderr.readableEnded) return;
    const wait = setTimeout(() => this.break("it closed its standard output"), 1_000);
    wait.unref();
    this.#process.stderr.once("end", () => clearTimeout(wait));
    void this.#process.ended.then(() => clearTimeout(wait));
  }

  /** The way in or out broke; how the process ended says more, so that gets a moment to arrive. */
  #torn(error: Error): void {
    this.#log.debug({ error: error.message }, "a stream of an MCP server broke");
    setTimeout(() => this.break(`its streams broke (${error.message})`), 1_000).unref();
  }

  /** Ends the program for what it did. */
  break(reason: string): void {
    if (this.#isClosed) return;
    this.#close({ reason, exitCode: null });
    void this.#process.kill().catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, "a broken MCP server could not be killed");
    });
  }
}
