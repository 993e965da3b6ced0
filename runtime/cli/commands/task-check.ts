import type { Command } from "commander";
import { type CheckedFolder, checkFixtures, checkTask } from "../../task/check-task.ts";
import { taskPlaces } from "../../task/roots.ts";
import { readTask } from "../../task/task-file.ts";
import { rootOfTask } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { plain } from "../terminal.ts";
import { type CheckedPlace, withServers } from "../tools/check-servers.ts";

const HELP = `
Keys and values of task.toml, files, variables of the instruction, the syntax of the .py files (by this
machine's python3, if it has one), and the fixture sets with their manifests. Programs that a task names as
MCP servers of its own are started as for a rollout of variant 1, and refused as one would refuse them;
where there is no engine or no image, a note says that this was skipped. Nothing else is run: what a task
does is shown by "cloche task prove".

Examples:
  $ ./cloche.mjs task check
  $ ./cloche.mjs task check library/catalogue-update --json

Exit codes: 0 nothing is wrong, 1 something is, 2 there is no such task.`;

/** `cloche task check`. */
export function addTaskCheck(task: Command, context: Context): void {
  task
    .command("check [task]")
    .description("say all that is wrong with one task, or with all, without a rollout")
    .option(...ROOT)
    .option("--data <folder>", "the data folder, for tasks' own servers (or CLOCHE_DATA)")
    .option("--json", "one JSON document {checked, problems} on stdout")
    .addHelpText("after", HELP)
    .action(async (id: string | undefined, options: CommonOptions) => {
      process.exitCode = await check(context, id, options);
    });
}

async function check(
  context: Context,
  id: string | undefined,
  options: CommonOptions,
): Promise<number> {
  const { terminal } = context;
  const roots = await taskRoots(context, options);
  const read = id === undefined ? await checkAll(roots) : [await checkOne(roots, id)];
  const checked = await withServers(context, options, read);
  const problems = checked.reduce((sum, one) => sum + one.problems.length, 0);
  if (options.json) terminal.out(`${JSON.stringify({ checked, problems }, null, 2)}\n`);
  else {
    for (const one of checked) terminal.out(report(one));
    terminal.out(`${checked.length} checked, ${problems} problems\n`);
  }
  return problems === 0 ? EXIT.graded : EXIT.notGraded;

  function report({ id: name, problems: found, notes }: CheckedFolder): string {
    const { paint } = terminal;
    const lines = [
      `${found.length === 0 ? paint.green("✓") : paint.red("✗")} ${plain(name)}`,
      ...found.map(({ code, message }) => `    ${paint.red(code)}: ${plain(message, 2000)}`),
      ...notes.map((note) => `    ${paint.dim(`note: ${plain(note, 400)}`)}`),
    ];
    return `${lines.join("\n")}\n`;
  }
}

/** A task that is in several roots is looked at in each. */
async function checkAll(roots: readonly string[]): Promise<readonly CheckedPlace[]> {
  const places = [...(await taskPlaces(roots))];
  const found = places.flatMap(([id, own]) => own.map((root) => checkPlace(root, id)));
  const fixtures = await Promise.all(roots.map((root) => checkFixtures(root)));
  return [...(await Promise.all(found)), ...fixtures.flat().map((folder) => ({ folder }))];
}

/** Rejects as `rootOfTask` does. */
async function checkOne(roots: readonly string[], id: string): Promise<CheckedPlace> {
  return await checkPlace(await rootOfTask(roots, id), id);
}

async function checkPlace(root: string, id: string): Promise<CheckedPlace> {
  const folder = await checkTask(root, id);
  return folder.problems.length > 0 ? { folder } : { folder, task: await readTask(root, id) };
}
