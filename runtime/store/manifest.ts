import { z } from "zod";
import type { SandboxIdentity } from "../engine/engine.ts";
import type { DeclaredCriterion } from "../grading/grade.ts";
import type { Budget, Ending } from "../mcp/record/step.ts";
import type { Outcome, RolloutRecord } from "./record.ts";
import {
  budgetSchema,
  declaredSchema,
  endingSchema,
  identitySchema,
  imagesSchema,
  limitsSchema,
  outcomeSchema,
  reachedSchema,
  surfaceSchema,
  taskSchema,
} from "./schemas.ts";

/** `manifest.json`: what a bundle is and every file in it. Its sha256 is the bundle's id. */
export interface Manifest extends BundleFacts {
  readonly schema: "cloche.bundle/1";
  /** Every file but manifest.json, manifest.sha256 and manifest.sig, sorted by path. */
  readonly parts: readonly BundlePart[];
  /** Absent in bundles of before there were marks. */
  readonly marks?: Marks;
}

/** Hashes of what lies inside of parts, so that it can be said which piece of one was altered. */
export interface Marks {
  /** sha256 of each criterion of grade.json as canonical JSON, in order; empty without a grade. */
  readonly criteria: readonly string[];
  /** sha256 of the last line of steps.jsonl, 64 zeros without one; each line marks the one before. */
  readonly lastStep: string;
}

/** What a bundle says of its rollout; as in the record. */
export interface BundleFacts {
  readonly rollout: string;
  readonly task: { readonly id: string; readonly sha256: string };
  readonly variant: number;
  readonly policy: string;
  readonly outcome: Outcome;
  readonly ending: Ending | null;
  /** What the grader declared before the agent began; a grade must judge exactly these. */
  readonly criteria: readonly DeclaredCriterion[];
  /** Number of lines of steps.jsonl. */
  readonly steps: number;
  readonly requestedAt: string;
  /** Milliseconds from the request until each phase was reached. */
  readonly reachedMs: RolloutRecord["reachedMs"];
  readonly limits: RolloutRecord["limits"];
  readonly budget: Budget;
  readonly images: RolloutRecord["images"];
  readonly engine: string;
  readonly identity: SandboxIdentity | null;
  readonly surface: RolloutRecord["surface"];
  readonly versions: { readonly cloche: string; readonly node: string };
}

export interface BundlePart {
  /** Relative, "/" between segments. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const text = z.string().max(10_000);
const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in hexadecimal");

export const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  schema: z.literal("cloche.bundle/1"),
  rollout: z.string().regex(/^[a-z0-9-]{1,100}$/),
  task: taskSchema,
  variant: z.int(),
  policy: text,
  outcome: outcomeSchema,
  ending: endingSchema.nullable(),
  criteria: z.array(declaredSchema).max(500),
  steps: z.int().nonnegative(),
  requestedAt: z.iso.datetime({ offset: true }),
  reachedMs: reachedSchema,
  limits: limitsSchema,
  budget: budgetSchema,
  images: imagesSchema,
  engine: text,
  identity: identitySchema.nullable(),
  surface: surfaceSchema.nullable(),
  versions: z.strictObject({ cloche: text, node: text }),
  parts: z
    .array(z.strictObject({ path: text, bytes: z.int().nonnegative(), sha256: hash }))
    .max(500_000),
  marks: z.strictObject({ criteria: z.array(hash).max(500), lastStep: hash }).exactOptional(),
});
