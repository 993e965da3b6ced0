import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { Readable } from "node:stream";
import { withDeadline } from "../base/deadline.ts";
import { secret } from "../base/id.ts";
import type { Box, BoxProcess } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";
import { type PythonAnswer, pythonCommand } from "./python-module.ts";
import type { GraderQuestion, RunGrader } from "./waiting-grader.ts";

/** On top of what a grading may take: the files are handed over, and Python starts. */
const SLACK_MS = 60_000;

/**
 * A grader's Python that grades many runs of one task, one after the other, each in a process that
 * forks from it: its libraries are loaded once. Questions that come together wait for each other.
 */
export class WarmGrader implements RunGrader {
  readonly #box: Box;
  readonly #user: string;
  readonly #name: string;
  #opened: Promise<Opened> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #count = 0;

  /** `name` is unlike that of any other in the same box. */
  constructor(box: Box, user: string, name: string) {
    this.#box = box;
    this.#user = user;
    this.#name = name;
  }

  /** As `WaitingGrader.ask`, as often as is wanted; `root` is where a folder is made for the run. */
  ask(question: GraderQuestion): Promise<PythonAnswer> {
    const answer = this.#turn.then(() => this.#ask(question));
    this.#turn = answer.catch(() => this.#close());
    return answer;
  }

  async #ask({ root, files, timeoutMs, signal, onSilence }: GraderQuestion): Promise<PythonAnswer> {
    this.#opened ??= open(this.#box, this.#user);
    const { process, lines } = await this.#opened;
    this.#count += 1;
    const nonce = secret();
    const folder = `${root}/${this.#name}-${this.#count}`;
    const request = { nonce, root: folder, seconds: timeoutMs / 1000 };
    const late = () => engineFault("no-answer", "the grader gave no line in time");
    const text = await withDeadline(timeoutMs + SLACK_MS, signal, late, async () => {
      const line = lines.next();
      process.stdin.write(`${JSON.stringify(request)}\n`);
      for await (const piece of Readable.from(files, { objectMode: false })) {
        if (!process.stdin.write(piece)) await once(process.stdin, "drain", { signal });
      }
      return await line;
    });
    if (text.done) throw onSilence("no-answer", "it ended before it gave an answer");
    const { nonce: returned, silent, ...answer } = JSON.parse(text.value) as Answer;
    if (returned !== nonce) throw onSilence("no-answer", "its answer carries another nonce");
    if (silent !== undefined) {
      throw onSilence(silent.startsWith("no answer within") ? "timed-out" : "no-answer", silent);
    }
    return { answer, printed: "" };
  }

  async #close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    opened?.reader.close();
    await opened?.process[Symbol.asyncDispose]();
  }

  /** Ends it. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

interface Opened {
  readonly process: BoxProcess;
  readonly reader: Interface;
  readonly lines: AsyncIterator<string>;
}

interface Answer {
  readonly nonce?: string;
  readonly silent?: string;
  readonly [key: string]: unknown;
}

async function open(box: Box, user: string): Promise<Opened> {
  const { argv, env } = pythonCommand("run_graders");
  const process = await box.open(argv, { user, env });
  process.stderr.resume();
  const reader = createInterface({ input: process.stdout });
  return { process, reader, lines: reader[Symbol.asyncIterator]() };
}
