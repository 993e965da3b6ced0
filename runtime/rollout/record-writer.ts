import { asFault, type Fault, faultRecord } from "../base/fault.ts";
import type { Outcome, Phase, RolloutRecord } from "../store/record.ts";
import { splitOf } from "../task/task.ts";
import { outcomeOf, rewardOfFailure } from "./outcome.ts";
import { imagesFor, type RolloutParts, type RolloutSpec, type RolloutWatcher } from "./parts.ts";

/** A rollout's record as it grows. Each phase reached is written down before anything goes on. */
export class RecordWriter {
  readonly #parts: RolloutParts;
  readonly #watcher: RolloutWatcher;
  readonly #startedMs: number;
  #record: RolloutRecord;
  /** Kept back until the end: a stored outcome is final. */
  #outcome: Outcome | null = null;

  private constructor(
    start: { readonly record: RolloutRecord; readonly atMs: number },
    parts: RolloutParts,
    watcher: RolloutWatcher,
  ) {
    this.#parts = parts;
    this.#watcher = watcher;
    this.#startedMs = start.atMs;
    this.#record = start.record;
    const { fault, ending } = start.record;
    if (fault !== null) this.#outcome = outcomeOf(fault.blame);
    else if (ending?.kind === "cancelled") this.#outcome = "cancelled";
  }

  /** Writes the record of a rollout that has been asked for: from here on it will end in one. */
  static async begin(
    spec: RolloutSpec,
    parts: RolloutParts,
    watcher: RolloutWatcher,
  ): Promise<RecordWriter> {
    const atMs = spec.accepted?.atMs ?? parts.clock.monotonicMs();
    const record = spec.accepted?.record ?? firstRecord(spec, parts);
    const writer = new RecordWriter({ record, atMs }, parts, watcher);
    if (!spec.accepted) await writer.reach("requested");
    return writer;
  }

  /** Takes over the record of a rollout whose process died; it is this process's from here on. */
  static async resume(
    left: RolloutRecord,
    parts: RolloutParts,
    watcher: RolloutWatcher,
  ): Promise<RecordWriter> {
    const record = { ...left, process: parts.process };
    await parts.records.put(record);
    const agoMs = parts.clock.now().getTime() - Date.parse(left.requestedAt);
    const atMs = parts.clock.monotonicMs() - Math.max(0, agoMs);
    return new RecordWriter({ record, atMs }, parts, watcher);
  }

  get record(): RolloutRecord {
    return this.#record;
  }

  /** Adds what has become known; written with the next phase. */
  note(facts: Partial<RolloutRecord>): void {
    this.#record = { ...this.#record, ...facts };
  }

  /** Writes down that a phase was reached, and when first, and tells who looks on. */
  async reach(phase: Phase): Promise<void> {
    this.#stamp(phase);
    await this.#parts.records.put(this.#record);
    this.#tell(phase);
  }

  /**
   * As `reach`, but written with the next phase only: where that one follows at once, and a crash in
   * between is treated as one in the phase before.
   */
  pass(phase: Phase): void {
    this.#stamp(phase);
    this.#tell(phase);
  }

  #stamp(phase: Phase): void {
    const ms = Math.round((this.#parts.clock.monotonicMs() - this.#startedMs) * 10) / 10;
    this.note({ phase, reachedMs: { [phase]: ms, ...this.#record.reachedMs } });
  }

  #tell(phase: Phase): void {
    const { id, reachedMs } = this.#record;
    this.#parts.log.info({ rollout: id, phase, ms: reachedMs[phase] }, "phase reached");
    this.#watcher.onPhase?.(phase, this.#record);
  }

  /** The first failure decides outcome and reward; a reward that was known before is void. */
  fail(fault: Fault): void {
    if (this.#record.fault !== null) return;
    this.#outcome = outcomeOf(fault.blame);
    this.note({ fault: faultRecord(fault), reward: rewardOfFailure(this.#outcome) });
  }

  /** The caller gave it up; a failure before that goes first. */
  cancel(): void {
    if (this.#record.fault !== null) return;
    this.#outcome = "cancelled";
    this.note({ ending: { kind: "cancelled" }, reward: null });
  }

  /** The outcome, if it were to end now. */
  get outcome(): Outcome {
    return this.#outcome ?? "graded";
  }

  /** The last word: written once, never changed afterwards. */
  async end(): Promise<RolloutRecord> {
    this.note({ outcome: this.outcome, endedAt: this.#parts.clock.now().toISOString() });
    await this.reach("stored");
    const { id, outcome, fault, reward } = this.#record;
    this.#parts.log[fault ? "error" : "info"](
      { rollout: id, outcome, fault, reward },
      "rollout ended",
    );
    return this.#record;
  }
}

/**
 * Runs one stage of a rollout. A Fault passes untouched, so the innermost attribution wins; the
 * caller's giving up passes too; anything else becomes `otherwise`.
 */
export async function stage<T>(
  otherwise: (cause: unknown) => Fault,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal.aborted && !(error instanceof Error && error.name === "Fault")) throw signal.reason;
    throw asFault(error, otherwise);
  }
}

/** A rollout's record before anything of it was reached. */
export function firstRecord(
  spec: RolloutSpec,
  parts: Pick<RolloutParts, "clock" | "process" | "images" | "engineSummary">,
): RolloutRecord {
  const { task, prepared, policy } = spec;
  return {
    schema: "cloche.record/1",
    id: spec.id,
    task: { id: task.id, sha256: task.sha256 },
    variant: prepared.variant,
    split: splitOf(task, prepared.variant),
    policy: policy.name,
    group: spec.group,
    attempt: spec.attempt ?? 1,
    labels: spec.labels,
    key: spec.key ?? "local",
    process: parts.process,
    phase: "requested",
    outcome: null,
    ending: null,
    rewardKind: task.reward,
    reward: null,
    criteria: null,
    fault: null,
    steps: 0,
    bundle: null,
    requestedAt: parts.clock.now().toISOString(),
    endedAt: null,
    reachedMs: {},
    limits: task.limits,
    budget: task.budget,
    images: imagesFor(task.servers, parts.images),
    engine: parts.engineSummary,
    identity: null,
    sandbox: null,
    leaseMs: spec.leaseMs ?? null,
    surface: null,
  };
}
