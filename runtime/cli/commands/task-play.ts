import { createInterface, type Interface } from "node:readline/promises";
import { type Command, InvalidArgumentError } from "commander";
import { Fault, messageOf } from "../../base/fault.ts";
import { requireEgress } from "../../rollout/egress/egress.ts";
import { reap } from "../../rollout/reaper.ts";
import { findTask } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { egressAllowed, openParts, taskRoots } from "../parts.ts";
import { PlayCommands } from "../play/play-commands.ts";
import { completions } from "../play/play-line.ts";
import { PlaySession } from "../play/play-session.ts";
import { ROOT } from "../repeated.ts";
import { SavedFiles } from "../saved-files.ts";
import type { Terminal } from "../terminal.ts";
import { variantsOf } from "../variants.ts";

interface PlayOptions extends CommonOptions {
  readonly variant: number;
  readonly watch?: boolean;
}

const HELP = `
Lines are read from the terminal or from a pipe:
  tools, help <tool>            what there is
  <tool> key=value … or {json}  a call, as an agent makes it
  instruction, steps            what the agent is told; what was called
  files, read <path>            what has changed in the workspace; a file of it
  grade [answer]                what the grader would say now; the play goes on
  reload                        begin anew with the task as it is saved, make all calls again, grade
  save <file>                   the calls as the start of a solution.py
  submit [answer]               end as an agent does: captured, graded, kept as a bundle
  quit                          end without a grade, as Ctrl-C and the end of input do

Examples:
  $ ./cloche.mjs task play library/catalogue-update
  $ ./cloche.mjs task play office/workshop-day --variant 2 --watch
  $ echo grade | ./cloche.mjs task play library/catalogue-update

Exit codes: 0 ended, 1 a line of a pipe could not be carried out, 2 it could not be opened.`;

/** `cloche task play`. */
export function addTaskPlay(task: Command, context: Context): void {
  task
    .command("play <task>")
    .description("open a task for a person, in the terminal")
    .option("--variant <n>", "which variant", whole, 1)
    .option("--watch", "reload and grade whenever a file of the task is saved")
    .option("--allow-egress", "the task may reach the hosts outside that it asks for")
    .option(...ROOT)
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .option("--verbose", "show the log as well, on stderr (its level: CLOCHE_LOG)")
    .addHelpText("after", HELP)
    .action(async (id: string, options: PlayOptions) => {
      process.exitCode = await play(context, id, options);
    });
}

async function play(context: Context, id: string, options: PlayOptions): Promise<number> {
  const { terminal } = context;
  const root = await taskRoots(context, options);
  const task = await findTask(root, id);
  const saved = options.watch ? await SavedFiles.of(task) : undefined;
  variantsOf(task, String(options.variant));
  requireEgress(task, { allowEgress: egressAllowed(context, options) });
  await using parts = await openParts(context, options);
  await reap(parts, parts.signal);
  terminal.err(`opening variant ${options.variant} of ${id}\n`);
  const session = await PlaySession.open(task, options.variant, parts);
  await using commands = new PlayCommands(session, root, parts, terminal);
  terminal.err('"instruction" is what the agent is told, "help" what you can say\n');
  const turns = new Turns(terminal);
  const over = new AbortController();
  const signal = AbortSignal.any([parts.signal, over.signal]);
  const watching = reloadEach(saved, () => turns.take(() => commands.reload()), signal);
  try {
    await converse(commands, turns, signal);
  } finally {
    over.abort();
    await watching;
  }
  if (parts.signal.aborted) return EXIT.interrupted;
  return turns.failed && process.stdin.isTTY !== true ? EXIT.notGraded : EXIT.graded;
}

/** One thing at a time: a line, or a reload. What goes wrong in one is told, and the play goes on. */
class Turns {
  readonly #terminal: Terminal;
  #last: Promise<unknown> = Promise.resolve();
  #failed = false;
  /** Asks for the next line, where somebody sees it. */
  prompt: () => void = () => {};

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** What the work resolves with, or undefined if it was not carried out. */
  async take<T>(work: () => Promise<T>): Promise<T | undefined> {
    const turn = this.#last.then(work).catch((error: unknown) => this.complain(error));
    this.#last = turn;
    const result = await turn;
    if (result !== false) this.prompt();
    return result;
  }

  complain(error: unknown): undefined {
    this.#failed = true;
    const { err, paint } = this.#terminal;
    const what = error instanceof Fault ? `${error.code}: ${error.message}` : messageOf(error);
    err(`${paint.red("error")} ${what}\n`);
  }
}

/** Until the input ends, "quit" is said or the signal is aborted. */
async function converse(commands: PlayCommands, turns: Turns, signal: AbortSignal): Promise<void> {
  using lines = openLines(commands, signal);
  let isOpen = true;
  lines.once("close", () => {
    isOpen = false; // Of a pipe, while lines of it are still to be carried out.
  });
  turns.prompt = () => {
    if (isOpen && lines.terminal && !signal.aborted) lines.prompt();
  };
  turns.prompt();
  try {
    for await (const line of lines) {
      if (signal.aborted) return;
      const goesOn = await turns.take(() => commands.run(line));
      if (goesOn === false || signal.aborted) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function openLines(commands: PlayCommands, signal: AbortSignal): Interface {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    ...(terminal ? { output: process.stdout } : {}),
    terminal,
    prompt: "> ",
    completer: (line: string) => completions(line, commands.session.tools),
    signal,
  });
  // In the terminal's raw mode Ctrl-C is a letter.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  return lines;
}

async function reloadEach(
  saved: SavedFiles | undefined,
  reload: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (saved === undefined) return;
  for await (const _ of saved.changes(signal)) if (!signal.aborted) await reload();
}

function whole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("give a variant's number, from 1");
}
