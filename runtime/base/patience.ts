import { pause } from "./deadline.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Growing pauses between tries of one thing, until so much time has gone by since it began. */
export class Patience {
  readonly #endsMs: number;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(ms: number) {
    this.#endsMs = performance.now() + ms;
  }

  /**
   * Waits before another try, a little longer or shorter than others do; whether there is to be one.
   * Rejects with the signal's reason.
   */
  async pause(signal?: AbortSignal): Promise<boolean> {
    const ms = this.#pauseMs * (0.75 + Math.random() / 2);
    if (performance.now() + ms > this.#endsMs) return false;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    await pause(ms, signal);
    return true;
  }
}
