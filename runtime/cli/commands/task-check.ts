import type { Command } from "commander";
import { type CheckedFolder, checkFixtures, checkTask } from "../../task/check-task.ts";
import { taskPlaces } from "../../task/roots.ts";
import { rootOfTask } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { plain } from "../terminal.ts";

const HELP = `
Nothing is run, so no engine is needed: keys and values of task.toml, files, servers, variables of the
instruction, the syntax of the .py files (by this machine's python3, if it has one), and the fixture
sets with their manifests. What a task does is shown by "cloche task prove".

Examples:
  $ ./cloche.mjs task check
  $ ./cloche.mjs task check library/catalogue-update --json

Exit codes: 0 nothing is wrong, 1 something is, 2 there is no such task.`;

/** `cloche task check`. */
export function addTaskCheck(task: Command, context: Context): void {
  task
    .command("check [task]")
    .description("say all that is wrong with one task, or with all, without running anything")
    .option(...ROOT)
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
  const checked = id === undefined ? await checkAll(roots) : [await checkOne(roots, id)];
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
async function checkAll(roots: readonly string[]): Promise<readonly CheckedFolder[]> {
  const places = [...(await taskPlaces(roots))];
  const found = places.flatMap(([id, own]) => own.map((root) => checkTask(root, id)));
  const fixtures = await Promise.all(roots.map((root) => checkFixtures(root)));
  return [...(await Promise.all(found)), ...fixtures.flat()];
}

/** Rejects as `rootOfTask` does. */
async function checkOne(roots: readonly string[], id: string): Promise<CheckedFolder> {
  return await checkTask(await rootOfTask(roots, id), id);
}
