import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import type { BoxProcess, EngineCall, Sandbox } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";

/**
 * A program that waits to be told what time it is in a sandbox. Until then its programs see the
 * time of the engine's host; from then on every one of them sees the task's, which goes on at the
 * same pace (images/clock/clock.c).
 */
export interface ClockSetter extends AsyncDisposable {
  /**
   * From now on it is `now`. Once. Rejects with `engine/box-gone` if the program has ended without
   * a word, `engine/no-answer`, or the signal's reason.
   */
  set(now: Date, signal: AbortSignal): Promise<void>;
  /** Settles when the program has ended, whether it was used or not; never rejects. */
  readonly gone: Promise<void>;
}

/** The box's init alone can write there, not its group, which is the agent's too; `mv` makes it whole or absent for whoever reads it. */
const SET = `umask 022; read -r offset && printf '%s\\n' "$offset" > /run/cloche/draft \
&& /bin/mv /run/cloche/draft /run/cloche/clock && echo set`;

const SET_MS = 30_000;

/** Starts it. Rejects as `Box.open` does. */
export async function openClock(
  sandbox: Sandbox,
  clock: Clock,
  options: EngineCall = {},
): Promise<ClockSetter> {
  const argv = ["/bin/sh", "-c", SET];
  return new ShellClockSetter(
    sandbox.id,
    clock,
    await sandbox.open(argv, {
      ...{ user: "init", startsWithInput: true, tellsLoss: true },
      ...options,
    }),
  );
}

class ShellClockSetter implements ClockSetter {
  readonly gone: Promise<void>;
  readonly #sandbox: string;
  readonly #clock: Clock;
  readonly #process: BoxProcess;
  /** Its one word, sooner than the engine tells that it ended. */
  readonly #word: Promise<string>;

  constructor(sandbox: string, clock: Clock, process: BoxProcess) {
    this.#sandbox = sandbox;
    this.#clock = clock;
    this.#process = process;
    this.gone = process.ended.then(() => {});
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#word = promise;
    process.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1").trim()));
    void this.gone.then(() => resolve(""));
    process.stderr.resume();
  }

  async set(now: Date, signal: AbortSignal): Promise<void> {
    const what = `the clock of ${this.#sandbox} could not be set`;
    const late = () => engineFault("no-answer", `${what}: not done within ${SET_MS} ms`);
    const offsetMs = now.getTime() - this.#clock.now().getTime();
    const word = await withDeadline(SET_MS, signal, late, async () => {
      this.#process.stdin.end(`${BigInt(offsetMs) * 1_000_000n}\n`);
      return await this.#word;
    });
    if (word === "set") return;
    throw engineFault("box-gone", `${what}: the program that sets it ended without a word`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
