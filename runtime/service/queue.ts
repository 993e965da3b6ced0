import PQueue from "p-queue";
import type { Clock } from "../base/clock.ts";
import { rolloutFault } from "../rollout/faults.ts";
import { FairQueue } from "./fair-queue.ts";
import type { Caller } from "./service.ts";

/** How much may go on at once. */
export interface QueueLimits {
  /** Rollouts under way, from making the sandbox to its removal. Default 16. */
  readonly inFlight?: number;
  /** Rollouts that wait for one of these places; past it they are refused. Default 1,000. */
  readonly maxQueued?: number;
  /** Sandboxes being made. Default 4. */
  readonly creates?: number;
  /** Captures being graded. Default 4. */
  readonly grades?: number;
  /** Sandboxes being removed; they wait for nothing else. Default 4. */
  readonly removals?: number;
}

/** A queue for each stage that costs the engine something, so that none of them can starve another. */
export class StageQueues {
  /** Fair between keys; the others serve whoever comes first. */
  readonly rollouts: FairQueue;
  readonly creates: PQueue;
  readonly grades: PQueue;
  readonly removals: PQueue;

  constructor({ inFlight = 16, creates = 4, grades = 4, removals = 4 }: QueueLimits) {
    this.rollouts = new FairQueue(inFlight);
    this.creates = new PQueue({ concurrency: creates });
    this.grades = new PQueue({ concurrency: grades });
    this.removals = new PQueue({ concurrency: removals });
  }
}

/** A rollout's right to be open; given back once, when it has ended. */
export interface Place extends Disposable {
  readonly key: string;
}

const REMEMBERED = 32;
const UNKNOWN_RETRY_MS = 5_000;
const RETRY_MS = { least: 1_000, most: 60_000 } as const;

/** Counts open rollouts and refuses those for which there is no room. */
export class Room {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #byKey = new Map<string, number>();
  readonly #endedMs: number[] = [];
  #open = 0;

  constructor(clock: Clock, { inFlight = 16, maxQueued = 1_000 }: QueueLimits) {
    this.#clock = clock;
    this.#capacity = inFlight + maxQueued;
  }

  /** n places at once. @throws Fault `rollout/queue-full` or `rollout/over-limit`, with nothing taken */
  take({ key, maxOpen }: Caller, n: number): readonly Place[] {
    const mine = this.#byKey.get(key) ?? 0;
    if (maxOpen !== undefined && mine + n > maxOpen) {
      const retryAfterMs = this.#retryAfterMs(mine + n - maxOpen);
      const has = `this key has ${mine} rollouts open and may have ${maxOpen}`;
      throw rolloutFault("over-limit", `${has}: finish or cancel some before asking for ${n}`, {
        detail: { retryAfterMs, open: mine, maxOpen },
      });
    }
    if (this.#open + n > this.#capacity) {
      const retryAfterMs = this.#retryAfterMs(this.#open + n - this.#capacity);
      const full = `${this.#open} rollouts are open or wait, and there is room for ${this.#capacity}`;
      throw rolloutFault("queue-full", `${full}: ask again in ${retryAfterMs} ms`, {
        detail: { retryAfterMs },
      });
    }
    return this.takeAnyway(key, n);
  }

  /** For rollouts that were accepted before: they count, but are not refused. */
  takeAnyway(key: string, n: number): readonly Place[] {
    return Array.from({ length: n }, () => this.#place(key));
  }

  /** A rollout has ended: what the estimate of waiting times rests on. */
  noteEnd(): void {
    this.#endedMs.push(this.#clock.monotonicMs());
    if (this.#endedMs.length > REMEMBERED) this.#endedMs.shift();
  }

  #place(key: string): Place {
    this.#count(key, 1);
    let isTaken = true;
    return {
      key,
      [Symbol.dispose]: () => {
        if (isTaken) this.#count(key, -1);
        isTaken = false;
      },
    };
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#byKey.get(key) ?? 0) + change;
    if (count === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, count);
    this.#open += change;
  }

  /** When so many places will be free, if rollouts go on ending as they lately did. */
  #retryAfterMs(needed: number): number {
    const [first] = this.#endedMs;
    const ends = this.#endedMs.length - 1;
    if (first === undefined || ends < 1) return UNKNOWN_RETRY_MS;
    const each = (this.#clock.monotonicMs() - first) / ends;
    return Math.round(Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, each * needed)));
  }
}
