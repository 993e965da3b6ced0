import { apiFault } from "./faults.ts";

const RETRY_AFTER_MS = 10_000;

/** Room for long work and for what waits for it, and for no more than that. */
export class Slots {
  readonly #most: number;
  #inside = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Holds a place until it is disposed. @throws `api/grades-full` */
  enter(): Disposable {
    if (this.#inside >= this.#most) {
      const message = `${this.#most} bundles are being graded again; wait for one of them`;
      throw apiFault("grades-full", message, { detail: { retryAfterMs: RETRY_AFTER_MS } });
    }
    this.#inside++;
    return { [Symbol.dispose]: () => void this.#inside-- };
  }
}
