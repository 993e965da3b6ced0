import { JOB_PROGRAM } from "./driver.ts";
import { FramedProcess, type Place } from "./framed-process.ts";
import type { Frame } from "./frames.ts";
import { type KeptText, Tail, tailText } from "./kept-output.ts";
import { signalTree } from "./process-tree.ts";

export interface JobStart {
  readonly id: string;
  readonly session: string;
  readonly command: string;
  readonly cwd: string;
  /** The session's exported environment, as bash reads it. */
  readonly environment: string;
}

export type JobStatus =
  | { readonly state: "running" }
  | { readonly state: "exited"; readonly exitCode: number | null };

export interface JobOutput extends KeptText {
  readonly status: JobStatus;
  /** Give it as `since` to go on from here; what was read without `since` goes on by itself. */
  readonly next: number;
}

/** Kept of a job's output; a longer one loses its beginning. */
const TAIL_BYTES = 32 * 1024;
/** How long a job may take to end by itself when it is stopped. */
const STOP_MS = 2_000;
const INPUT_BYTES = 1024 * 1024;

/** A command in the background, an exec of its own. */
export class Job implements AsyncDisposable {
  readonly id: string;
  readonly session: string;
  readonly command: string;
  readonly #place: Place;
  readonly #tail = new Tail(TAIL_BYTES);
  readonly #onLost: (byEngine: boolean) => void;
  #process: FramedProcess | undefined;
  #pid: number | undefined;
  #status: JobStatus = { state: "running" };
  #read = 0;
  #changed = Promise.withResolvers<void>();
  #inputEnded = false;

  /** Rejects as `Box.open`. */
  static async open(
    place: Place,
    start: JobStart,
    onLost: (byEngine: boolean) => void,
  ): Promise<Job> {
    const job = new Job(place, start, onLost);
    job.#process = await FramedProcess.open(place, JOB_PROGRAM, {
      output: (bytes) => job.#output(bytes),
      frame: (frame) => job.#frame(frame),
      lost: (byEngine) => job.#lost(byEngine),
    });
    job.#process.write([start.environment, start.cwd, start.command]);
    return job;
  }

  private constructor(place: Place, start: JobStart, onLost: (byEngine: boolean) => void) {
    this.id = start.id;
    this.session = start.session;
    this.command = start.command;
    this.#place = place;
    this.#onLost = onLost;
  }

  get status(): JobStatus {
    return this.#status;
  }

  /** What came since `since` (bytes) or the last read; waits up to `waitMs` for it, or the end. */
  async read(waitMs: number, since: number | undefined, signal: AbortSignal): Promise<JobOutput> {
    const from = Math.min(since ?? this.#read, this.#tail.bytes);
    if (this.#tail.bytes === from && this.#status.state === "running" && waitMs > 0) {
      await this.#change(waitMs, signal);
    }
    const { kept, dropped } = this.#tail.read(from);
    this.#read = this.#tail.bytes;
    return { ...tailText(kept, dropped), status: this.#status, next: this.#read };
  }

  /** False if the job has ended, its input was closed, or it leaves too much unread. */
  write(text: string, end: boolean): "written" | "closed" | "unread" {
    const process = this.#process;
    if (process === undefined || this.#inputEnded || this.#status.state !== "running") {
      return "closed";
    }
    if (process.unread + text.length > INPUT_BYTES) return "unread";
    if (text !== "") process.writeInput(text);
    this.#inputEnded = end;
    if (end) process.endInput();
    return "written";
  }

  /** SIGTERM, then SIGKILL for what is left. */
  async stop(): Promise<void> {
    if (this.#status.state === "running" && this.#pid !== undefined) {
      const tree = { root: this.#pid, since: 0, except: 0, skip: false };
      await signalTree(this.#place, tree, "TERM").catch(() => undefined);
      const until = AbortSignal.timeout(STOP_MS);
      while (this.#status.state === "running" && !until.aborted) await this.#change(STOP_MS, until);
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(null);
    await this.#process?.[Symbol.asyncDispose]();
  }

  #output(bytes: Buffer): void {
    this.#tail.push(bytes);
    this.#notify();
  }

  #frame({ kind, fields: [first = ""] }: Frame): void {
    if (kind === "R") this.#pid = Number(first);
    if (kind === "E") this.#end(Number(first));
  }

  #lost(byEngine: boolean): void {
    const isNews = this.#status.state === "running";
    this.#end(null);
    if (isNews) this.#onLost(byEngine);
  }

  #end(exitCode: number | null): void {
    if (this.#status.state === "running") this.#status = { state: "exited", exitCode };
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #change(waitMs: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, waitMs);
    const onAbort = () => over.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([this.#changed.promise, over.promise]);
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
