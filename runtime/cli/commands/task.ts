import type { Command } from "commander";
import { faultRecord } from "../../base/fault.ts";
import { type Standing, standingOf } from "../../proof/kept-proofs.ts";
import type { Task } from "../../task/task.ts";
import { listTasks } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { dataPath } from "../data-path.ts";
import { EXIT } from "../exit-codes.ts";
import { taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { graderReference } from "../set-up/ensure-images.ts";
import { errorLine, table } from "../terminal.ts";
import { addTaskCheck } from "./task-check.ts";
import { addTaskInit } from "./task-init.ts";
import { addTaskPlay } from "./task-play.ts";
import { addTaskProve } from "./task-prove.ts";

const HELP = `
Examples:
  $ ./cloche.mjs task list --json
  $ ./cloche.mjs task list --proven

Exit codes: 0 all tasks can be used, 1 some is broken or, with --proven, not proven.`;

interface ListOptions extends CommonOptions {
  readonly proven?: boolean;
}

export function addTask(program: Command, context: Context): void {
  const task = program.command("task").description("write, check, play, prove and list tasks");
  task
    .command("list")
    .description("all tasks under tasks/, and what is wrong with broken ones")
    .option("--proven", "only those that `task prove` has proven as they are now")
    .option(...ROOT)
    .option("--data <folder>", "where proofs are kept (or CLOCHE_DATA)")
    .option("--json", "one JSON document {tasks, broken, refused} on stdout")
    .addHelpText("after", HELP)
    .action(async (options: ListOptions) => {
      process.exitCode = await list(context, options);
    });
  addTaskInit(task, context);
  addTaskCheck(task, context);
  addTaskPlay(task, context);
  addTaskProve(task, context);
}

async function list(context: Context, options: ListOptions): Promise<number> {
  const { terminal } = context;
  const { tasks: known, broken } = await listTasks(await taskRoots(context, options));
  const { tasks, refused } = options.proven
    ? await provenOf(context, options, known)
    : { tasks: known, refused: [] };
  if (options.json) {
    const faults = broken.map(({ id, fault }) => ({ id, fault: faultRecord(fault) }));
    const document = { tasks: tasks.map(summary), broken: faults, refused };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const rows = tasks.map(row);
    terminal.out(table([["task", "variants", "servers", "what it asks"], ...rows]));
    for (const { id, fault } of broken) {
      const message = `${id} is broken: ${fault.message}`;
      terminal.err(errorLine({ code: fault.code, message }, terminal.paint));
    }
  }
  for (const { id, standing } of refused) {
    terminal.err(`${standing}: ${id}: run "./cloche.mjs task prove ${id}"\n`);
  }
  return broken.length + refused.length === 0 ? EXIT.graded : EXIT.notGraded;
}

async function provenOf(
  { env }: Context,
  options: ListOptions,
  known: readonly Task[],
): Promise<{ tasks: Task[]; refused: { id: string; standing: Standing }[] }> {
  const data = { path: dataPath(options.data, env) };
  const tasks: Task[] = [];
  const refused: { id: string; standing: Standing }[] = [];
  for (const task of known) {
    const standing = await standingOf(data, task, graderReference(env));
    if (standing === "proven") tasks.push(task);
    else refused.push({ id: task.id, standing });
  }
  return { tasks, refused };
}

function row({ id, variants, servers, description }: Task): string[] {
  return [id, String(variants.count), servers.map(({ name }) => name).join(", "), description];
}

function summary(task: Task): Record<string, unknown> {
  const { solution, cheats } = task.files;
  const policies = [
    ...(solution === null ? [] : ["oracle"]),
    "null",
    ...Object.keys(cheats).map((name) => `cheat:${name}`),
  ];
  return {
    id: task.id,
    description: task.description,
    category: task.category,
    difficulty: task.difficulty,
    keywords: task.keywords,
    variants: task.variants,
    servers: task.servers.map(({ name }) => name),
    egress: task.egress,
    policies,
    budget: task.budget,
    sha256: task.sha256,
  };
}
