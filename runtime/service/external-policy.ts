import type { Clock } from "../base/clock.ts";
import type { Played, Policy, PolicyInput } from "../rollout/policy.ts";
import { Lease } from "./lease.ts";

/**
 * An agent outside, of which nothing is known but its calls. Its turn lasts until it says that it is
 * done, until its lease lapses, or until it is made to leave.
 */
export class ExternalPolicy implements Policy {
  readonly name: string;
  readonly lease: Lease;
  /** Called once the agent may call tools. */
  onServing: (() => void) | undefined;
  readonly #played = Promise.withResolvers<Played>();
  #input: PolicyInput | undefined;
  #isOver = false;

  constructor(name: string, leaseMs: number, clock: Clock) {
    this.name = name;
    this.lease = new Lease(leaseMs, clock, () => this.leave());
  }

  /** Where the agent's tools are; undefined before its turn and after. */
  get input(): PolicyInput | undefined {
    return this.#isOver ? undefined : this.#input;
  }

  /** Whether its turn has not come yet. */
  get isWaiting(): boolean {
    return this.#input === undefined;
  }

  async play(input: PolicyInput, signal: AbortSignal): Promise<Played> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#input = input;
      if (!this.#isOver) this.lease.start();
      this.onServing?.();
      return await Promise.race([this.#played.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#end();
    }
  }

  /** The agent is done. The first word counts. */
  submit(answer: string | null): void {
    this.#end();
    this.#played.resolve({ answer });
  }

  /** Nothing more is to be expected of the agent. */
  leave(): void {
    this.#end();
    this.#played.resolve({ gone: true });
  }

  #end(): void {
    this.#isOver = true;
    this.lease[Symbol.dispose]();
  }
}
