import { ClocheError } from "./cloche-error.ts";

/** Codes that mean that there is no lease to renew any more. */
const OVER = new Set(["rollout/not-serving", "rollout/unknown"]);

/**
 * Renews a lease each third of its length until it is stopped or there is no lease any more. A beat
 * that fails is followed by the next: what is lost then is for the next call to find out. It never
 * keeps a program alive.
 */
export class Heartbeat {
  readonly #everyMs: number;
  readonly #beat: (signal: AbortSignal) => Promise<unknown>;
  readonly #stopped = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(leaseMs: number, beat: (signal: AbortSignal) => Promise<unknown>) {
    this.#everyMs = leaseMs / 3;
    this.#beat = beat;
    this.#plan();
  }

  /** Idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  #plan(): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#beat(this.#stopped.signal).then(
        () => this.#plan(),
        (error) => (isOver(error) ? this.stop() : this.#plan()),
      );
    }, this.#everyMs);
    // In a browser a timer is a number.
    if (typeof this.#timer === "object") this.#timer.unref();
  }
}

function isOver(error: unknown): boolean {
  return error instanceof ClocheError && OVER.has(error.code);
}
