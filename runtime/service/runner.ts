import { asFault, messageOf } from "../base/fault.ts";
import { rolloutFault } from "../rollout/faults.ts";
import type { RolloutDoors, RolloutParts, RolloutSpec, RolloutWatcher } from "../rollout/parts.ts";
import { endAsLost } from "../rollout/reaper.ts";
import { ReleaseNow } from "../rollout/run.ts";
import { runRollout } from "../rollout/run-rollout.ts";
import type { Outcome, RolloutRecord } from "../store/record.ts";
import type { ExternalPolicy } from "./external-policy.ts";
import type { Turn } from "./fair-queue.ts";
import { OpenRollout } from "./open-rollout.ts";
import type { Place, Room, StageQueues } from "./queue.ts";
import type { EndedTimes, ServiceObserver } from "./service-options.ts";
import { slept } from "./waits.ts";

/** A rollout's specification before it is known when it was accepted. */
export type OpenSpec = Omit<RolloutSpec, "policy" | "accepted"> & {
  readonly policy: ExternalPolicy;
  readonly leaseMs: number;
};

/** How a rollout comes to its record: from its beginning, or from where a dead process left it. */
export type Conduct = (
  spec: RolloutSpec,
  parts: RolloutParts,
  signal: AbortSignal,
  watcher: RolloutWatcher,
) => Promise<RolloutRecord>;

export interface Beginning {
  readonly record: RolloutRecord;
  readonly place: Place;
  /** Whether it goes before others; see there. */
  readonly rank?: Turn["rank"];
  /** How long ago its record was written, if not just now. */
  readonly requestedAgoMs?: number;
  /** Default: `runRollout`. */
  readonly conduct?: Conduct;
}

/** Runs accepted rollouts as there is room for them, and knows those that have not ended. */
export class Runner {
  readonly open = new Map<string, OpenRollout>();
  readonly ended: Partial<Record<Outcome, number>> = {};
  readonly #parts: RolloutParts;
  readonly #queues: StageQueues;
  readonly #room: Room;
  readonly #observer: ServiceObserver;
  readonly #onEnded: (open: OpenRollout, record: RolloutRecord) => void;
  readonly #waiting = new Set<OpenRollout>();

  constructor(
    parts: RolloutParts,
    queues: StageQueues,
    room: Room,
    observer: ServiceObserver,
    onEnded: (open: OpenRollout, record: RolloutRecord) => void,
  ) {
    const gradeGate = <T>(work: () => Promise<T>) => queues.grades.add(work);
    this.#parts = { ...parts, gradeGate, listener: this.#doors(parts.listener) };
    this.#queues = queues;
    this.#room = room;
    this.#observer = observer;
    this.#onEnded = onEnded;
  }

  /** Accepted rollouts that have no place yet. */
  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * No further rollout gets a place: those that wait stay as they are on the disk. Those under way
   * have `graceMs` to end, then they end as if their agents had gone; aborting `now` cancels them.
   */
  async drain(graceMs: number, now: AbortSignal): Promise<void> {
    this.#queues.rollouts.pause();
    const underWay = [...this.open.values()].filter(({ hasBegun }) => hasBegun);
    const giveUp = () => {
      for (const open of underWay) open.cancelled.abort(new ReleaseNow("the service goes down"));
    };
    now.addEventListener("abort", giveUp, { once: true });
    if (now.aborted) giveUp();
    const settled = new AbortController();
    const allEnded = Promise.allSettled(underWay.map(({ ended }) => ended));
    void allEnded.then(() => settled.abort());
    await slept(graceMs, AbortSignal.any([now, settled.signal]));
    for (const open of underWay) open.policy.leave();
    await allEnded;
    now.removeEventListener("abort", giveUp);
  }

  /** Takes charge of a rollout whose record is on the disk. */
  begin(spec: OpenSpec, beginning: Beginning): OpenRollout {
    const { clock } = this.#parts;
    const { record, place, rank, requestedAgoMs = 0, conduct = runRollout } = beginning;
    const nowMs = clock.monotonicMs();
    const accepted = { record, atMs: nowMs - Math.max(0, requestedAgoMs) };
    const whole = { ...spec, accepted };
    const open = new OpenRollout(whole, record, spec.policy, place, this.#observer);
    if (record.phase === "requested") this.#observer.onPhase?.("requested", record);
    spec.policy.onServing = () => open.noteChange();
    this.open.set(spec.id, open);
    this.#waiting.add(open);
    const start = async () => {
      if (!this.#waiting.delete(open)) return;
      open.hasBegun = true;
      this.#observer.onQueueWait?.(clock.monotonicMs() - nowMs);
      await this.#run(open, conduct);
    };
    const gone = new AbortController();
    const leave = () => {
      if (!this.#waiting.has(open)) return;
      gone.abort(); // Who gives up waiting gets its record at once, and no place.
      void start();
    };
    open.cancelled.signal.addEventListener("abort", leave, { once: true });
    this.#queues.rollouts.add({ key: place.key, rank }, start, gone.signal);
    return open;
  }

  async #run(open: OpenRollout, conduct: Conduct): Promise<void> {
    const { spec, watcher, cancelled } = open;
    try {
      this.#over(open, await conduct(spec, this.#parts, cancelled.signal, watcher));
    } catch (error) {
      const { log } = this.#parts;
      log.error({ rollout: spec.id, error: messageOf(error) }, "a rollout was left without an end");
      await this.#endUnwritten(open, error);
    }
  }

  /** What can still be done where a record could not be written, or what comes after it. */
  async #endUnwritten(open: OpenRollout, error: unknown): Promise<void> {
    const message = `rollout ${open.id} could not be brought to its record: ${messageOf(error)}`;
    const otherwise = () => rolloutFault("storing-failed", message, { cause: error });
    try {
      const stored = await this.#parts.records.get(open.id);
      const isFinal = stored !== undefined && stored.outcome !== null;
      const fault = asFault(error, otherwise);
      this.#over(open, isFinal ? stored : await endAsLost(open.record, fault, this.#parts));
    } catch {
      this.#forget(open);
      open.failed(error);
    }
  }

  #over(open: OpenRollout, record: RolloutRecord): void {
    const outcome = record.outcome ?? "infra_error";
    this.ended[outcome] = (this.ended[outcome] ?? 0) + 1;
    this.#forget(open);
    this.#room.noteEnd();
    open.over(record);
    this.#observer.onEnded?.(outcome, timesOf(record), record);
    this.#onEnded(open, record);
  }

  #forget(open: OpenRollout): void {
    this.open.delete(open.id);
    open.unmounted();
    open.place[Symbol.dispose]();
    open.policy.lease[Symbol.dispose]();
  }

  #doors(doors: RolloutDoors): RolloutDoors {
    return {
      mount: (id, token, proxy) => {
        const mount = doors.mount(id, token, proxy);
        this.open.get(id)?.mounted(proxy);
        return {
          url: mount.url,
          [Symbol.dispose]: () => {
            this.open.get(id)?.unmounted();
            mount[Symbol.dispose]();
          },
        };
      },
    };
  }
}

function timesOf({ reachedMs }: RolloutRecord): EndedTimes {
  const { finished, captured, graded } = reachedMs;
  const between = (from?: number, to?: number) =>
    from === undefined || to === undefined ? null : to - from;
  return { captureMs: between(finished, captured), gradeMs: between(captured, graded) };
}
