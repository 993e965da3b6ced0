import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { parseRawNumbers } from "../base/exact-json.ts";
import type { BoxProcess, Engine, SandboxLabels, SandboxSpec } from "../engine/engine.ts";
import { pythonCommand } from "../grading/python-module.ts";
import { connectClient, type McpClient } from "../mcp/mcp-client.ts";
import type { Policy, PolicyInput } from "../rollout/policy.ts";
import { seedWorkspace } from "../workspace/seed.ts";
import { smallFiles } from "../workspace/small-files.ts";
import { policyFault } from "./faults.ts";

export interface ScriptedParts {
  readonly engine: Engine;
  /** The grader image: it has Python and the `cloche` package. */
  readonly image: string;
  readonly labels: Pick<SandboxLabels, "owner" | "process">;
  readonly clock: Clock;
}

export interface Script {
  readonly text: string;
  /** The Python modules that it may import, by file name. Default: none. */
  readonly modules?: Readonly<Record<string, string>>;
}

const FOLDER = "/play";
const USER = "policy";
const MB = 1024 * 1024;
/** Longer than any rollout's wall budget may be; the rollout ends the box, this is for the reaper. */
const LIFE_MS = 25 * 3_600_000;

/**
 * A policy that is a Python script (`solution.py`, `cheats/*.py`). It runs in a box of its own, with
 * no network and nothing of the task in it but the script and its modules; its only way out is lines
 * of JSON on its output, which become calls through the rollout's endpoint, as any agent makes them.
 */
export function scriptedPolicy(name: string, script: Script, parts: ScriptedParts): Policy {
  return {
    name,
    async play(input, signal) {
      await using box = await parts.engine.create(helperSpec(input, parts), { signal });
      const { snapshot, blobs } = smallFiles({ ...script.modules, "script.py": script.text });
      await seedWorkspace(box, snapshot, blobs, { path: FOLDER, owner: USER, signal });
      await using client = await connectClient(input.url, input.token, signal);
      const { argv, env } = pythonCommand("run_policy");
      await using program = await box.open(argv, { user: USER, cwd: FOLDER, env, signal });
      return await converse(program, client, input, signal);
    },
  };
}

function helperSpec(
  { rollout }: PolicyInput,
  { image, labels, clock }: ScriptedParts,
): SandboxSpec {
  const expires = new Date(clock.now().getTime() + LIFE_MS);
  return {
    id: `${rollout}-policy`,
    labels: { ...labels, rollout, expires },
    image,
    users: [USER],
    workspace: { path: FOLDER, owner: USER, bytes: 64 * MB, files: 1000 },
    limits: {
      memoryBytes: 768 * MB,
      processes: 64,
      cpus: 1,
      tmpBytes: 64 * MB,
      fileBytes: 64 * MB,
      openFiles: 256,
    },
  };
}

interface ScriptLine {
  readonly id?: number;
  readonly call?: { readonly tool: string; readonly arguments: Record<string, unknown> };
  readonly finish?: { readonly answer: string | null };
  readonly failed?: string;
}

/** Answers the script's calls until it says `finish` or `failed`, or ends. */
async function converse(
  program: BoxProcess,
  client: McpClient,
  input: PolicyInput,
  signal: AbortSignal,
): Promise<{ answer: string | null }> {
  const printed = tail(program.stderr);
  const tools = await client.listTools();
  const { instruction, variant } = input;
  const lines = createInterface({ input: program.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  signal.addEventListener("abort", () => lines.close(), { once: true });
  let lost: { readonly error: unknown } | undefined;
  const giveUp = (error: unknown) => {
    lost ??= { error };
    lines.close();
  };
  say(program.stdin, { script: `${FOLDER}/script.py`, instruction, variant, tools });
  for await (const text of lines) {
    const line = parseLine(text);
    if (line.call) answerCall(program.stdin, client, line.id ?? 0, line.call).catch(giveUp);
    if (line.finish) return { answer: line.finish.answer };
    if (line.failed !== undefined) throw crashed(line.failed);
  }
  signal.throwIfAborted();
  if (lost) throw lost.error;
  const { exitCode } = await program.ended;
  throw crashed(`it ended with exit code ${exitCode} and without a word; it printed: ${printed()}`);
}

/** A tool's error and a protocol error are answers. Rejects if the endpoint itself is lost. */
async function answerCall(
  stdin: Writable,
  client: McpClient,
  id: number,
  call: NonNullable<ScriptLine["call"]>,
): Promise<void> {
  say(stdin, { id, ...(await client.callTool(call.tool, call.arguments)) });
}

function say(stdin: Writable, message: unknown): void {
  if (stdin.writable) stdin.write(`${JSON.stringify(message)}\n`);
}

/** Numbers stay as Python wrote them, on to the tool and the step: `1.0`, and integers of any length. */
function parseLine(text: string): ScriptLine {
  try {
    return parseRawNumbers(text) as ScriptLine;
  } catch (cause) {
    throw crashed(`it wrote a line that is no JSON: ${text.slice(0, 200)}`, cause);
  }
}

function crashed(what: string, cause?: unknown): Error {
  return policyFault("crashed", `the policy's script failed: ${what}`, { cause });
}

/** The last 8 KiB of a stream as text. */
function tail(stream: NodeJS.ReadableStream): () => string {
  let kept = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-8192);
  });
  return () => kept.toString("utf8");
}
