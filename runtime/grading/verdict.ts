import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { gradingFault } from "./faults.ts";
import type { Criterion, DeclaredCriterion } from "./grade.ts";

/** What a grader says of a criterion before it judges; its own rules are checked where it runs. */
export const declaredSchema = z.strictObject({
  name: z.string().min(1).max(200),
  weight: z.number().positive().max(1000),
  polarity: z.enum(["must", "must_not"]),
  cap: z.number().min(0).lt(1).nullable(),
  asks: z.string().min(1).max(1000).nullable(),
});

const score = z.number().min(0).max(1).nullable();

const judged = declaredSchema.extend({
  score,
  baseline: score,
  reason: z.string().max(4000),
  error: z.string().max(16_000).nullable(),
  unreadable: z.boolean(),
});

const verdict = z.strictObject({ criteria: z.array(judged).min(1).max(500) });

/**
 * Checks what a grader answered: finite numbers in range and exactly the declared criteria, in
 * their order, as they were declared. Throws `grading/bad-verdict`.
 */
export function readVerdict(answer: unknown, declared: readonly DeclaredCriterion[]): Criterion[] {
  const parsed = verdict.safeParse(answer);
  if (!parsed.success) throw badVerdict(z.prettifyError(parsed.error));
  const { criteria } = parsed.data;
  requireDeclared(criteria, declared);
  const odd = criteria.find((one) => oddityOf(one) !== undefined);
  if (odd) throw badVerdict(`criterion "${odd.name}" has ${oddityOf(odd)}`);
  return criteria;
}

/** What does not go together in a criterion. */
function oddityOf({ score, error, unreadable }: Criterion): string | undefined {
  if (unreadable) return score === 0 ? undefined : `the score ${score} and is unreadable`;
  return (score === null) === (error !== null) ? undefined : "a score and an error, or neither";
}

/** Names the first that differs: what a person has to look at. */
function requireDeclared(
  criteria: readonly DeclaredCriterion[],
  declared: readonly DeclaredCriterion[],
): void {
  const [said, asked] = [criteria, declared].map((some) =>
    some.map((one) => canonicalJson(declarationOf(one))),
  ) as [string[], string[]];
  const count = Math.max(said.length, asked.length);
  const at = Array.from({ length: count }, (_, index) => index).find((i) => said[i] !== asked[i]);
  if (at === undefined) return;
  const [judged = "none", wanted = "none"] = [said[at], asked[at]];
  throw badVerdict(`as criterion ${at + 1} it judged ${judged}, but the grader declares ${wanted}`);
}

/** The same for one that was declared before there were polarities and for one that has none. */
export function declarationOf(criterion: DeclaredCriterion): Required<DeclaredCriterion> {
  const { name, weight, polarity = "must", cap = null, asks = null } = criterion;
  return { name, weight, polarity, cap, asks };
}

function badVerdict(what: string): Error {
  return gradingFault("bad-verdict", `the grader's verdict is refused: ${what}`);
}
