import { z } from "@hono/zod-openapi";
import { closedObject } from "./closed-object.ts";
import { outcomeName, rewardKindName, splitName } from "./schemas.ts";

/** What the endpoints take. Every field that is not named here is refused. */
const LABELS_MAX = 32;
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const CALLS_MAX = 256;

/** Without the members that were not given, which is not the same as undefined ones. */
export function given<T extends object>(value: T): Given<T> {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, inner(member)])) as Given<T>;
}

type Given<T> = {
  [Name in keyof T]: Exclude<T[Name], undefined> extends Readonly<Record<string, unknown>>
    ? Given<Exclude<T[Name], undefined>>
    : Exclude<T[Name], undefined>;
};

function inner(member: unknown): unknown {
  const isPlain =
    typeof member === "object" &&
    member !== null &&
    Object.getPrototypeOf(member) === Object.prototype;
  return isPlain ? given(member) : member;
}

const text = (max: number) => z.string().min(1).max(max);
const bound = z.int().positive().max(Number.MAX_SAFE_INTEGER);

const request = {
  task: text(200).describe("As GET /v1/tasks lists it."),
  variant: z.int().min(1).max(1e9).optional().describe("Default 1."),
  policy: z
    .string()
    .regex(/^[\x21-\x7e]{1,100}$/, "must be 1 to 100 visible ASCII characters")
    .optional()
    .describe('What you call yourself; default "external".'),
  labels: z
    .record(z.string().regex(LABEL, "is no name of a label"), z.string().max(256))
    .refine((labels) => Object.keys(labels).length <= LABELS_MAX, `at most ${LABELS_MAX} labels`)
    .optional(),
  reward: rewardKindName
    .optional()
    .describe("Which reward the rollout's `reward` is. Default: the task's."),
  budget: closedObject({
    calls: bound.optional(),
    wallMs: bound.optional(),
    callMs: bound.optional().describe("Of one call; then it is cancelled."),
    resultBytes: bound.optional(),
    concurrentCalls: bound.optional(),
  })
    .optional()
    .describe("Lower bounds than the task's on what the agent may ask for."),
  limits: closedObject({
    memoryBytes: bound.optional().describe("Of all processes, /tmp and the workspace."),
    processes: bound.optional(),
    cpus: z.number().positive().max(1e6).optional(),
    tmpBytes: bound.optional(),
    fileBytes: bound.optional().describe("The largest file."),
    openFiles: bound.optional(),
    workspaceBytes: bound.optional(),
    workspaceFiles: bound.optional(),
  })
    .optional()
    .describe("Lower bounds than the task's on what its sandbox may use."),
  leaseMs: z
    .int()
    .min(5_000)
    .max(3_600_000)
    .optional()
    .describe("Without a call or heartbeat for this long the agent counts as gone. 120,000."),
};

export const rolloutRequest = closedObject({
  ...request,
  group: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 letters, digits or . _ -")
    .optional()
    .describe("A label of your own that ties rollouts asked for one by one."),
}).openapi("RolloutRequest");

export const groupRequest = closedObject({ ...request, n: z.int().min(1).max(256) }).openapi(
  "GroupRequest",
);

export const finishBody = closedObject({
  answer: z.string().max(500_000).nullable().optional().describe("What the agent says at the end."),
}).openapi("Finish");

/** What is no object is an invalid call, and answered as one. */
const callArguments = z
  .unknown()
  .optional()
  .openapi({ type: "object", additionalProperties: true, description: "Default {}." });
const toolName = text(200);

export const callBody = closedObject({ arguments: callArguments }).openapi("ToolArguments");

export const callsBody = closedObject({
  calls: z
    .array(closedObject({ name: toolName, arguments: callArguments }))
    .min(1)
    .max(CALLS_MAX)
    .describe("Run in parallel."),
}).openapi("ToolCalls");

const whichGrader = z
  .enum(["recorded", "current"])
  .optional()
  .describe("The grader in the bundle (the default), or the one that the task has now.");

export const gradeBody = closedObject({
  rollout: text(100).describe("The id of an ended rollout."),
  grader: whichGrader,
}).openapi("GradeRequest");

export const gradeQuery = closedObject({ grader: whichGrader });

const path = (name: string) => text(200).openapi({ param: { name, in: "path" } });

/** What is no id at all is unknown, as one of another key is. */
export const idParams = z.object({ id: path("id") });

export const callParams = idParams.extend({
  name: path("name"),
});

const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, "must be a whole number")
  .transform(Number)
  .openapi({ type: "integer", minimum: 0 });

export const afterQuery = closedObject({
  after: wholeNumber.optional().describe("How many of them you have; the first is left out."),
});

/** A day is its first instant, in UTC. */
const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: "must be an instant such as 2026-03-02T09:00:00Z, or a day such as 2026-03-02",
  })
  .transform((text) => new Date(text))
  .openapi({ type: "string", format: "date-time" });

const rewardBound = z
  .string()
  .regex(/^-?(0|1|0?\.\d{1,9}|1\.0{1,9})$/, "must be a number from -1 to 1")
  .transform(Number)
  .openapi({ type: "number", minimum: -1, maximum: 1 });

export const listQuery = closedObject({
  id: text(100).optional().describe("The first letters of an id."),
  task: text(200).optional(),
  policy: text(200).optional(),
  group: text(200)
    .optional()
    .describe("The id of a group (all attempts in it), or a label of yours."),
  outcome: z
    .union([outcomeName, z.literal("none")])
    .optional()
    .describe("`none`: those that have not ended."),
  split: splitName.optional(),
  since: instant.optional().describe("Requested then or later; a day begins at 00:00 UTC."),
  until: instant.optional().describe("Requested before that."),
  minReward: rewardBound
    .optional()
    .describe("Of the reward of the record's `rewardKind`; who has none is left out."),
  maxReward: rewardBound.optional(),
  limit: wholeNumber
    .refine((limit) => limit >= 1 && limit <= 1000, "must be from 1 to 1000")
    .optional()
    .describe("Default 100."),
  cursor: text(500).optional().describe("`next` of the page before."),
});

export const toolsQuery = closedObject({
  format: z.enum(["mcp", "openai", "anthropic"]).optional(),
});

export const noQuery = closedObject({});

export const requestHeaders = z.object({
  prefer: z.string().max(500).optional().describe("`wait=SECONDS` (600 at most): until it serves."),
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 visible ASCII characters")
    .optional()
    .describe("The same key and body give the same rollout; another body 409."),
});

export const waitHeaders = z.object({
  prefer: z.string().max(500).optional().describe("`wait=SECONDS` (600 at most): until it serves."),
});

export const asyncHeaders = z.object({
  prefer: z.string().max(500).optional().describe("`respond-async`: answer at once with 202."),
});

export const eventHeaders = z.object({
  "last-event-id": wholeNumber.optional().describe("The id of the last event that you had."),
});
