import type { Reward } from "../grading/grade.ts";

/** The rules that a task is held to, in the order in which they are reported. */
export const RULES = [
  "sound",
  "deterministic",
  "distinct",
  "sharp",
  "fair",
  "telling",
  "sturdy",
  "sealed",
  "long",
] as const;

export type RuleName = (typeof RULES)[number];

/** What became of one rule. */
export interface Finding {
  readonly rule: RuleName;
  readonly holds: boolean;
  /** One line: what was looked at, and how it stands. */
  readonly summary: string;
  /** Why it does not hold, each a sentence that names what to look at. Empty if it holds. */
  readonly problems: readonly string[];
  /** What is worth knowing all the same: survivors, values on the untouched state, figures. */
  readonly notes: readonly string[];
}

/** `cloche task prove` on one task. */
export interface Proof {
  readonly schema: "cloche.proof/1";
  readonly task: { readonly id: string; readonly sha256: string };
  /** The grader image that it was proven with. */
  readonly graderImage: string;
  readonly holds: boolean;
  readonly variants: readonly number[];
  readonly findings: readonly Finding[];
  readonly runs: readonly ProofRun[];
  readonly mutation: Mutation;
  readonly poisons: Poisons;
  readonly figures: Figures;
  /** RFC 3339. */
  readonly at: string;
  readonly seconds: number;
}

/** One rollout that was played for the proof. */
export interface ProofRun {
  /** "oracle", "oracle again", "null", "cheat:<name>", "first half of oracle", … */
  readonly name: string;
  readonly variant: number;
  readonly reward: Reward | null;
  readonly calls: number;
  readonly outcome: string | null;
  /** The bundle's id; null if there is none. */
  readonly bundle: string | null;
  readonly criteria: readonly { readonly name: string; readonly score: number | null }[];
}

/** What became of the mutants of all variants that were tried. */
export interface Mutation {
  readonly mutants: number;
  readonly noticed: number;
  /** Not noticed, and said in task.toml why that is right. */
  readonly explained: number;
  /** Noticed, of those that are not explained; 0 to 1. */
  readonly score: number;
  readonly survivors: readonly Survivor[];
  readonly byOperator: Readonly<Record<string, { readonly of: number; readonly noticed: number }>>;
}

/** What became of the poisons of all variants that were tried. */
export interface Poisons {
  readonly tried: number;
  /** Those that left no reward. */
  readonly null: number;
  /** Those that earned sparse 1: on the untouched state, or where nothing right can be left. */
  readonly forged: number;
  /** The most that one of these earned of `dense`. */
  readonly highest: Readonly<Record<"untouched" | "solved", number>>;
  /** Those of which some criterion said that it can't be read. */
  readonly unreadable: number;
  readonly byState: Readonly<Record<"untouched" | "solved", number>>;
}

export interface Survivor {
  readonly variant: number;
  /** What `survivors` of task.toml match: place, where and operator. */
  readonly name: string;
  readonly change: string;
  readonly family: string;
  readonly grave: boolean;
  /** Of `survivors` in task.toml; null if nothing explains it. */
  readonly why: string | null;
}

export interface Figures {
  readonly calls: number;
  readonly servers: readonly string[];
  /** Of instruction, tools and results, as an agent would read them in the oracle's place. */
  readonly tokens: number;
  readonly gradings: number;
  /** How many gradings a minute the box made. */
  readonly gradingsPerMinute: number;
}

/** How the rules' lines are called for a person. */
export function finding(
  rule: RuleName,
  summary: string,
  problems: readonly string[],
  notes: readonly string[] = [],
): Finding {
  return { rule, holds: problems.length === 0, summary, problems, notes };
}
