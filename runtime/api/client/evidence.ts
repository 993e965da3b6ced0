import { requireEnded, type ServiceApi, type Waiting } from "./service-api.ts";
import type { Regrade, RolloutEvent, RolloutRecord, RolloutView, Step } from "./wire.ts";

/** What can be read of a rollout, whoever plays it, while it goes on and afterwards. */
export abstract class RolloutEvidence {
  readonly id: string;
  readonly instruction: string;
  /** As it was when it was asked for: serving, or ended. */
  readonly view: RolloutView;
  readonly #api: ServiceApi;

  constructor(api: ServiceApi, view: RolloutView) {
    this.#api = api;
    this.view = view;
    this.id = view.id;
    this.instruction = view.instruction;
  }

  /** The final record, once it is known. */
  abstract get record(): RolloutRecord | null;

  /** The reward of the kind that was asked for; null without a grade, and before the end. */
  get reward(): number | null {
    return this.record?.reward?.[this.record.rewardKind] ?? null;
  }

  /** What happened and goes on happening, from the first event on, until it is stored. */
  events(
    options: Waiting & { readonly after?: number } = {},
  ): AsyncGenerator<RolloutEvent, void, void> {
    return this.#api.events(this.id, options.after ?? 0, options.signal);
  }

  /** Steps recorded so far, in the order in which they ended; the first `after` are left out. */
  async steps({
    after = 0,
    signal,
  }: Waiting & { readonly after?: number } = {}): Promise<readonly Step[]> {
    return await this.#api.steps(this.id, after, signal);
  }

  /** What is left of it, as a tar; once it has ended. */
  async bundle({ signal }: Waiting = {}): Promise<ReadableStream<Uint8Array>> {
    return await this.#api.bundle(this.id, signal);
  }
}

/** A rollout that has ended, whoever played it: its record, steps, events and bundle. */
export class EndedRollout extends RolloutEvidence {
  readonly #api: ServiceApi;
  readonly #record: RolloutRecord;

  /** Throws `client/not-ended` for one that goes on. */
  constructor(api: ServiceApi, view: RolloutView) {
    super(api, view);
    this.#api = api;
    this.#record = requireEnded(view);
  }

  override get record(): RolloutRecord {
    return this.#record;
  }

  /** Grades it again, with the grader in its bundle or with that of today ("current"). */
  async grade({
    grader = "recorded",
    signal,
  }: Waiting & { readonly grader?: "recorded" | "current" } = {}): Promise<Regrade> {
    return await this.#api.grade(this.id, grader, signal);
  }
}
