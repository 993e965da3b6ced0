import { messageOf } from "../base/fault.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { type Reaped, type ReapOptions, reap } from "../rollout/reaper.ts";
import type { ServiceObserver } from "./service-options.ts";

/** Looks, every now and then, for what nobody owns any more, and removes it. */
export class Sweeper implements AsyncDisposable {
  /** Sandboxes that were removed because nobody owned them. */
  leaksFound = 0;
  readonly #parts: RolloutParts;
  readonly #past: Set<string>;
  readonly #observer: ServiceObserver;
  readonly #timer: NodeJS.Timeout;
  readonly #over = new AbortController();
  #underWay: Promise<unknown> = Promise.resolve();

  /** `past`: sandboxes that should be gone; those that are, are taken out of it. */
  constructor(parts: RolloutParts, past: Set<string>, periodMs: number, observer: ServiceObserver) {
    this.#parts = parts;
    this.#past = past;
    this.#observer = observer;
    this.#timer = setInterval(() => this.#look(), periodMs).unref();
  }

  /** One look, now. Rejects as `reap` does. */
  async sweep(options: ReapOptions = {}): Promise<Reaped> {
    const { signal } = this.#over;
    const leaks = await this.#removeLeaks(signal);
    const reaped = await reap(this.#parts, signal, options);
    const count = reaped.removed.length + leaks;
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

  /** Sandboxes that this process could not remove when their rollouts ended. */
  async #removeLeaks(signal: AbortSignal): Promise<number> {
    const { engine, data } = this.#parts;
    const past = [...this.#past];
    const found = await engine.find(data.owner, { signal });
    const leaks = found.filter(({ id }) => past.includes(id));
    for (const leak of leaks) await engine.remove(leak, { signal });
    for (const id of past) this.#past.delete(id);
    return leaks.length;
  }
}
