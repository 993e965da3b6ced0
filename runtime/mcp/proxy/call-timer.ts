import type { Underway } from "./underway.ts";

export const DEFAULT_CALL_MS = 300_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Ends a call whose server does not answer. While the call is parked its server waits for the agent:
 * that time does not count.
 */
export class CallTimer {
  readonly #call: Underway;
  readonly #limitMs: number;
  readonly #onLate: (message: string) => void;
  #timer: NodeJS.Timeout;

  /** `onLate` is told in words that the time is over. */
  constructor(call: Underway, limitMs: number, onLate: (message: string) => void) {
    this.#call = call;
    this.#limitMs = limitMs;
    this.#onLate = onLate;
    this.#timer = this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    const ms = Math.min(this.#limitMs, LONGEST_TIMER_MS);
    return setTimeout(() => this.#over(), ms).unref();
  }

  #over(): void {
    if (this.#call.isParked) {
      this.#timer = this.#start();
      return;
    }
    this.#onLate(
      `The tool did not answer within ${this.#limitMs / 1_000} s, the time that one call may take: ` +
        "the call was cancelled. Whether it had an effect is not known.",
    );
  }
}
