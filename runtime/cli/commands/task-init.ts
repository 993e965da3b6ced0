import type { Command } from "commander";
import { initTask } from "../../task/init-task.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { add } from "../repeated.ts";

const HELP = `
The task that it writes is a small one that proves as it is: a workbook to be added up. Change it, file by
file, into the one that you have in mind; docs/writing-tasks.md walks through it.

Examples:
  $ ./cloche.mjs task init office/travel-claims
  $ ./cloche.mjs task init office/travel-claims --root ~/my-tasks

Exit codes: 0 the folder is there, 2 nothing was written (the message says why).`;

/** `cloche task init`. */
export function addTaskInit(task: Command, context: Context): void {
  task
    .command("init <category/name>")
    .description("write a new task's folder, with a task in it that proves")
    .option("--root <folder>", "where tasks/ is to be (default: this repository)", add)
    .option("--json", "one JSON document {id, folder, files} on stdout")
    .addHelpText("after", HELP)
    .action(async (id: string, options: CommonOptions) => {
      const { terminal } = context;
      const [root = context.root, ...more] = options.root ?? [];
      if (more.length > 0) throw cliFault("bad-option", "a task has one place: give one --root");
      const { folder, files } = await initTask(root, id);
      if (options.json) {
        terminal.out(`${JSON.stringify({ id, folder, files }, null, 2)}\n`);
      } else {
        terminal.out(`${files.map((file) => `${folder}/${file}`).join("\n")}\n`);
        const rooted = options.root === undefined ? id : `${id} --root ${root}`;
        terminal.err(`next: ./cloche.mjs task play ${rooted}\n`);
      }
      process.exitCode = EXIT.graded;
    });
}
