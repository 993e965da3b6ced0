import type { FaultRecord } from "../base/fault.ts";
import type { BoxLimits, SandboxIdentity } from "../engine/engine.ts";
import type { Criterion, Reward, RewardKind } from "../grading/grade.ts";
import type { Budget, Ending } from "../mcp/record/step.ts";
import type { Split } from "../task/task.ts";

/** How far a rollout got. Each phase says what is true from then on (ARCHITECTURE.md). */
export type Phase =
  | "requested"
  | "seeded"
  | "serving"
  | "finished"
  | "captured"
  | "graded"
  | "stored";

/**
 * How it ended for those who train on it. `reward` is 0 if `agent_error` (null in records of before
 * that), and null where it is neither that nor `graded`.
 */
export type Outcome =
  | "graded"
  | "agent_error"
  | "task_error"
  | "grader_error"
  | "infra_error"
  | "cancelled";

/** What a rollout's sandbox may hold. */
export interface RolloutLimits extends BoxLimits {
  readonly workspaceBytes: number;
  readonly workspaceFiles: number;
  /** Absent, both: its services keep no state. */
  readonly stateBytes?: number;
  readonly stateFiles?: number;
}

/** What remains of a rollout, whatever happened to it. One per request, always. */
export interface RolloutRecord {
  readonly schema: "cloche.record/1";
  readonly id: string;
  readonly task: { readonly id: string; readonly sha256: string };
  readonly variant: number;
  /** Whether the variant was for training or held out then; null in records of before it was kept. */
  readonly split: Split | null;
  /** Who played: "oracle", "null", "cheat:<name>", or what the caller named. */
  readonly policy: string;
  /** The id of the group that it was asked for in, or a label of its caller's. */
  readonly group: string | null;
  /** From 1; a member of a group that was lost to infra_error gets another attempt. */
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The id of the key whose holder asked for it; "local" where there are no keys. */
  readonly key: string;
  /** The identity of the process that conducts it (base/process-identity). */
  readonly process: string;
  readonly phase: Phase;
  /** Null until the end. */
  readonly outcome: Outcome | null;
  readonly ending: Ending | null;
  /** Which of the rewards is the one that the agent is to be paid by. */
  readonly rewardKind: RewardKind;
  readonly reward: Reward | null;
  readonly criteria: readonly Criterion[] | null;
  readonly fault: FaultRecord | null;
  /** Number of steps recorded. */
  readonly steps: number;
  /** The bundle's id (sha256 of its manifest); null if there is none. */
  readonly bundle: string | null;
  /** RFC 3339. */
  readonly requestedAt: string;
  readonly endedAt: string | null;
  /** Milliseconds from the request until each phase was reached. */
  readonly reachedMs: Readonly<Partial<Record<Phase, number>>>;
  readonly limits: RolloutLimits;
  readonly budget: Budget;
  readonly images: { readonly sandbox: string; readonly grader: string };
  /** The engine's summary; null before one was reached. */
  readonly engine: string | null;
  readonly identity: SandboxIdentity | null;
  /** Its sandbox's id on the engine, known from before it is used; null before. */
  readonly sandbox: string | null;
  /** Without a word from the agent for this long it counts as gone; null if it has no lease. */
  readonly leaseMs: number | null;
  /** The tools that the agent was shown: their names, and the hash of the whole list. */
  readonly surface: { readonly sha256: string; readonly tools: readonly string[] } | null;
}
