import type { BoxLimits } from "../engine/engine.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";
import type { Budget } from "../mcp/step.ts";

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
  /** What the clock of the sandbox says when the agent starts. */
  readonly now: Date;
  readonly variants: Variants;
  /** The static files and state that every variant begins with; null if there are none. */
  readonly fixture: FixtureSet | null;
  readonly files: TaskFiles;
  readonly graderTimeoutMs: number;
  /** Over every file of the task's folder and of its fixture set. */
  readonly sha256: string;
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
