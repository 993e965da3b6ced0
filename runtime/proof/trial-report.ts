import { z } from "zod";

const failed = z.object({
  criterion: z.string(),
  score: z.number().nullable(),
  reason: z.string(),
});

const tried = z.object({
  place: z.string(),
  change: z.string(),
  /** Whether every criterion held all the same. */
  passed: z.boolean(),
  failed: z.array(failed),
  errors: z.array(z.object({ criterion: z.string(), error: z.string() })),
});

const mutant = tried.extend({
  family: z.string(),
  where: z.string(),
  operator: z.string(),
  grave: z.boolean(),
  name: z.string(),
});

const shape = tried.extend({ shape: z.string() });

/** What a policy might leave so that its grader breaks, or says yes to what it can't read. */
const poison = z.object({
  on: z.enum(["untouched", "solved"]),
  place: z.string(),
  kind: z.string(),
  /** Whether a right answer can't be there any more. */
  ruins: z.boolean(),
  scores: z.array(
    z.object({ name: z.string(), score: z.number().nullable(), baseline: z.number().nullish() }),
  ),
  /** How many criteria could not judge what was left. */
  unreadable: z.number(),
  /** Why there is no reward; null if there is one. */
  broken: z.string().nullable(),
});

const judged = z.object({
  name: z.string(),
  score: z.number().nullable(),
  reason: z.string(),
  error: z.string().nullable(),
});

/** What `cloche.run_proof` answers (python/cloche/src/cloche/run_proof.py). */
export const trialReportSchema = z.object({
  verdict: z.array(judged),
  uses: z.array(z.string()),
  mutants: z.array(mutant),
  shapes: z.array(shape),
  /** The oracle's run, and runs and variations that failed, graded again. */
  repeats: z.array(
    z.object({ run: z.string(), condition: z.string(), difference: z.string().nullable() }),
  ),
  poisons: z.array(poison),
  leaks: z.array(z.object({ place: z.string(), what: z.string() })),
  /** Reasons of failed criteria that the agent was shown. */
  seen: z.array(z.string()),
  gradings: z.object({ count: z.number(), seconds: z.number() }),
});

export type TrialReport = z.output<typeof trialReportSchema>;

export type TriedPoison = z.output<typeof poison>;
