import { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import type { FaultRecord } from "../base/fault.ts";
import type { SandboxIdentity } from "../engine/engine.ts";
import {
  type Criterion,
  type DeclaredCriterion,
  type Grade,
  REWARD_KINDS,
  type Reward,
  type RewardKind,
} from "../grading/grade.ts";
import type { Budget, Ending, Step } from "../mcp/record/step.ts";
import type { Split } from "../task/task.ts";
import type { Outcome, Phase, RolloutRecord } from "./record.ts";

/** Strict readers of what the store keeps as JSON; an unknown member is refused. */
const count = z.int().nonnegative();
const text = z.string();
const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in hexadecimal");
const instant = z.iso.datetime({ offset: true });
/** Only ever fed with what JSON.parse returned, so any value is JSON. */
const json = z.custom<Json>((value) => value !== undefined, "is missing");
const facts = z.record(text, z.unknown());

const phase = z.enum([
  "requested",
  "seeded",
  "serving",
  "finished",
  "captured",
  "graded",
  "stored",
] satisfies readonly Phase[]);

export const outcomeSchema: z.ZodType<Outcome> = z.enum([
  "graded",
  "agent_error",
  "task_error",
  "grader_error",
  "infra_error",
  "cancelled",
]);

export const splitSchema: z.ZodType<Split> = z.enum(["train", "holdout"]);

export const endingSchema: z.ZodType<Ending> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("submitted"), answer: text.nullable() }),
  z.strictObject({ kind: z.literal("budget"), which: z.enum(["calls", "wall", "bytes"]) }),
  z.strictObject({ kind: z.literal("cancelled") }),
  z.strictObject({ kind: z.literal("agent_gone") }),
  z.strictObject({ kind: z.literal("sandbox_died"), outOfMemory: z.boolean() }),
]);

/** `optional`, here and below: not `exactOptional`, which the OpenAPI document would call required. */
const rewardSchema = z.strictObject({
  sparse: z.union([z.literal(0), z.literal(1)]),
  dense: z.number().min(0).max(1),
  gain: z.number().min(-1).max(1).optional().describe("Absent in grades of version 1."),
}) as z.ZodType<Reward>;

export const rewardKindSchema: z.ZodType<RewardKind> = z.enum(REWARD_KINDS);

const declared = {
  name: text,
  weight: z.number().positive(),
  polarity: z.enum(["must", "must_not"]).optional(),
  cap: z.number().min(0).lt(1).nullable().optional(),
  asks: text.nullable().optional(),
};

/** Also of what was declared before there were polarities. */
export const declaredSchema = z.strictObject(declared) as z.ZodType<DeclaredCriterion>;

const score = z.number().min(0).max(1).nullable();

const criterionSchema = z.strictObject({
  ...declared,
  score,
  baseline: score.optional().describe("The score of the untouched state."),
  reason: text,
  error: text.nullable(),
  unreadable: z
    .boolean()
    .optional()
    .describe("Whether it scores 0 because what the agent made can't be read."),
}) as z.ZodType<Criterion>;

/** The members that came with each version; later ones have them too. */
const NEWER = {
  "cloche.grade/2": ["polarity", "cap", "asks", "baseline"],
  "cloche.grade/3": ["unreadable"],
} as const;

const grade: z.ZodType<Grade> = z.strictObject({
  schema: z.enum(["cloche.grade/1", "cloche.grade/2", "cloche.grade/3"]),
  task: text,
  grader: z.strictObject({ sha256: hash, image: text }),
  criteria: z.array(criterionSchema),
  reward: rewardSchema.nullable(),
});

export const gradeSchema: z.ZodType<Grade> = grade.superRefine(({ schema, criteria }, context) => {
  for (const [version, names] of Object.entries(NEWER)) {
    const isThere = schema >= version;
    const holds = criteria.every((one) =>
      names.every((name) => (one[name] !== undefined) === isThere),
    );
    if (holds) continue;
    const number = version.replace("cloche.grade/", "");
    const message = `must have ${names.join(", ")} in version ${number}, and only there`;
    context.addIssue({ code: "custom", path: ["criteria"], message });
  }
});

const faultSchema: z.ZodType<FaultRecord> = z.strictObject({
  code: text,
  blame: z.enum(["caller", "task", "grader", "agent", "engine", "store"]),
  message: text,
  detail: facts,
  causes: z.array(text),
});

/** `optional`, not `exactOptional`: the service's OpenAPI document would call that one required. */
export const limitsSchema = z.strictObject({
  memoryBytes: count,
  processes: count,
  cpus: z.number().positive(),
  tmpBytes: count,
  fileBytes: count,
  openFiles: count,
  workspaceBytes: count,
  workspaceFiles: count,
  stateBytes: count.optional(),
  stateFiles: count.optional(),
}) as z.ZodType<RolloutRecord["limits"]>;

export const budgetSchema: z.ZodType<Budget> = z.strictObject({
  calls: count,
  wallMs: count,
  callMs: count.optional(),
  resultBytes: count,
  concurrentCalls: count,
}) as z.ZodType<Budget>;

export const identitySchema: z.ZodType<SandboxIdentity> = z.strictObject({
  uids: z.record(text, count),
  gid: count,
});

export const surfaceSchema = z.strictObject({ sha256: hash, tools: z.array(text) });
export const imagesSchema = z.strictObject({ sandbox: text, grader: text });
export const taskSchema = z.strictObject({ id: text, sha256: hash });
export const reachedSchema: z.ZodType<RolloutRecord["reachedMs"]> = z.partialRecord(
  phase,
  z.number().nonnegative(),
);

const record: z.ZodType<RolloutRecord> = z.strictObject({
  schema: z.literal("cloche.record/1"),
  id: text.min(1).max(100),
  task: taskSchema,
  variant: z.int(),
  split: splitSchema.nullable().default(null),
  policy: text,
  group: text.nullable(),
  attempt: z.int().positive().default(1),
  labels: z.record(text, text),
  key: text.default("local"),
  process: text,
  phase,
  outcome: outcomeSchema.nullable(),
  ending: endingSchema.nullable(),
  rewardKind: rewardKindSchema.default("sparse"),
  reward: rewardSchema.nullable(),
  criteria: z.array(criterionSchema).nullable(),
  fault: faultSchema.nullable(),
  steps: count,
  bundle: hash.nullable(),
  requestedAt: instant,
  endedAt: instant.nullable(),
  reachedMs: reachedSchema,
  limits: limitsSchema,
  budget: budgetSchema,
  images: imagesSchema,
  engine: text.nullable(),
  identity: identitySchema.nullable(),
  sandbox: text.nullable().default(null),
  leaseMs: count.nullable().default(null),
  surface: surfaceSchema.nullable(),
});

/** A record as it stands in the end has a reward if it was graded, and may have one of the agent's failure. */
export const recordSchema: z.ZodType<RolloutRecord> = record.refine(
  ({ outcome, reward }) =>
    outcome === null || outcome === "agent_error" || (outcome === "graded") === (reward !== null),
  {
    path: ["reward"],
    message: "must be there if the outcome is graded, and null unless it is that or agent_error",
  },
);

export const stepSchema: z.ZodType<Step> = z.strictObject({
  step: z.int().positive(),
  callId: text,
  server: text,
  tool: text,
  exposedName: text,
  arguments: json,
  outcome: z.enum([
    "ok",
    "tool_error",
    "protocol_error",
    "invalid_args",
    "timeout",
    "cancelled",
    "upstream_lost",
    "denied_budget",
    "denied_policy",
    "interrupted",
  ]),
  result: json,
  error: z.strictObject({ code: z.number(), message: text }).nullable(),
  truncated: z.strictObject({ from: count, to: count }).nullable(),
  madeWellFormed: z.array(z.enum(["arguments", "result", "error"])).optional(),
  at: instant,
  queueMs: z.number(),
  upstreamMs: z.number(),
  proxyMs: z.number(),
  overlaps: z.array(z.int().positive()),
  wire: z.tuple([z.int(), z.int()]),
  previous: hash,
}) as z.ZodType<Step>;

/** The first thing wrong, as "criteria.0.weight: Invalid input…". */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return error.message;
  const where = issue.path.map(String).join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}
