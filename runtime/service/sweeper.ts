import { messageOf } from "../base/fault.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { type Reaped, type ReapOptions, reap } from "../rollout/reaper.ts";
import type { ServiceObserver } from "./service-options.ts";

/** Looks, every now and then, for what nobody owns any more, and removes it. */
export class Sweeper implements AsyncDisposable {
  /** Sandboxes that were removed because nobody owned them. */
  leaksFound = 0;
  readonly #parts: RolloutParts;
  readonly #observer: ServiceObserver;
  readonly #timer: NodeJS.Timeout;
  readonly #over = new AbortController();
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(parts: RolloutParts, periodMs: number, observer: ServiceObserver) {
    this.#parts = parts;
    this.#observer = observer;
    this.#timer = setInterval(() => this.#look(), periodMs).unref();
  }

  /** One look, now. Rejects as `reap` does. */
  async sweep(options: ReapOptions = {}): Promise<Reaped> {
    const { signal } = this.#over;
    const reaped = await reap(this.#parts, signal, options);
    for (const failed of reaped.failed) {
      this.#parts.log.warn({ ...failed }, "a sandbox could not be removed; it will be tried again");
    }
    const count = reaped.removed.length;
    this.leaksFound += count;
    if (count > 0) this.#observer.onLeaks?.(count);
    return reaped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#over.abort(new Error("the service is closed"));
    await this.#underWay;
  }

  #look(): void {
    this.#underWay = this.#underWay
      .then(() => this.sweep())
      .catch((error) => {
        this.#parts.log.warn({ error: messageOf(error) }, "leavings could not be looked for");
      });
  }
}
