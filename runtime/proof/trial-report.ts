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
  repeats: z.array(z.object({ condition: z.string(), difference: z.string().nullable() })),
  leaks: z.array(z.object({ place: z.string(), what: z.string() })),
  /** Reasons of failed criteria that the agent was shown. */
  seen: z.array(z.string()),
  gradings: z.object({ count: z.number(), seconds: z.number() }),
});

export type TrialReport = z.output<typeof trialReportSchema>;
