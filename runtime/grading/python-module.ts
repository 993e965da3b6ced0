import { timingSafeEqual } from "node:crypto";
import { type Fault, messageOf } from "../base/fault.ts";
import { secret } from "../base/id.ts";
import type { Box } from "../engine/engine.ts";

/**
 * Makes the fault for a run that gives no answer. "ended-well": it ended as one that has answered does, so
 * its answer may have been lost on the way.
 */
export type OnSilence = (kind: "timed-out" | "no-answer" | "ended-well", message: string) => Fault;

export interface PythonRun {
  /** "run_grader" and the like: a module of the `cloche` package. */
  readonly module: string;
  readonly user: string;
  /** What the module reads as its one line of input; the nonce is added. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onSilence: OnSilence;
  /** Instead of what `pythonCommand` sets: only to find out whether a program depends on it. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface PythonAnswer {
  /** The one line of JSON that the module printed, its nonce checked and taken away. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** What it printed beside, for a person; at most 64 KiB. */
  readonly printed: string;
}

export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const PRINTED_BYTES_MAX = 65_536;

/**
 * Arguments and environment under which all Python of ours and of task authors runs: no user site,
 * nothing imported from the current folder, no byte code written, and the same hash seed, time
 * zone and locale always. (`-I` would ignore the hash seed, and grades would depend on chance.)
 */
export function pythonCommand(module: string): { argv: string[]; env: Record<string, string> } {
  return {
    argv: ["/usr/bin/python3", "-P", "-s", "-B", "-m", `cloche.${module}`],
    env: { PYTHONHASHSEED: "0", TZ: "UTC", LC_ALL: "C.UTF-8", PYTHONUTF8: "1" },
  };
}

/**
 * Runs a module of the `cloche` package in a box and returns its answer. The answer travels over
 * the exec's own stdout, which nothing but that process can write, and is bound to a nonce that
 * went in over stdin. Rejects with `onSilence(…)` if there is no such answer, and as `Box.exec`.
 */
export async function runPythonModule(box: Box, run: PythonRun): Promise<PythonAnswer> {
  const nonce = secret();
  const { argv, env } = pythonCommand(run.module);
  const result = await box.exec(argv, {
    user: run.user,
    env: { ...env, ...run.env },
    stdin: Buffer.from(`${JSON.stringify({ ...run.input, nonce })}\n`),
    timeoutMs: run.timeoutMs,
    maxOutputBytes: ANSWER_BYTES_MAX,
    ...(run.signal ? { signal: run.signal } : {}),
  });
  return readAnswer(result, nonce, run);
}

/** What a module's run came to. */
export interface PythonOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
}

/** The answer in what a module printed, or `onSilence(…)`. */
export function readAnswer(
  { stdout, stderr, exitCode, timedOut }: PythonOutput,
  nonce: string,
  { timeoutMs, onSilence }: Pick<PythonRun, "timeoutMs" | "onSilence">,
): PythonAnswer {
  const printed = stderr.subarray(0, PRINTED_BYTES_MAX).toString("utf8");
  if (timedOut) throw onSilence("timed-out", `no answer within ${timeoutMs / 1000} s\n${printed}`);
  try {
    return { answer: parseAnswer(stdout, nonce), printed };
  } catch (error) {
    const what = `${messageOf(error)} (exit code ${exitCode})`;
    throw onSilence(exitCode === 0 ? "ended-well" : "no-answer", `${what}\n${printed}`.trimEnd());
  }
}

function parseAnswer(stdout: Buffer, nonce: string): Readonly<Record<string, unknown>> {
  const lines = stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
  const [line] = lines;
  if (line === undefined) throw new Error("it printed nothing");
  if (lines.length > 1) throw new Error(`it printed ${lines.length} lines where one is allowed`);
  const { nonce: returned, ...answer } = JSON.parse(line) as Record<string, unknown>;
  if (typeof returned !== "string" || !sameText(returned, nonce)) {
    throw new Error("its answer carries another nonce");
  }
  return answer;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
