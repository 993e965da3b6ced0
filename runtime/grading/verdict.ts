import { z } from "zod";
import { gradingFault } from "./faults.ts";
import type { Criterion, Reward } from "./grade.ts";

/** A criterion as the grader declares it before any agent has run. */
export interface DeclaredCriterion {
  readonly name: string;
  readonly weight: number;
}

const judged = z.strictObject({
  name: z.string().min(1).max(200),
  weight: z.number().positive().max(1000),
  score: z.number().min(0).max(1).nullable(),
  reason: z.string().max(4000),
  error: z.string().max(16_000).nullable(),
});

const verdict = z.strictObject({ criteria: z.array(judged).min(1).max(500) });

/**
 * Checks what a grader answered: finite numbers in range and exactly the declared criteria, in
 * their order, with their weights. Throws `grading/bad-verdict`.
 */
export function readVerdict(answer: unknown, declared: readonly DeclaredCriterion[]): Criterion[] {
  const parsed = verdict.safeParse(answer);
  if (!parsed.success) throw badVerdict(z.prettifyError(parsed.error));
  const { criteria } = parsed.data;
  const said = criteria.map(({ name, weight }) => ({ name, weight }));
  if (
    JSON.stringify(said) !== JSON.stringify(declared.map(({ name, weight }) => ({ name, weight })))
  ) {
    throw badVerdict(`it judged ${list(said)}, but the grader declares ${list(declared)}`);
  }
  const odd = criteria.find(({ score, error }) => (score === null) !== (error !== null));
  if (odd) throw badVerdict(`criterion "${odd.name}" has a score and an error, or neither`);
  return criteria;
}

/** Null if some criterion has no score. `dense` is rounded to 6 digits. */
export function rewardOf(criteria: readonly Criterion[]): Reward | null {
  let earned = 0;
  let total = 0;
  for (const { weight, score } of criteria) {
    if (score === null) return null;
    earned += weight * score;
    total += weight;
  }
  const sparse = criteria.every(({ score }) => score === 1) ? 1 : 0;
  return { sparse, dense: Math.round((earned / total) * 1e6) / 1e6 };
}

function badVerdict(what: string): Error {
  return gradingFault("bad-verdict", `the grader's verdict is refused: ${what}`);
}

function list(criteria: readonly DeclaredCriterion[]): string {
  return criteria.map(({ name, weight }) => `"${name}" (${weight})`).join(", ");
}
