import type { BoxLimits } from "../engine/engine.ts";
import type { RewardKind } from "../grading/grade.ts";
import type { Budget } from "../mcp/record/step.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";

/** A task as its folder says it, checked. All paths are absolute. */
export interface Task {
  /** `<category folder>/<task folder>`: its path under tasks/. */
  readonly id: string;
  readonly folder: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly category: string;
  readonly difficulty: string;
  /** instruction.md as it stands, {{variables}} not filled. */
  readonly instruction: string;
  readonly servers: readonly ServerSpec[];
  readonly limits: TaskLimits;
  readonly budget: Budget;
  /** What a rollout is paid by unless it is asked for otherwise. */
  readonly reward: RewardKind;
  /** What the clock of the sandbox says when the agent starts. */
  readonly now: Date;
  readonly variants: Variants;
  /** The static files and state that every variant begins with; null if there are none. */
  readonly fixture: FixtureSet | null;
  readonly files: TaskFiles;
  readonly graderTimeoutMs: number;
  readonly proof: ProofSettings;
  /** Hosts outside that it may reach, as "name:port", sorted. Empty: none. */
  readonly egress: readonly string[];
  /** Over every file of the task's folder and of its fixture set. */
  readonly sha256: string;
}

/** What an author says to `cloche task prove`, each exception with a reason. */
export interface ProofSettings {
  /** Globs of files that agents may leave as they like: "scratch/**". */
  readonly free: readonly Explained[];
  /** Mutants that no criterion notices, and rightly: globs over their names. */
  readonly survivors: readonly Explained[];
  /** Shapes of a right answer that need not pass. */
  readonly strict: readonly Explained[];
  /** Shapes that pass here although not every task would let them. */
  readonly lenient: readonly string[];
  /** Globs of the fixture's files that hold what looks like the answer. */
  readonly given: readonly Explained[];
  /** Parts of what is expected that variants may share: "expected.rates". */
  readonly alike: readonly Explained[];
  /** The fewest that the solution has to make or use. */
  readonly atLeast: { readonly calls: number; readonly servers: number; readonly tokens: number };
}

export interface Explained {
  readonly what: string;
  readonly why: string;
}

export interface TaskLimits extends BoxLimits {
  readonly workspaceBytes: number;
  readonly workspaceFiles: number;
  /** What services may keep. Absent: none of the task's servers has any state. */
  readonly stateBytes?: number;
  readonly stateFiles?: number;
}

const MIB = 2 ** 20;

/** Below these no sandbox is of use. */
export const LEAST_LIMITS: TaskLimits = {
  memoryBytes: 128 * MIB,
  processes: 16,
  cpus: 0.1,
  tmpBytes: MIB,
  fileBytes: MIB,
  openFiles: 64,
  workspaceBytes: MIB,
  workspaceFiles: 1,
};

/** Variants are numbered from 1 to `count`. */
export interface Variants {
  readonly count: number;
  /** Those kept apart from training, sorted. */
  readonly holdout: readonly number[];
}

/** A folder under fixtures/ with workspace/ and state/<server>/ in it, or one of the two. */
export interface FixtureSet {
  readonly name: string;
  readonly folder: string;
}

export interface TaskFiles {
  readonly toml: string;
  readonly grader: string;
  /** Null if the task has no such file. */
  readonly generate: string | null;
  readonly solution: string | null;
  /** Read if there is no generate.py. */
  readonly expected: string | null;
  /** By name without ".py", sorted. */
  readonly cheats: Readonly<Record<string, string>>;
  /** The modules beside grader.py that it may import, sorted; never generate.py or solution.py. */
  readonly modules: readonly string[];
}

export type Split = "train" | "holdout";

/** Which split a variant belongs to. */
export function splitOf(task: Task, variant: number): Split {
  return task.variants.holdout.includes(variant) ? "holdout" : "train";
}
