import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import { broughtDown } from "../engine/brought-down.ts";
import type { BoxLimits, Engine, ExecResult, Sandbox, SandboxSpec } from "../engine/engine.ts";
import { isObject } from "../mcp/json-rpc.ts";
import type { BlobSource } from "../workspace/blob-source.ts";
import { openClock } from "../workspace/sandbox-clock.ts";
import { seedWorkspace } from "../workspace/seed.ts";
import type { Snapshot } from "../workspace/snapshot.ts";

/** Where programs of an agent's are run for its grader. */
export interface ExecutionPlace {
  readonly engine: Engine;
  /** The image that the agent worked in. */
  readonly image: () => Promise<string>;
  readonly labels: { readonly owner: string; readonly process: string };
  readonly limits: BoxLimits;
  readonly workspace: { readonly bytes: number; readonly files: number };
  readonly clock: Clock;
  /** The task's time. */
  readonly now: Date;
}

/** Answers one request of a grader's. What the program does is an answer, never a rejection. */
export type Execute = (request: unknown, signal: AbortSignal) => Promise<ExecutionAnswer>;

export type ExecutionAnswer =
  | { readonly id: number; readonly refused: string }
  | {
      readonly id: number;
      /** Null if it did not end in time. */
      readonly exitCode: number | null;
      /** Their beginnings, as base64. */
      readonly stdout: string;
      readonly stderr: string;
      readonly cut: boolean;
    };

const MAX_RUNS = 100;
const OUTPUT_BYTES = 64 * 1024;
const LIFE_MS = 30 * 60_000;
const RUNNER = "agent";
const OWNER = "owner";

const request = z.strictObject({
  id: z.int().nonnegative(),
  argv: z
    .array(
      z
        .string()
        .max(64 * 1024)
        .refine((text) => !text.includes("\0"), "holds a NUL"),
    )
    .min(1)
    .max(200),
  stdin: z.base64().max(2 ** 21),
  timeoutMs: z.int().min(1).max(60_000),
});

/**
 * Runs programs on the captured workspace, each in a sandbox of its own that is made for it and
 * removed after it: it reads a copy of the capture, can change nothing of it, reaches nobody, and
 * what comes back is its exit code and the beginning of its output. Rejects as `Engine.create`,
 * `Box.exec` and `seedWorkspace` do, or with the signal's reason.
 */
export function executor(place: ExecutionPlace, after: Snapshot, blobs: BlobSource): Execute {
  let runs = 0;
  return async (asked, signal) => {
    const parsed = request.safeParse(asked);
    if (!parsed.success) return { id: idOf(asked), refused: z.prettifyError(parsed.error) };
    const { id, argv, stdin, timeoutMs } = parsed.data;
    runs += 1;
    if (runs > MAX_RUNS) return { id, refused: `a grader may run ${MAX_RUNS} programs` };
    const bytes = Buffer.from(stdin, "base64");
    const result = await runOnce(place, after, blobs, { argv, stdin: bytes, timeoutMs }, signal);
    const { exitCode, stdout, stderr, dropped } = result;
    return {
      id,
      exitCode,
      stdout: stdout.toString("base64"),
      stderr: stderr.toString("base64"),
      cut: dropped.stdout + dropped.stderr > 0,
    };
  };
}

/** For a grader in a place where nothing of an agent's can be run. */
export const refuseAll: Execute = async (asked) => {
  return { id: idOf(asked), refused: "programs cannot be run where this grader is" };
};

function idOf(asked: unknown): number {
  return isObject(asked) && typeof asked["id"] === "number" ? asked["id"] : 0;
}

interface Program {
  readonly argv: readonly string[];
  readonly stdin: Uint8Array;
  readonly timeoutMs: number;
}

async function runOnce(
  place: ExecutionPlace,
  after: Snapshot,
  blobs: BlobSource,
  program: Program,
  signal: AbortSignal,
): Promise<ExecResult> {
  await using sandbox = await place.engine.create(await specOf(place), { signal });
  await seedWorkspace(sandbox, after, blobs, { owner: OWNER, signal });
  const seal = ["/bin/chmod", "-R", "g-w,o-w", "/workspace"];
  await sandbox.exec(seal, { user: OWNER, signal });
  await using clock = await openClock(sandbox, place.clock, { signal });
  await clock.set(place.now, signal);
  try {
    return await sandbox.exec(program.argv, {
      user: RUNNER,
      cwd: "/workspace",
      env: { PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" },
      stdin: program.stdin,
      timeoutMs: program.timeoutMs,
      maxOutputBytes: OUTPUT_BYTES,
      signal,
    });
  } catch (error) {
    return await asResult(error, sandbox);
  }
}

/**
 * A program that is not there, or that took its whole box with it by using it up: the agent
 * made it so, and were it a fault, an agent could choose to have no reward.
 */
async function asResult(error: unknown, sandbox: Sandbox): Promise<ExecResult> {
  const code = error instanceof Fault ? error.code : "";
  if (code === "engine/exec-refused") return ended(127);
  if (code === "engine/box-gone" && broughtDown(await sandbox.state())) return ended(137);
  throw error;
}

function ended(exitCode: number): ExecResult {
  const none = Buffer.alloc(0);
  const dropped = { stdout: 0, stderr: 0 };
  return { exitCode, stdout: none, stderr: none, timedOut: false, dropped };
}

async function specOf(place: ExecutionPlace): Promise<SandboxSpec> {
  const { labels, limits, workspace, clock } = place;
  const id = namedId("execute");
  return {
    id,
    labels: { ...labels, rollout: id, expires: new Date(clock.now().getTime() + LIFE_MS) },
    image: await place.image(),
    users: [RUNNER, OWNER],
    workspace: { path: "/workspace", owner: OWNER, ...workspace },
    limits,
  };
}
