import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { withDeadline } from "../base/deadline.ts";
import { secret } from "../base/id.ts";
import type { Box, BoxProcess } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";
import {
  ANSWER_BYTES_MAX,
  type OnSilence,
  type PythonAnswer,
  pythonCommand,
  readAnswer,
} from "./python-module.ts";

/** A generous bound on handing the files over: a box that stands still must not hold us for ever. */
const FILES_MS = 600_000;

export interface GraderQuestion {
  /** Where the box's volume is: the files come to lie there. */
  readonly root: string;
  /** As `graderFiles` makes them. */
  readonly files: AsyncIterable<Buffer>;
  /** From the moment when all files were handed over. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onSilence: OnSilence;
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
  readonly #opening: Promise<OpenedProcess>;

  /** Begins to start it. That it could not be started is known when it is asked. */
  constructor(box: Box, user: string, signal: AbortSignal) {
    const { argv, env } = pythonCommand("run_grader");
    this.#opening = box.open(argv, { user, env, signal }).then((process) => {
      return { process, stdout: kept(process.stdout), stderr: kept(process.stderr) };
    });
    this.#opening.catch(() => {});
  }

  /**
   * Hands it the run and returns its answer, which travels over the exec's own stdout and is bound
   * to a nonce that went in over stdin. Once only. Rejects with `onSilence(…)`, as `Box.open`, with
   * what `files` fails with, `engine/no-answer`, `engine/box-gone`, or the signal's reason.
   */
  async ask({ root, files, timeoutMs, signal, onSilence }: GraderQuestion): Promise<PythonAnswer> {
    const { process, stdout, stderr } = await this.#opening;
    const nonce = secret();
    process.stdin.write(`${JSON.stringify({ nonce, root, files: true })}\n`);
    const late = () => engineFault("no-answer", `the grader took no files for ${FILES_MS} ms`);
    await withDeadline(FILES_MS, signal, late, async (until) => {
      await pipeline(Readable.from(files, { objectMode: false }), process.stdin, { signal: until });
    });
    const over = Promise.all([stdout.over, stderr.over]);
    const timedOut = !(await isOverWithin(timeoutMs, over, signal));
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
      const lost = "the box lost the grader while it ran";
      if (exitCode === null) throw engineFault("box-gone", lost, { cause });
      return readAnswer({ ...output, exitCode }, nonce, { timeoutMs, onSilence });
    }
  }

  /** Ends it, if it was not asked or has not answered. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening.catch(() => undefined);
    await opened?.process[Symbol.asyncDispose]();
  }
}

interface OpenedProcess {
  readonly process: BoxProcess;
  readonly stdout: Kept;
  readonly stderr: Kept;
}

interface Kept {
  /** What was printed so far: its beginning. */
  bytes(): Buffer;
  /** Settles at the end of the output; never rejects. */
  readonly over: Promise<void>;
}

/** Whether its output ends in time; how it ended is known a little later. */
async function isOverWithin(
  timeoutMs: number,
  over: Promise<unknown>,
  signal: AbortSignal,
): Promise<boolean> {
  const late = new Error("late");
  try {
    await withDeadline(
      timeoutMs,
      signal,
      () => late,
      () => over,
    );
    return true;
  } catch (error) {
    if (error === late) return false;
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
