import { apiFault } from "./faults.ts";

const RETRY_AFTER_MS = 10_000;

/** Room for long work: some of it at once, some more that waits, and no more than that. */
export class Slots {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #inside = 0;

  /** `most` at once in all, of which `running` may be in `run`. */
  constructor(running: number, most: number) {
    this.#free = running;
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

  /** Runs the work once there is a slot for it, in the order of asking. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
