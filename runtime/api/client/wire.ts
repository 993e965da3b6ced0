// What goes over the wire, in types of the client's own, so that it is a package without any other.
// test/clients/wire.test.ts holds them against those of the service.

/** How far a rollout got. */
export type Phase =
  | "requested"
  | "seeded"
  | "serving"
  | "finished"
  | "captured"
  | "graded"
  | "stored";

/** How it ended. `graded` has a reward, and `agent_error` that of 0; the others have none. */
export type Outcome =
  | "graded"
  | "agent_error"
  | "task_error"
  | "grader_error"
  | "infra_error"
  | "cancelled";

/** Why the agent's turn was over. */
export type Ending =
  | { readonly kind: "submitted"; readonly answer: string | null }
  | { readonly kind: "budget"; readonly which: "calls" | "wall" | "bytes" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "agent_gone" }
  | { readonly kind: "sandbox_died"; readonly outOfMemory: boolean };

export interface Reward {
  /** 1 if every criterion scored 1, else 0. */
  readonly sparse: 0 | 1;
  /** The weighted fraction of the criteria that hold, 0 to 1. */
  readonly dense: number;
  /** `dense` over that of the untouched state, -1 to 1; absent in what was graded long ago. */
  readonly gain?: number;
}

/** Which of the rewards a view's `reward` is. */
export type RewardKind = "sparse" | "dense" | "gain";

export interface Criterion {
  readonly name: string;
  readonly weight: number;
  readonly polarity?: "must" | "must_not";
  /** Of a `must_not`: what `dense` is at most if it fails; null if it counts by its weight. */
  readonly cap?: number | null;
  /** The sentence of the instruction that it rests on. */
  readonly asks?: string | null;
  /** 0 to 1; null if the criterion breaks on the untouched state, whatever the agent does. */
  readonly score: number | null;
  /** The score of the untouched state; null if the criterion breaks there. */
  readonly baseline?: number | null;
  readonly reason: string;
  /** The traceback, or how it ended, if the criterion broke. */
  readonly error: string | null;
  /** Whether it scores 0 because what the agent made can't be read, or broke the criterion. */
  readonly unreadable?: boolean;
}

/** A failure that is not the agent's doing; the code stands in docs/errors.md. */
export interface FaultRecord {
  readonly code: string;
  readonly blame: "caller" | "task" | "grader" | "agent" | "engine" | "store";
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly causes: readonly string[];
}

/** Bounds on what an agent may ask for in one rollout. */
export interface Budget {
  readonly calls: number;
  readonly wallMs: number;
  readonly callMs?: number;
  readonly resultBytes: number;
  readonly concurrentCalls: number;
}

/** Bounds on what a rollout's sandbox may use. */
export interface Limits {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly cpus: number;
  readonly tmpBytes: number;
  readonly fileBytes: number;
  readonly openFiles: number;
  readonly workspaceBytes: number;
  readonly workspaceFiles: number;
}

/** Whether a variant is for training or held out. */
export type Split = "train" | "holdout";

/** What remains of a rollout. `reward` is 0 if `outcome` is "agent_error", null unless it is that or "graded". */
export interface RolloutRecord {
  readonly id: string;
  readonly task: { readonly id: string; readonly sha256: string };
  readonly variant: number;
  /** Null in records of before it was kept. */
  readonly split: Split | null;
  readonly policy: string;
  readonly group: string | null;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: Phase;
  readonly outcome: Outcome | null;
  readonly ending: Ending | null;
  readonly rewardKind: RewardKind;
  readonly reward: Reward | null;
  readonly criteria: readonly Criterion[] | null;
  readonly fault: FaultRecord | null;
  readonly steps: number;
  /** The bundle's id (sha256 of its manifest); null if there is none. */
  readonly bundle: string | null;
  readonly requestedAt: string;
  readonly endedAt: string | null;
  /** Milliseconds from the request until each phase was reached. */
  readonly reachedMs: Readonly<Partial<Record<Phase, number>>>;
  /** As they were in force. */
  readonly limits: Limits;
  readonly budget: Budget;
}

export interface RolloutView {
  readonly id: string;
  readonly group: string | null;
  /** From 1; a group's member lost to infra_error is followed by another attempt. */
  readonly attempt: number;
  readonly phase: Phase;
  readonly outcome: Outcome | null;
  readonly task: string;
  readonly variant: number;
  readonly instruction: string;
  readonly labels: Readonly<Record<string, string>>;
  /** While it serves, else null. */
  readonly mcp: { readonly url: string; readonly token: string } | null;
  /** When the wall budget ends it; null before it serves. */
  readonly deadline: string | null;
  readonly leaseUntil: string | null;
  readonly rewardKind: RewardKind;
  /** The reward of that kind; null without a grade. */
  readonly reward: number | null;
  /** Once it has ended. */
  readonly record: RolloutRecord | null;
}

export interface GroupView {
  readonly id: string;
  readonly task: string;
  readonly variant: number;
  readonly n: number;
  /** The newest attempt of each member, in order. */
  readonly members: readonly RolloutView[];
  /** Attempts that were lost to infra_error and replaced. */
  readonly lost: readonly RolloutView[];
  readonly ended: boolean;
  /** Members with a reward. */
  readonly gradable: number;
  /** Why the others have none, once it has ended. */
  readonly shortfall: readonly { readonly id: string; readonly reason: string }[];
}

/** The newest attempt of a member, and what its play threw. */
export interface PlayedMember extends RolloutView {
  /** Its number in the group, from 0. */
  readonly member: number;
  /** Absent if its play threw nothing. */
  readonly error?: unknown;
}

/** A group as it ended, each member with what its play threw. */
export interface PlayedGroup extends GroupView {
  readonly members: readonly PlayedMember[];
}

/** One call of a tool as the service saw it. */
export interface Step {
  readonly step: number;
  readonly callId: string;
  readonly server: string;
  readonly tool: string;
  readonly exposedName: string;
  readonly arguments: unknown;
  readonly outcome: string;
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
  readonly at: string;
  readonly queueMs: number;
  readonly upstreamMs: number;
  readonly proxyMs: number;
  readonly overlaps: readonly number[];
}

/** Numbered from 1 without gaps, the same numbers whenever it is asked again. */
export type RolloutEvent =
  | { readonly seq: number; readonly type: "phase"; readonly phase: Phase; readonly at: string }
  | { readonly seq: number; readonly type: "step"; readonly step: Step }
  | { readonly seq: number; readonly type: "grade"; readonly grade: unknown };

export interface Grade {
  readonly schema: string;
  readonly task: string;
  readonly grader: { readonly sha256: string; readonly image: string };
  readonly criteria: readonly Criterion[];
  readonly reward: Reward | null;
}

/** A grade made again, beside the one that the bundle holds. */
export interface Regrade {
  readonly rollout: string;
  readonly grade: Grade;
  readonly recorded: Grade | null;
  /** Byte for byte; null if the bundle holds none. */
  readonly same: boolean | null;
  /** The bundle's id. */
  readonly bundle: string;
  /** Over the canonical JSON of `{bundle, grade, schema}`; null unless the service's key signed the bundle. */
  readonly signature: Signature | null;
}

/** Who vouches for it: 64 bytes of ed25519 in base64, and the sha256 of the public key. */
export interface Signature {
  readonly schema: "cloche.signature/1";
  readonly algorithm: "ed25519";
  readonly key: string;
  readonly value: string;
}

/** A task that may be asked for. */
export interface TaskView {
  readonly id: string;
  readonly description: string;
  readonly category: string;
  readonly difficulty: string;
  readonly keywords: readonly string[];
  readonly variants: { readonly count: number; readonly holdout: readonly number[] };
  readonly servers: readonly string[];
  readonly budget: Budget;
  readonly reward: RewardKind;
  readonly limits: Limits;
  readonly now: string;
  readonly sha256: string;
}

/** What to ask for, of one rollout or of each of a group. */
interface CommonRequest {
  /** `library/catalogue-update`. */
  readonly task: string;
  /** Default 1. */
  readonly variant?: number;
  /** What the caller calls itself; kept as the record's policy. Default "external". */
  readonly policy?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Which reward the view's `reward` is. Default: what the task says. */
  readonly reward?: RewardKind;
  /** Lower bounds than the task's on what the agent may ask for. */
  readonly budget?: Partial<Budget>;
  /** Lower bounds than the task's on what the sandbox may use. */
  readonly limits?: Partial<Limits>;
  /** Without a call or heartbeat for this long the agent counts as gone. Default 120,000. */
  readonly leaseMs?: number;
}

export interface RolloutRequest extends CommonRequest {
  /** A label of your own that ties rollouts asked for one by one. */
  readonly group?: string;
}

export interface GroupRequest extends CommonRequest {
  /** 1 to 256. */
  readonly n: number;
}
