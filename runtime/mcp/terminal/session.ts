import { DEFAULT_SIZE, type Size, sizeVariables } from "./driver.ts";
import type { Place } from "./framed-process.ts";
import type { KeptText } from "./kept-output.ts";
import { type Call, type Finish, Shell } from "./shell.ts";

export interface CommandResult {
  readonly output: KeptText;
  readonly late: KeptText | undefined;
  /** Null if it was killed and nobody knows. */
  readonly exitCode: number | null;
  readonly ending: "done" | "interrupted" | "timed_out";
  /** The shell is gone with the command; the next one starts with a fresh shell. */
  readonly shellEnded: boolean;
  readonly cwd: string;
  readonly cwdGone: boolean;
}

export interface CommandRequest {
  readonly command: string;
  readonly timeoutMs: number;
  /** The caller no longer wants it: it is killed, or never started. */
  readonly signal: AbortSignal;
}

/** A shell under a name, that outlives the bash that it is at the moment. Commands run in order. */
export class Session implements AsyncDisposable {
  readonly name: string;
  readonly #place: Place;
  readonly #onLost: (byEngine: boolean) => void;
  #shell: Shell | undefined;
  #cwd: string;
  /** Undefined until somebody chose one. */
  #size: Size | undefined;
  /** What the shell was told. */
  #toldSize: Size | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #call: Call | undefined;
  #interrupted = false;
  #closed = false;

  constructor(name: string, place: Place, onLost: (byEngine: boolean) => void) {
    this.name = name;
    this.#place = place;
    this.#onLost = onLost;
    this.#cwd = place.cwd;
  }

  /** The directory after the last command. */
  get cwd(): string {
    return this.#cwd;
  }

  get size(): Size {
    return this.#size ?? DEFAULT_SIZE;
  }

  /** From the next command on; one that runs was started with another. Outlives the shell. */
  resize(size: Size): void {
    this.#size = size;
  }

  /** Commands under way or waiting. */
  get pending(): number {
    return this.#waiting;
  }

  /** Rejects with the signal's reason if it was aborted, or as `Box.open`. */
  run(request: CommandRequest): Promise<CommandResult> {
    return this.#inTurn(() => this.#run(request));
  }

  /** What a background command of this session inherits. */
  async inheritance(signal: AbortSignal): Promise<{ environment: string; cwd: string }> {
    return await this.#inTurn(async () => {
      signal.throwIfAborted();
      for (let attempt = 0; attempt < 3; attempt++) {
        const shell = await this.#ready();
        const asked = shell.environment();
        const stopped = await firstOf(asked, ENVIRONMENT_MS, signal);
        if (stopped !== undefined) await this.#drop(shell);
        const environment = await asked;
        signal.throwIfAborted();
        if (environment !== undefined) return { environment, cwd: this.#cwd };
      }
      throw new Error(
        `The exported environment of session "${this.name}" could not be read: it is larger than ` +
          "256 KiB, or background processes write all the time. Start it in another session.",
      );
    });
  }

  /** False if nothing runs. */
  async interrupt(): Promise<boolean> {
    if (this.#call === undefined) return false;
    this.#interrupted = true;
    await this.#shell?.interrupt();
    return true;
  }

  /** Ends the shell, what runs in it and what waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#shell?.[Symbol.asyncDispose]();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const mine = this.#turn.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #run({ command, timeoutMs, signal }: CommandRequest): Promise<CommandResult> {
    signal.throwIfAborted();
    const shell = await this.#ready();
    const call = shell.run(command);
    this.#call = call;
    this.#interrupted = false;
    try {
      const stopped = await firstOf(call.finished, timeoutMs, signal);
      if (stopped !== undefined) await shell.kill(call);
      const finish = await call.finished;
      signal.throwIfAborted();
      return this.#result(call, finish, stopped === "timed_out");
    } finally {
      this.#call = undefined;
      if (shell.ended) await this.#drop(shell);
    }
  }

  #result(call: Call, finish: Finish, timedOut: boolean): CommandResult {
    if (finish.kind === "done") this.#cwd = finish.cwd;
    const ending = timedOut ? "timed_out" : this.#interrupted ? "interrupted" : "done";
    return {
      output: call.kept.read(),
      late: call.late,
      exitCode: exitCodeOf(finish, ending),
      ending,
      shellEnded: finish.kind === "shell_ended",
      cwd: this.#cwd,
      cwdGone: finish.kind === "done" && finish.cwdGone,
    };
  }

  async #ready(): Promise<Shell> {
    if (this.#closed) throw new Error(`Session "${this.name}" was closed before this could run.`);
    if (this.#shell?.ended) await this.#drop(this.#shell);
    this.#shell ??= await this.#open();
    // Closed in the meantime: nobody else would end this shell.
    if (this.#closed) await this.#drop(this.#shell);
    if (this.#shell === undefined) return await this.#ready();
    this.#tellSize(this.#shell);
    return this.#shell;
  }

  async #open(): Promise<Shell> {
    const size = this.#size === undefined ? {} : sizeVariables(this.#size);
    this.#toldSize = this.#size;
    const place = { ...this.#place, env: { ...this.#place.env, ...size } };
    return await Shell.open(place, this.#cwd, this.#onLost);
  }

  #tellSize(shell: Shell): void {
    if (this.#size === undefined || this.#size === this.#toldSize) return;
    shell.export(sizeVariables(this.#size));
    this.#toldSize = this.#size;
  }

  async #drop(shell: Shell): Promise<void> {
    this.#shell = undefined;
    await shell[Symbol.asyncDispose]();
  }
}

/** How long an idle shell may take to say what it exports. */
const ENVIRONMENT_MS = 10_000;
/** As a shell says it for a program that SIGINT ended. */
const INTERRUPTED = 130;

function exitCodeOf(finish: Finish, ending: CommandResult["ending"]): number | null {
  if (ending === "timed_out") return null;
  if (finish.kind === "shell_ended") return finish.exitCode;
  return ending === "interrupted" ? INTERRUPTED : finish.status;
}

/** Undefined if the work was finished first; else what came before it. */
async function firstOf(
  work: Promise<unknown>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<"timed_out" | "cancelled" | undefined> {
  const { promise, resolve } = Promise.withResolvers<"timed_out" | "cancelled">();
  const timer = setTimeout(() => resolve("timed_out"), timeoutMs);
  const onAbort = () => resolve("cancelled");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work.then(() => undefined), promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
