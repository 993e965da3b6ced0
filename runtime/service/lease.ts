import type { Clock } from "../base/clock.ts";

/**
 * An agent's claim on its rollout: it lapses when nothing has been heard of the agent for `ms`.
 * While a call is under way the agent waits for us, so the lease holds. Measured on the monotonic
 * clock: a wall clock that is set moves no lease.
 */
export class Lease implements Disposable {
  readonly ms: number;
  readonly #clock: Clock;
  readonly #onLapse: () => void;
  #timer: NodeJS.Timeout | undefined;
  #untilMs: number | undefined;
  #calls = 0;

  constructor(ms: number, clock: Clock, onLapse: () => void) {
    this.ms = ms;
    this.#clock = clock;
    this.#onLapse = onLapse;
  }

  /** Until when it holds without a further word, as wall clock time; null if it does not run. */
  get until(): Date | null {
    if (this.#untilMs === undefined) return null;
    const leftMs = this.#untilMs - this.#clock.monotonicMs();
    return new Date(this.#clock.now().getTime() + leftMs);
  }

  start(): void {
    this.#untilMs = this.#clock.monotonicMs() + this.ms;
    this.#arm();
  }

  /** Something was heard of the agent. Does nothing if the lease does not run. */
  renew(): void {
    if (this.#untilMs !== undefined) this.#untilMs = this.#clock.monotonicMs() + this.ms;
  }

  callBegan(): void {
    this.#calls += 1;
    this.renew();
  }

  callEnded(): void {
    this.#calls = Math.max(0, this.#calls - 1);
    this.renew();
  }

  /** Ends it without a lapse. Idempotent. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#untilMs = undefined;
  }

  #arm(): void {
    if (this.#untilMs === undefined) return;
    const leftMs = Math.max(1, this.#untilMs - this.#clock.monotonicMs());
    this.#timer = setTimeout(() => this.#onTime(), leftMs);
  }

  #onTime(): void {
    if (this.#untilMs === undefined) return;
    if (this.#calls > 0) this.renew();
    if (this.#untilMs > this.#clock.monotonicMs()) {
      this.#arm();
      return;
    }
    this[Symbol.dispose]();
    this.#onLapse();
  }
}
