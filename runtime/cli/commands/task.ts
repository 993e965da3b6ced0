import type { Command } from "commander";
import { faultRecord } from "../../base/fault.ts";
import type { Task } from "../../task/task.ts";
import { listTasks } from "../../task/task-list.ts";
import { type CommonOptions, type Context, tasksRoot } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../terminal.ts";

const HELP = `
Example:
  $ npx cloche task list --json`;

export function addTask(program: Command, context: Context): void {
  const task = program.command("task").description("look at tasks");
  task
    .command("list")
    .description("all tasks under tasks/, and what is wrong with broken ones")
    .option("--root <folder>", "where tasks/ and fixtures/ lie (default: this repository)")
    .option("--json", "one JSON document {tasks, broken} on stdout")
    .addHelpText("after", HELP)
    .action(async (options: CommonOptions) => {
      process.exitCode = await list(context, options);
    });
}

async function list(context: Context, options: CommonOptions): Promise<number> {
  const { terminal } = context;
  const { tasks, broken } = await listTasks(tasksRoot(context, options));
  if (options.json) {
    const faults = broken.map(({ id, fault }) => ({ id, fault: faultRecord(fault) }));
    const document = { tasks: tasks.map(summary), broken: faults };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const rows = tasks.map(row);
    terminal.out(table([["task", "variants", "servers", "what it asks"], ...rows]));
    for (const { id, fault } of broken) terminal.err(`broken: ${id}: ${fault.message}\n`);
  }
  return broken.length === 0 ? EXIT.graded : EXIT.notGraded;
}

function row({ id, variants, servers, description }: Task): string[] {
  return [id, String(variants.count), servers.map(({ name }) => name).join(", "), description];
}

function summary(task: Task): Record<string, unknown> {
  const { id, description, category, difficulty, keywords, variants, budget, sha256, files } = task;
  const servers = task.servers.map(({ name }) => name);
  const policies = [
    ...(files.solution === null ? [] : ["oracle"]),
    "null",
    ...Object.keys(files.cheats).map((name) => `cheat:${name}`),
  ];
  return {
    id,
    description,
    category,
    difficulty,
    keywords,
    variants,
    servers,
    policies,
    budget,
    sha256,
  };
}
