import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { withDeadline } from "../base/deadline.ts";
import type { Fault } from "../base/fault.ts";
import { secret } from "../base/id.ts";
import { broughtDown } from "../engine/brought-down.ts";
import type { Box, BoxProcess } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";
import { type Execute, refuseAll } from "./execution.ts";
import { GraderOutput } from "./grader-output.ts";
import {
  ANSWER_BYTES_MAX,
  type OnSilence,
  type PythonAnswer,
  pythonCommand,
  readAnswer,
} from "./python-module.ts";

/** The grader keeps its time by itself, for the untouched state and for the run; this is on top of it. */
const SLACK_MS = 30_000;
/** A generous bound on handing the files over: a box that stands still must not hold us for ever. */
const FILES_MS = 600_000;

export interface GraderQuestion {
  /** Where the box's volume is: the files come to lie there. */
  readonly root: string;
  /** As `graderFiles` makes them. */
  readonly files: AsyncIterable<Buffer>;
  /** For the untouched state, and again for the run; what `execute` takes is not counted. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onSilence: OnSilence;
  /** Runs what the grader asks to have run; without it that is refused. */
  readonly execute?: Execute;
}

/** Something that grades a run that it is handed. */
export interface RunGrader extends AsyncDisposable {
  ask(question: GraderQuestion): Promise<PythonAnswer>;
}

/**
 * The grader's Python, which loads its libraries and then waits for its one run: it may be started
 * before there is anything to grade, and sees nothing of a run until it is handed all of it.
 */
export class WaitingGrader implements RunGrader {
  readonly #box: Box;
  readonly #opening: Promise<OpenedProcess>;

  /** Begins to start it. That it could not be started is known when it is asked. */
  constructor(box: Box, user: string, signal: AbortSignal) {
    this.#box = box;
    const { argv, env } = pythonCommand("run_grader");
    const how = { user, env, startsWithInput: true, tellsLoss: true, signal };
    this.#opening = box.open(argv, how).then((process) => {
      return { process, stdout: new GraderOutput(process.stdout), stderr: kept(process.stderr) };
    });
    this.#opening.catch(() => {});
  }

  /**
   * Hands it the run and returns its answer, which travels over the exec's own stdout and is bound
   * to a nonce that went in over stdin. Once only. Rejects with `onSilence(…)`, as `Box.open`, with
   * what `files` or `execute` fail with, `engine/no-answer`, `engine/box-gone`, or the signal's reason.
   */
  async ask(question: GraderQuestion): Promise<PythonAnswer> {
    const { root, files, timeoutMs, signal, onSilence } = question;
    const { process, stdout, stderr } = await this.#opening;
    const nonce = secret();
    stdout.expect(nonce);
    const seconds = timeoutMs / 1000;
    process.stdin.write(`${JSON.stringify({ nonce, root, files: true, seconds })}\n`);
    const late = () => engineFault("no-answer", `the grader took no files for ${FILES_MS} ms`);
    await withDeadline(FILES_MS, signal, late, async (until) => {
      const source = Readable.from(files, { objectMode: false });
      await pipeline(source, process.stdin, { signal: until, end: false });
    });
    const timedOut = !(await served(await this.#opening, question));
    const said = { stdout: stdout.bytes(), stderr: stderr.bytes() };
    const output = { ...said, timedOut, exitCode: null };
    if (timedOut) {
      await process[Symbol.asyncDispose]();
      return readAnswer(output, nonce, { timeoutMs, onSilence });
    }
    try {
      return readAnswer(output, nonce, { timeoutMs, onSilence });
    } catch (cause) {
      const { exitCode } = await process.ended;
      if (exitCode === null) throw await this.#loss(question, cause);
      return readAnswer({ ...output, exitCode }, nonce, { timeoutMs, onSilence });
    }
  }

  /** The grader is gone without an answer: with the box that it has brought down, or for no doing of its own. */
  async #loss({ onSilence, signal }: GraderQuestion, cause: unknown): Promise<Fault> {
    const state = await this.#box.state({ signal });
    if (!broughtDown(state)) {
      const code = state.running ? "program-lost" : "box-gone";
      return engineFault(code, "the box lost the grader while it ran", { cause });
    }
    const what = state.outOfMemory ? "memory" : "memory or processes";
    return onSilence("no-answer", `it took more ${what} than its box may have, which ended`);
  }

  /** Ends it, if it was not asked or has not answered. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening.catch(() => undefined);
    await opened?.process[Symbol.asyncDispose]();
  }
}

interface OpenedProcess {
  readonly process: BoxProcess;
  readonly stdout: GraderOutput;
  readonly stderr: Kept;
}

interface Kept {
  /** What was printed so far: its beginning. */
  bytes(): Buffer;
  /** Settles at the end of the output; never rejects. */
  readonly over: Promise<void>;
}

/** Does what it asks for until its output ends; whether that was in time. */
async function served(
  { process, stdout, stderr }: OpenedProcess,
  { timeoutMs, signal, execute = refuseAll }: GraderQuestion,
): Promise<boolean> {
  let leftMs = 2 * timeoutMs + SLACK_MS;
  for (;;) {
    const since = performance.now();
    const next = await inTime(leftMs, signal, () => stdout.next());
    leftMs -= performance.now() - since;
    if (next === "late") return false;
    if (next.value === undefined) break;
    const answer = await execute(next.value, signal);
    process.stdin.write(`${JSON.stringify({ execute: answer })}\n`);
  }
  process.stdin.end();
  return (await inTime(leftMs, signal, () => stderr.over)) !== "late";
}

async function inTime<T>(
  ms: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<{ readonly value: T } | "late"> {
  const late = new Error("late");
  try {
    return { value: await withDeadline(Math.max(1, ms), signal, () => late, work) };
  } catch (error) {
    if (error === late) return "late";
    throw error;
  }
}

/** Reads a stream to its end and keeps its beginning. */
function kept(stream: Readable): Kept {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pieces: Buffer[] = [];
  let room = ANSWER_BYTES_MAX;
  stream.on("data", (chunk: Buffer) => {
    if (room > 0) pieces.push(chunk.subarray(0, room));
    room -= Math.min(room, chunk.length);
  });
  for (const over of ["end", "close", "error"]) stream.on(over, () => resolve());
  return { bytes: () => Buffer.concat(pieces), over: promise };
}
