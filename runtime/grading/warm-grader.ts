import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { Readable } from "node:stream";
import { withDeadline } from "../base/deadline.ts";
import { secret } from "../base/id.ts";
import type { Box, BoxProcess } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";
import { refuseAll } from "./execution.ts";
import { type PythonAnswer, pythonCommand } from "./python-module.ts";
import type { GraderQuestion, RunGrader } from "./waiting-grader.ts";

/** On top of what a grading may take, twice its time: the files are handed over, and Python starts. */
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

  async #ask(question: GraderQuestion): Promise<PythonAnswer> {
    const { root, onSilence } = question;
    this.#opened ??= open(this.#box, this.#user);
    const opened = await this.#opened;
    this.#count += 1;
    const nonce = secret();
    const folder = `${root}/${this.#name}-${this.#count}`;
    const first = await handOver(opened, question, { nonce, root: folder });
    const text = await served(opened, question, nonce, first);
    if (text === undefined || !text.endsWith("}")) {
      const kind = (await exitCodeOf(opened)) === 0 ? "ended-well" : "no-answer";
      throw onSilence(kind, "it ended before it gave an answer");
    }
    const { nonce: returned, silent, ...answer } = JSON.parse(text) as Answer;
    if (returned !== nonce) throw onSilence("no-answer", "its answer carries another nonce");
    if (silent !== undefined) throw onSilence("no-answer", silent);
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

/** @throws Fault `engine/program-lost` for one that did not end by itself */
async function exitCodeOf({ process }: Opened): Promise<number> {
  const { exitCode } = await process.ended;
  if (exitCode === null) throw engineFault("program-lost", "the box lost the grader while it ran");
  return exitCode;
}

/** Gives it a run, and takes the first line that it says of it. */
async function handOver(
  { process, lines }: Opened,
  { files, timeoutMs, signal }: GraderQuestion,
  { nonce, root }: { readonly nonce: string; readonly root: string },
): Promise<string | undefined> {
  return await withDeadline(2 * timeoutMs + SLACK_MS, signal, late, async () => {
    const line = lines.next();
    process.stdin.write(`${JSON.stringify({ nonce, root, seconds: timeoutMs / 1000 })}\n`);
    for await (const piece of Readable.from(files, { objectMode: false })) {
      if (!process.stdin.write(piece)) await once(process.stdin, "drain", { signal });
    }
    const { value, done } = await line;
    return done ? undefined : value;
  });
}

/** Does what it asks for, and gives the line that asks for nothing. */
async function served(
  { process, lines }: Opened,
  { timeoutMs, signal, execute = refuseAll }: GraderQuestion,
  nonce: string,
  first: string | undefined,
): Promise<string | undefined> {
  let text = first;
  for (;;) {
    const request = text === undefined ? undefined : requestIn(text, nonce);
    if (request === undefined) return text;
    process.stdin.write(`${JSON.stringify({ execute: await execute(request, signal) })}\n`);
    const next = () => lines.next();
    const { value, done } = await withDeadline(2 * timeoutMs + SLACK_MS, signal, late, next);
    text = done ? undefined : value;
  }
}

function requestIn(text: string, nonce: string): unknown {
  const said = JSON.parse(text) as Answer;
  return said.nonce === nonce ? said["execute"] : undefined;
}

function late(): Error {
  return engineFault("no-answer", "the grader gave no line in time");
}

async function open(box: Box, user: string): Promise<Opened> {
  const { argv, env } = pythonCommand("run_graders");
  const how = { user, env, startsWithInput: true, tellsLoss: true };
  const process = await box.open(argv, how);
  process.stderr.resume();
  const reader = createInterface({ input: process.stdout });
  return { process, reader, lines: reader[Symbol.asyncIterator]() };
}
