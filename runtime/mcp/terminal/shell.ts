import { SHELL_PROGRAM } from "./driver.ts";
import { FramedProcess, type Place } from "./framed-process.ts";
import type { Frame } from "./frames.ts";
import { KeptOutput, type KeptText } from "./kept-output.ts";
import { signalTree } from "./process-tree.ts";

/** How a command ended: by itself, or with its shell. */
export type Finish =
  | {
      readonly kind: "done";
      readonly status: number;
      /** Letters of `$-` as the command left them. */
      readonly flags: string;
      readonly cwd: string;
      /** The directory has been removed, or moved, under the shell. */
      readonly cwdGone: boolean;
    }
  | { readonly kind: "shell_ended"; readonly exitCode: number | null };

/** A command under way. */
export interface Call {
  readonly kept: KeptOutput;
  /** What earlier background processes wrote since the last command; settled when this begins. */
  late: KeptText | undefined;
  readonly finished: Promise<Finish>;
}

interface Current {
  readonly number: number;
  readonly call: Call;
  readonly finish: (finish: Finish) => void;
  begun: { readonly since: number; readonly except: number } | undefined;
}

/** Letters that the driver switches off between commands. */
const RESTORED_FLAGS = new Set("euvx");
/** The longest path that a shell is believed. */
const PATH_CHARACTERS = 4_096;
/** How often a command is killed, and how long its shell may take each time to come back. */
const KILLS = 3;
const GRACE_MS = 2_000;

/** One bash in the box, one command at a time. The caller sees to the order. */
export class Shell implements AsyncDisposable {
  readonly #place: Place;
  #process: FramedProcess | undefined;
  #pid: number | undefined;
  #calls = 0;
  #current: Current | undefined;
  #late = new KeptOutput();
  #environment: { number: number; settle: (script: string | undefined) => void } | undefined;
  #status = 0;
  #flags = "";
  #ended: { exitCode: number | null } | undefined;
  /** Nobody said how the shell ended. */
  readonly #onLost: (byEngine: boolean) => void;

  /** Starts a shell in `cwd`, or in the place's own if that is gone. Rejects as `Box.open`. */
  static async open(
    place: Place,
    cwd: string,
    onLost: (byEngine: boolean) => void,
  ): Promise<Shell> {
    const shell = new Shell(place, onLost);
    shell.#process = await FramedProcess.open(place, SHELL_PROGRAM, {
      output: (bytes) => shell.#output(bytes),
      frame: (frame) => shell.#frame(frame),
      lost: (byEngine) => shell.#lost(byEngine),
    });
    shell.#process.write([cwd, place.cwd]);
    return shell;
  }

  private constructor(place: Place, onLost: (byEngine: boolean) => void) {
    this.#place = place;
    this.#onLost = onLost;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  run(command: string): Call {
    const { promise, resolve } = Promise.withResolvers<Finish>();
    const call: Call = { kept: new KeptOutput(), late: undefined, finished: promise };
    this.#calls += 1;
    this.#current = { number: this.#calls, call, finish: resolve, begun: undefined };
    const status = this.#flags === "" ? `${this.#status}` : `${this.#status}:${this.#flags}`;
    if (this.#ended !== undefined) this.#finish({ kind: "shell_ended", ...this.#ended });
    this.#process?.write([String(this.#calls), status, command]);
    return call;
  }

  /** The exported environment as bash reads it; undefined if the shell ended over it. */
  environment(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#calls += 1;
    this.#environment = { number: this.#calls, settle: resolve };
    if (this.#ended !== undefined) resolve(undefined);
    this.#process?.write([String(this.#calls), "environment", ""]);
    return promise;
  }

  /** Sets and exports variables before the next command. */
  export(variables: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(variables)) {
      this.#process?.write(["0", "export", `${name}=${value}`]);
    }
  }

  /** SIGINT to what the command under way started; the rest of the command is skipped. */
  async interrupt(): Promise<void> {
    await this.#signal("INT", true);
  }

  /**
   * Kills the command under way, and the shell with it if it does not come back by itself. The
   * call is finished afterwards. Its output counts up to here.
   */
  async kill(call: Call): Promise<void> {
    call.kept.seal();
    let isBack = false;
    const back = call.finished.then(() => {
      isBack = true;
    });
    // Again, since the shell may have been about to start one more program when it was told.
    for (let attempt = 0; attempt < KILLS && !isBack; attempt++) {
      await this.#signal("KILL", attempt === 0).catch(() => undefined);
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, GRACE_MS);
      await Promise.race([back, grace.promise]);
      clearTimeout(timer);
    }
    if (!isBack) await this[Symbol.asyncDispose]();
    else this.#process?.write(["0", "reap", ""]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(null);
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #signal(signal: "INT" | "KILL", skip: boolean): Promise<void> {
    const begun = this.#current?.begun;
    if (this.#pid === undefined || begun === undefined) return;
    await signalTree(this.#place, { root: this.#pid, skip, ...begun }, signal);
  }

  #output(bytes: Buffer): void {
    if (this.#current?.begun === undefined) this.#late.push(bytes);
    else this.#current.call.kept.push(bytes);
  }

  #frame({ kind, fields }: Frame): void {
    const [first = "", second = "", third = "", fourth = "", ...rest] = fields;
    if (kind === "R") this.#pid = Number(first);
    if (kind === "E") this.#end(statusOf(first));
    if (kind === "V" && Number(first) === this.#environment?.number) {
      this.#settleEnvironment(second, fields.slice(2).join(";"));
    }
    if (Number(first) !== this.#current?.number) return;
    if (kind === "B") this.#begin(this.#current, Number(second), Number(third));
    if (kind === "D") {
      this.#status = statusOf(second) ?? 0;
      this.#flags = [...third].filter((flag) => RESTORED_FLAGS.has(flag)).join("");
      const [cwd, cwdGone] = [rest.join(";").slice(0, PATH_CHARACTERS), fourth !== "1"];
      this.#finish({ kind: "done", status: this.#status, flags: this.#flags, cwd, cwdGone });
    }
  }

  #begin(current: Current, since: number, except: number): void {
    if (!Number.isFinite(since) || !Number.isFinite(except)) return;
    current.begun = { since, except };
    current.call.late = this.#late.bytes === 0 ? undefined : this.#late.read();
    this.#late = new KeptOutput();
  }

  /** Output of a background process can land in the middle of a long frame; its length tells. */
  #settleEnvironment(length: string, script: string): void {
    const bytes = Buffer.byteLength(script);
    const isWhole = Number(length) === [...script].length || Number(length) === bytes;
    this.#environment?.settle(isWhole ? script : undefined);
    this.#environment = undefined;
  }

  #lost(byEngine: boolean): void {
    const isNews = this.#ended === undefined;
    this.#end(null);
    if (isNews) this.#onLost(byEngine);
  }

  #end(exitCode: number | null): void {
    this.#ended ??= { exitCode };
    this.#finish({ kind: "shell_ended", ...this.#ended });
    this.#environment?.settle(undefined);
    this.#environment = undefined;
  }

  #finish(finish: Finish): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    // Not even its first word was read: what was written meanwhile is all there is.
    if (current.begun === undefined) current.call.late = this.#late.read();
    current.finish(finish);
  }
}

function statusOf(field: string): number | null {
  const status = Number(field);
  return Number.isInteger(status) && status >= 0 && status <= 255 ? status : null;
}
