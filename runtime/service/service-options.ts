import type { Step } from "../mcp/record/step.ts";
import type { PoolOptions } from "../rollout/pool/pool.ts";
import type { Outcome, Phase, RolloutRecord } from "../store/record.ts";
import type { Roots } from "../task/roots.ts";
import type { QueueLimits } from "./queue.ts";

export interface ServiceOptions extends QueueLimits {
  /** Where tasks/ and fixtures/ lie. */
  readonly tasksRoot: Roots;
  /** Attempts at one member of a group, the first included. Default 3. */
  readonly attempts?: number;
  /** Sandboxes made ready before they are asked for. `{max: 0}`: none. */
  readonly pool?: PoolOptions;
  /** How often leavings are looked for in the engine. Default 60,000. */
  readonly sweepMs?: number;
  readonly observer?: ServiceObserver;
}

/** Who measures the service. Nothing depends on it; it must not throw. */
export interface ServiceObserver {
  /** A rollout got its place after waiting so long. */
  readonly onQueueWait?: (ms: number) => void;
  readonly onPhase?: (phase: Phase, record: RolloutRecord) => void;
  readonly onStep?: (step: Step) => void;
  /** `captureMs` and `gradeMs` are null if it got no further. */
  readonly onEnded?: (outcome: Outcome, times: EndedTimes, record: RolloutRecord) => void;
  readonly onEngineCall?: (call: "create" | "remove" | "attach", ms: number, ok: boolean) => void;
  /** A bundle was graded again, from its box to its grade. */
  readonly onRegrade?: (ms: number) => void;
  /** Sandboxes were found that nobody owned any more. */
  readonly onLeaks?: (count: number) => void;
}

export interface EndedTimes {
  readonly captureMs: number | null;
  readonly gradeMs: number | null;
}
