import { parse, TomlDate, TomlError } from "smol-toml";
import { z } from "zod";
import { Fault, messageOf } from "../base/fault.ts";
import { allowedHost } from "../base/host-name.ts";
import { REWARD_KINDS, type RewardKind } from "../grading/grade.ts";
import type { Budget } from "../mcp/record/step.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";
import { taskFault } from "./faults.ts";
import { readServers } from "./servers.ts";
import { stateFoldersOf } from "./state-folders.ts";
import { LEAST_LIMITS, type ProofSettings, type TaskLimits, type Variants } from "./task.ts";
import { tomlFault } from "./toml-issues.ts";

const MIB = 1024 * 1024;

const whole = (least: number, most: number) => z.int().min(least).max(most);
const name = z.string().min(1).max(200);

const instant = z
  .custom<unknown>((value) => value !== undefined, "is missing: give a time in UTC")
  .transform((value, context) => {
    const text = value instanceof TomlDate && !value.isLocal() ? value.toISOString() : value;
    const parsed = z.iso.datetime({ offset: true }).safeParse(text);
    if (parsed.success) return new Date(parsed.data);
    context.addIssue('must be a time with its zone, such as "2026-03-02T09:00:00Z"');
    return z.NEVER;
  });

const serverTable = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and hyphens, at most 31"),
  transport: z.literal("stdio", 'must be "stdio": sandboxes have no network').optional(),
  command: name.optional(),
  args: z.array(z.string()).max(100).optional(),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
});

const explained = z
  .array(z.strictObject({ what: name, why: z.string().min(10, "must say why, in a sentence") }))
  .max(100)
  .default([]);

const proofTable = z.strictObject({
  free: explained,
  survivors: explained,
  strict: explained,
  lenient: z.array(z.enum(["number-as-text", "iso-dates", "row-order"])).default([]),
  given: explained,
  alike: explained,
  at_least: z
    .strictObject({
      calls: whole(0, 100_000).default(0),
      servers: whole(0, 20).default(0),
      tokens: whole(0, 100_000_000).default(0),
    })
    .prefault({}),
});

const HOSTS_MAX = 32;

const egressHost = z.string().transform((entry, context) => {
  const allowed = allowedHost(entry);
  if (allowed !== undefined) return `${allowed.host}:${allowed.port}`;
  const shown = JSON.stringify(entry.slice(0, 100));
  context.addIssue(
    `is ${shown}: give a whole name and a port, such as "example.test:443"; no address, no *`,
  );
  return z.NEVER;
});

/** All keys of task.toml, with defaults and bounds. */
const taskTomlSchema = z.strictObject({
  schema_version: z.literal("1.4", 'must be "1.4"'),
  task: z
    .strictObject({
      name: name.optional(),
      description: z.string().max(2000).default(""),
      keywords: z.array(name).max(50).default([]),
    })
    .prefault({}),
  metadata: z
    .strictObject({ category: name.optional(), difficulty: name.default("medium") })
    .prefault({}),
  agent: z.strictObject({ timeout_sec: z.number().min(1).max(86_400).optional() }).prefault({}),
  verifier: z.strictObject({ timeout_sec: z.number().min(1).max(3600).default(120) }).prefault({}),
  environment: z.strictObject({
    cpus: z.number().min(LEAST_LIMITS.cpus).max(64).default(1),
    memory_mb: whole(LEAST_LIMITS.memoryBytes / MIB, 131_072).default(1024),
    storage_mb: whole(LEAST_LIMITS.workspaceBytes / MIB, 65_536).default(256),
    state_mb: whole(1, 16_384).optional(),
    mcp_servers: z.array(serverTable).min(1).max(20),
  }),
  cloche: z.strictObject({
    now: instant,
    fixture: name.optional(),
    reward: z.enum(REWARD_KINDS).default("sparse"),
    proof: proofTable.prefault({}),
    egress: z.strictObject({ hosts: z.array(egressHost).min(1).max(HOSTS_MAX) }).optional(),
    variants: z
      .strictObject({
        count: whole(1, 1_000_000).default(1),
        holdout: z.array(whole(1, 1_000_000)).default([]),
      })
      .prefault({}),
    budget: z
      .strictObject({
        calls: whole(1, 100_000).default(200),
        wall_sec: z.number().min(1).max(86_400).default(1800),
        call_sec: z.number().min(1).max(86_400).default(300),
        result_bytes: whole(1024, 8 * MIB).default(256 * 1024),
        concurrent_calls: whole(1, 64).default(8),
      })
      .prefault({}),
    limits: z
      .strictObject({
        processes: whole(LEAST_LIMITS.processes, 4096).default(256),
        workspace_files: whole(LEAST_LIMITS.workspaceFiles, 1_000_000).default(10_000),
        state_files: whole(16, 1_000_000).optional(),
        tmp_mb: whole(LEAST_LIMITS.tmpBytes / MIB, 16_384).default(64),
        file_mb: whole(LEAST_LIMITS.fileBytes / MIB, 65_536).default(128),
        open_files: whole(LEAST_LIMITS.openFiles, 65_536).default(1024),
      })
      .prefault({}),
  }),
});

type Toml = z.output<typeof taskTomlSchema>;

/** What task.toml says, in our own words and units. */
export interface TaskToml {
  readonly name: string | undefined;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly category: string | undefined;
  readonly difficulty: string;
  readonly servers: readonly ServerSpec[];
  readonly limits: TaskLimits;
  readonly budget: Budget;
  readonly reward: RewardKind;
  readonly now: Date;
  readonly variants: Variants;
  readonly fixture: string | undefined;
  readonly graderTimeoutMs: number;
  readonly proof: ProofSettings;
  readonly egress: readonly string[];
}

/**
 * Reads the text of a task.toml; `file` is what messages call it. Throws `task/toml-syntax`,
 * `task/unknown-key`, `task/bad-value` or `task/unknown-server`.
 */
export function readTaskToml(text: string, file: string): TaskToml {
  const parsed = taskTomlSchema.safeParse(parseToml(text, file));
  if (!parsed.success) throw tomlFault(file, taskTomlSchema, parsed.error);
  const toml = parsed.data;
  const { task, metadata, verifier, cloche, environment } = toml;
  const servers = readServers(environment.mcp_servers, file);
  return {
    name: task.name,
    description: task.description,
    keywords: task.keywords,
    category: metadata.category,
    difficulty: metadata.difficulty,
    servers,
    limits: limitsOf(toml, servers, file),
    budget: budgetOf(toml),
    reward: cloche.reward,
    now: cloche.now,
    variants: variantsOf(toml, file),
    fixture: cloche.fixture,
    graderTimeoutMs: verifier.timeout_sec * 1000,
    proof: proofOf(toml),
    egress: [...new Set(cloche.egress?.hosts ?? [])].sort(),
  };
}

/**
 * What is wrong with the servers that a task.toml names, whatever else is wrong with it; undefined
 * if nothing is, or if its tables can't be read at all.
 */
export function serversFault(text: string, file: string): Fault | undefined {
  const servers = z.object({ environment: z.object({ mcp_servers: z.array(serverTable) }) });
  try {
    const parsed = servers.safeParse(parseToml(text, file));
    if (parsed.success) readServers(parsed.data.environment.mcp_servers, file);
  } catch (error) {
    if (error instanceof Fault && error.code !== "task/toml-syntax") return error;
  }
  return undefined;
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const where = error instanceof TomlError ? `:${error.line}:${error.column}` : "";
    const what = messageOf(error).replace("Invalid TOML document: ", "").trimEnd();
    throw taskFault("toml-syntax", `${file}${where} is not TOML: ${what}`, { cause: error });
  }
}

function limitsOf(toml: Toml, servers: readonly ServerSpec[], file: string): TaskLimits {
  const { environment, cloche } = toml;
  const { memory_mb, storage_mb, cpus } = environment;
  const state = stateLimits(toml, servers, file);
  const stateMb = (state.stateBytes ?? 0) / MIB;
  if (storage_mb + stateMb > memory_mb) {
    const both = stateMb === 0 ? "" : ` and state_mb (${stateMb}) together`;
    throw badValue(
      file,
      `[environment].storage_mb (${storage_mb})${both} must not be above memory_mb ` +
        `(${memory_mb}): ${both === "" ? "the workspace is" : "both are"} held in the ` +
        "sandbox's memory",
    );
  }
  const { processes, open_files, tmp_mb, file_mb, workspace_files } = cloche.limits;
  return {
    memoryBytes: memory_mb * MIB,
    processes,
    cpus,
    tmpBytes: tmp_mb * MIB,
    fileBytes: file_mb * MIB,
    openFiles: open_files,
    workspaceBytes: storage_mb * MIB,
    workspaceFiles: workspace_files,
    ...state,
  };
}

const STATE_MB = 16;
const STATE_FILES = 2000;

function stateLimits(
  { environment: { state_mb }, cloche: { limits } }: Toml,
  servers: readonly ServerSpec[],
  file: string,
): Pick<TaskLimits, "stateBytes" | "stateFiles"> {
  const { state_files } = limits;
  if (stateFoldersOf(servers).length > 0) {
    return {
      stateBytes: (state_mb ?? STATE_MB) * MIB,
      stateFiles: state_files ?? STATE_FILES,
    };
  }
  if (state_mb === undefined && state_files === undefined) return {};
  const key = state_mb === undefined ? "[cloche.limits].state_files" : "[environment].state_mb";
  throw badValue(file, `${key} is given, but no server of the task keeps state: take it out`);
}

/** Harbor's [agent].timeout_sec and our wall_sec bound one thing: the lower one holds. */
function budgetOf({ agent, cloche }: Toml): Budget {
  const { calls, wall_sec, call_sec, result_bytes, concurrent_calls } = cloche.budget;
  return {
    calls,
    wallMs: Math.round(Math.min(wall_sec, agent.timeout_sec ?? wall_sec) * 1000),
    callMs: Math.round(call_sec * 1000),
    resultBytes: result_bytes,
    concurrentCalls: concurrent_calls,
  };
}

function proofOf({ cloche }: Toml): ProofSettings {
  const { at_least: atLeast, ...said } = cloche.proof;
  return { ...said, atLeast };
}

function variantsOf({ cloche }: Toml, file: string): Variants {
  const { count, holdout } = cloche.variants;
  const beyond = holdout.find((variant) => variant > count);
  if (beyond !== undefined) {
    const message = `[cloche.variants].holdout names ${beyond}, but there are only ${count}`;
    throw badValue(file, message);
  }
  return { count, holdout: [...new Set(holdout)].sort((a, b) => a - b) };
}

function badValue(file: string, message: string): Fault {
  return taskFault("bad-value", `${file}: ${message}`, { detail: { file } });
}
