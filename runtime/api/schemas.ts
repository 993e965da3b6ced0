import { z } from "@hono/zod-openapi";
import type { Grade, RewardKind } from "../grading/grade.ts";
import type { Step } from "../mcp/record/step.ts";
import type { GroupView, RolloutEvent, RolloutView, ToolAnswer } from "../service/service.ts";
import type { Outcome, Phase, RolloutRecord } from "../store/record.ts";
import type { RecordPage } from "../store/records.ts";
import {
  budgetSchema,
  gradeSchema,
  limitsSchema,
  recordSchema,
  rewardKindSchema,
  splitSchema,
} from "../store/schemas.ts";
import { signatureSchema } from "../store/signature.ts";
import type { Split } from "../task/task.ts";

/** What the endpoints answer. The document at /openapi.json is made from these. */
const phaseSchema: z.ZodType<Phase> = z
  .enum(["requested", "seeded", "serving", "finished", "captured", "graded", "stored"])
  .openapi("Phase", { description: "How far the rollout got; see ARCHITECTURE.md." });

export const outcomeName: z.ZodType<Outcome> = z
  .enum(["graded", "agent_error", "task_error", "grader_error", "infra_error", "cancelled"])
  .openapi("Outcome", {
    description: "`graded` has a reward, and `agent_error` that of 0; the others have none.",
  });

/** A schema of another room, made before names could be given to schemas. */
function named<T>(schema: z.ZodType<T>, name: string, description: string): z.ZodType<T> {
  return schema.describe(description).openapi(name);
}

/** Not `.nullable()`, which would make the named schema itself nullable in the document. */
function orNull<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return z.union([schema, z.null()]);
}

export const rewardKindName: z.ZodType<RewardKind> = named(
  rewardKindSchema,
  "RewardKind",
  "All criteria or nothing, the weighted fraction of them, or what that is above doing nothing.",
);

export const splitName: z.ZodType<Split> = named(
  splitSchema,
  "Split",
  "Whether the variant is for training or held out.",
);

const json = z.any();
const object = z.record(z.string(), z.unknown());
const instant = z.string().openapi({ format: "date-time" });

const recordDocument: z.ZodType<RolloutRecord> = named(
  recordSchema,
  "Record",
  "What remains of a rollout, whatever happened to it.",
);

const gradeDocument: z.ZodType<Grade> = named(gradeSchema, "Grade", "The verdict.");

export const viewSchema: z.ZodType<RolloutView> = z
  .strictObject({
    id: z.string(),
    group: z.string().nullable().describe("The id of its group, or the caller's label."),
    attempt: z.int().describe("From 1; a lost member of a group is tried again."),
    phase: phaseSchema,
    outcome: orNull(outcomeName),
    task: z.string(),
    variant: z.int(),
    instruction: z.string().describe("What the agent is told."),
    labels: z.record(z.string(), z.string()),
    mcp: z
      .strictObject({ url: z.string(), token: z.string() })
      .nullable()
      .describe("While it serves. The token opens this rollout and no other."),
    deadline: instant.nullable().describe("When the wall budget ends it."),
    leaseUntil: instant.nullable().describe("Renewed by heartbeats and calls."),
    rewardKind: rewardKindName,
    reward: z.number().nullable().describe("The reward of that kind; null without a grade."),
    record: orNull(recordDocument).describe("Once it has ended."),
  })
  .openapi("Rollout");

export const groupSchema: z.ZodType<GroupView> = z
  .strictObject({
    id: z.string(),
    task: z.string(),
    variant: z.int(),
    n: z.int(),
    members: z.array(viewSchema).describe("The newest attempt of each member, in order."),
    lost: z.array(viewSchema).describe("Attempts lost to infra_error and replaced."),
    ended: z.boolean(),
    gradable: z.int().describe("Members with a reward."),
    shortfall: z
      .array(z.strictObject({ id: z.string(), reason: z.string() }))
      .describe("Why members have no reward, once the group has ended."),
  })
  .openapi("Group");

export const pageSchema: z.ZodType<RecordPage> = z
  .strictObject({
    records: z.array(recordDocument).describe("Newest request first."),
    next: z.string().nullable().describe("The cursor of the next page; null on the last."),
  })
  .openapi("RecordPage");

export const stepDocument: z.ZodType<Step> = z
  .strictObject({
    step: z.int(),
    callId: z.string(),
    server: z.string(),
    tool: z.string(),
    exposedName: z.string(),
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
    error: z.strictObject({ code: z.number(), message: z.string() }).nullable(),
    truncated: z.strictObject({ from: z.int(), to: z.int() }).nullable(),
    at: instant,
    queueMs: z.number(),
    upstreamMs: z.number(),
    proxyMs: z.number(),
    overlaps: z.array(z.int()),
    wire: z.tuple([z.int(), z.int()]),
    previous: z.string(),
  })
  .openapi("Step", { description: "One call of a tool, as the host saw it." });

export const eventSchema: z.ZodType<RolloutEvent> = z
  .discriminatedUnion("type", [
    z.strictObject({
      seq: z.int(),
      type: z.literal("phase"),
      phase: phaseSchema,
      at: instant,
    }),
    z.strictObject({ seq: z.int(), type: z.literal("step"), step: stepDocument }),
    z.strictObject({ seq: z.int(), type: z.literal("grade"), grade: json }),
  ])
  .openapi("Event", { description: "The data of one server-sent event; its id is `seq`." });

export const answerSchema = z
  .union([
    z.strictObject({
      result: object.describe("A CallToolResult of MCP."),
      budgetUsed: z
        .enum(["calls", "wall", "bytes"])
        .optional()
        .describe("What of the budget is used up: no further call will be made."),
    }),
    z.strictObject({ error: z.strictObject({ code: z.int(), message: z.string() }) }),
  ])
  .openapi("ToolAnswer", {
    description: "A tool's result, or a JSON-RPC error.",
  }) as z.ZodType<ToolAnswer>;

export const answersSchema = z
  .strictObject({ answers: z.array(answerSchema).describe("In the order of the calls.") })
  .openapi("ToolAnswers");

const described = { name: z.string(), description: z.string() };

export const toolsSchema = z
  .union([
    z.strictObject({ tools: z.array(z.looseObject({ name: z.string() })) }),
    z.strictObject({
      tools: z.array(
        z.strictObject({
          type: z.literal("function"),
          function: z.strictObject({ ...described, parameters: object }),
        }),
      ),
    }),
    z.strictObject({ tools: z.array(z.strictObject({ ...described, input_schema: object })) }),
  ])
  .openapi("Tools", { description: "In the format asked for: mcp, openai or anthropic." });

export const leaseSchema = z.strictObject({ leaseUntil: instant }).openapi("Lease");

export const regradeSchema = z
  .strictObject({
    rollout: z.string(),
    grade: gradeDocument,
    recorded: orNull(gradeDocument).describe("The grade that the bundle holds."),
    same: z.boolean().nullable().describe("Byte for byte; null if the bundle holds none."),
    bundle: z.string().describe("Its id."),
    signature: signatureSchema
      .nullable()
      .describe(
        "Over the canonical JSON of {bundle, grade, schema}; null unless the service's key signed the bundle.",
      ),
  })
  .openapi("Regrade");

export const tasksSchema = z
  .strictObject({
    tasks: z.array(
      z.strictObject({
        id: z.string(),
        description: z.string(),
        category: z.string(),
        difficulty: z.string(),
        keywords: z.array(z.string()),
        variants: z.strictObject({ count: z.int(), holdout: z.array(z.int()) }),
        servers: z.array(z.string()),
        budget: budgetSchema,
        reward: rewardKindName.describe("By default."),
        limits: limitsSchema,
        now: instant.describe("What the sandbox's clock says at the start."),
        sha256: z.string(),
      }),
    ),
    broken: z.array(z.strictObject({ id: z.string(), code: z.string(), message: z.string() })),
  })
  .openapi("Tasks");

export const healthSchema = z
  .strictObject({ status: z.literal("ok"), phase: z.string() })
  .openapi("Health");

export const readySchema = z
  .strictObject({
    status: z.literal("ready"),
    canary: z
      .strictObject({ at: instant, ms: z.number() })
      .describe("When a sandbox was last made, used and removed, and how long it took."),
  })
  .openapi("Ready");
