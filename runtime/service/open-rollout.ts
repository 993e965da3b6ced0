import type { McpProxy } from "../mcp/proxy/proxy.ts";
import type { RolloutSpec, RolloutWatcher } from "../rollout/parts.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { ExternalPolicy } from "./external-policy.ts";
import type { Place } from "./queue.ts";
import type { ServiceObserver } from "./service-options.ts";

/** A rollout that has been accepted and has not ended yet, as the service holds it. */
export class OpenRollout {
  readonly spec: RolloutSpec;
  readonly policy: ExternalPolicy;
  readonly place: Place;
  /** Aborted: it is given up, in whatever phase it is. */
  readonly cancelled = new AbortController();
  /** Its final record. Rejects if that could not be written. */
  readonly ended: Promise<RolloutRecord>;
  readonly watcher: RolloutWatcher;
  /** Whether it has got a place; before, nothing of it is in the engine. */
  hasBegun = false;
  readonly #end = Promise.withResolvers<RolloutRecord>();
  #record: RolloutRecord;
  #change = Promise.withResolvers<void>();
  #proxy: McpProxy | undefined;

  constructor(
    spec: RolloutSpec,
    record: RolloutRecord,
    policy: ExternalPolicy,
    place: Place,
    observer: ServiceObserver,
  ) {
    this.spec = spec;
    this.policy = policy;
    this.place = place;
    this.#record = record;
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
    this.watcher = {
      onPhase: (phase, at) => {
        this.#record = at;
        this.noteChange();
        observer.onPhase?.(phase, at);
      },
      onStep: (step) => {
        this.#record = { ...this.#record, steps: this.#record.steps + 1 };
        this.policy.lease.callEnded();
        this.noteChange();
        observer.onStep?.(step);
      },
      onCall: () => this.policy.lease.callBegan(),
    };
  }

  get id(): string {
    return this.spec.id;
  }

  /** As it stands; its phase is "serving" from when to when the agent can call tools. */
  get record(): RolloutRecord {
    if (this.#record.phase !== "serving" || this.isServing) return this.#record;
    return { ...this.#record, phase: this.policy.isWaiting ? "seeded" : "finished" };
  }

  /** Whether it served before this process took it over, and does not yet again. */
  get isComingBack(): boolean {
    return this.#record.phase === "serving" && this.policy.isWaiting;
  }

  /** Whether the agent may call tools now. */
  get isServing(): boolean {
    return this.#record.phase === "serving" && this.policy.input !== undefined;
  }

  /** Resolves at the next step or phase. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  noteChange(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }

  /** The way in for calls that do not come through MCP; kept for as long as it serves. */
  mounted(proxy: McpProxy): void {
    this.#proxy = proxy;
  }

  unmounted(): void {
    this.#proxy = undefined;
  }

  /** Undefined unless the agent may call tools now. */
  get proxy(): McpProxy | undefined {
    return this.isServing ? this.#proxy : undefined;
  }

  /** Its record is final. */
  over(record: RolloutRecord): void {
    this.#record = record;
    this.#end.resolve(record);
    this.noteChange();
  }

  /** Its record could not be written. */
  failed(error: unknown): void {
    this.#end.reject(error);
    this.noteChange();
  }
}
