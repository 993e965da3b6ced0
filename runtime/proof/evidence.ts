import type { DeclaredCriterion } from "../grading/grade.ts";
import type { ProofSettings } from "../task/task.ts";
import type { ComparedVariant } from "./distinct.ts";
import type { Played } from "./plays.ts";
import type { TrialReport } from "./trial-report.ts";

/** All that was found out about a task; the rules judge nothing else. */
export interface ProofEvidence {
  readonly settings: ProofSettings;
  readonly criteria: readonly DeclaredCriterion[];
  /** Whether the task has a solution.py. */
  readonly hasSolution: boolean;
  /** By variant, as the agent is shown it. */
  readonly instructions: ReadonlyMap<number, string>;
  readonly oracles: readonly Played[];
  /** The first oracle again. */
  readonly again: Played | undefined;
  readonly nulls: readonly Played[];
  readonly cheats: readonly Played[];
  readonly partials: readonly Partial[];
  readonly generators: readonly Generated[];
  /** All variants, or as many as are held against each other. */
  readonly compared: readonly ComparedVariant[];
  readonly trials: readonly Trial[];
  readonly tokens: number;
}

/** The oracle, stopped early. */
export interface Partial {
  readonly played: Played;
  /** Whether it left all that the whole oracle leaves: then it was early for no harm. */
  readonly same: boolean;
}

/** A generator that was run again. */
export interface Generated {
  readonly variant: number;
  /** What was otherwise: "again", "another hash seed, time zone, locale and day". */
  readonly condition: string;
  /** What came out otherwise; null if nothing. */
  readonly difference: string | null;
}

/** What became of the grader on the oracle's run of one variant. */
export interface Trial {
  readonly variant: number;
  readonly report: TrialReport;
}
