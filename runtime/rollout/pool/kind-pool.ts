import type { SandboxNeed } from "../sandbox-source.ts";
import { Demand } from "./demand.ts";
import type { PreparedSandbox } from "./prepare-sandbox.ts";

/** One that is in the making. */
export interface Fill {
  /** Undefined if it failed; never rejects. */
  readonly made: Promise<PreparedSandbox | undefined>;
  readonly expires: Date;
  /** Somebody waits for it. */
  isClaimed: boolean;
}

/** Prepared sandboxes of one kind. What is taken is out of it. */
export class KindPool {
  readonly need: SandboxNeed;
  readonly demand: Demand;
  readonly fills = new Set<Fill>();
  /** The longest that one was asked for. */
  holdMs = 0;
  /** After a failure none is made before this. */
  retryMs = 0;
  #failures = 0;
  #ready: PreparedSandbox[] = [];

  constructor(need: SandboxNeed, memoryMs: number) {
    this.need = need;
    this.demand = new Demand(memoryMs);
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** What is there, or will be, for who asks next. */
  get held(): number {
    return this.ready + [...this.fills].filter(({ isClaimed }) => !isClaimed).length;
  }

  all(): readonly PreparedSandbox[] {
    return [...this.#ready];
  }

  push(prepared: PreparedSandbox): void {
    this.#ready.push(prepared);
  }

  /** Takes the oldest that is whole and may be held long enough. */
  pop(now: Date, holdMs: number): PreparedSandbox | undefined {
    const fit = this.#ready.find(
      ({ expires, servers }) => mayBeHeld(expires, now, holdMs) && servers.lost === undefined,
    );
    if (fit !== undefined) this.drop(fit);
    return fit;
  }

  /** Takes it off, if it is still there. */
  drop(prepared: PreparedSandbox): boolean {
    const index = this.#ready.indexOf(prepared);
    if (index >= 0) this.#ready.splice(index, 1);
    return index >= 0;
  }

  /** Takes the oldest one in the making that nobody waits for. */
  claimFill(now: Date, holdMs: number): Fill | undefined {
    const fit = [...this.fills].find(
      ({ isClaimed, expires }) => !isClaimed && mayBeHeld(expires, now, holdMs),
    );
    if (fit !== undefined) fit.isClaimed = true;
    return fit;
  }

  /** Takes off what is more than `most`, or was made before `oldestMs`. */
  surplus(most: number, oldestMs: number): readonly PreparedSandbox[] {
    const young = this.#ready.filter(({ madeMs }) => madeMs >= oldestMs);
    const kept = young.slice(Math.max(0, young.length - most));
    const gone = this.#ready.filter((prepared) => !kept.includes(prepared));
    this.#ready = kept;
    return gone;
  }

  clear(): readonly PreparedSandbox[] {
    return this.surplus(0, 0);
  }

  /** Nothing is there and nothing is wanted. */
  isIdle(nowMs: number): boolean {
    return this.ready + this.fills.size === 0 && this.demand.lastMs(nowMs) === undefined;
  }

  /** Each further failure in a row doubles the wait. */
  noteFailure(nowMs: number, wait: { readonly least: number; readonly most: number }): void {
    this.retryMs = nowMs + Math.min(wait.most, wait.least * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 20);
  }

  noteSuccess(): void {
    this.#failures = 0;
  }
}

function mayBeHeld(expires: Date, now: Date, holdMs: number): boolean {
  return expires.getTime() - now.getTime() >= holdMs;
}
