import type { Command } from "commander";
import type { CommonOptions, Context } from "../context.ts";
import { run } from "./run.ts";

const TASK = "library/catalogue-update";

const HELP = `
Example:
  $ npm run demo`;

export function addDemo(program: Command, context: Context): void {
  program
    .command("demo")
    .description(`run ${TASK} with the oracle and show every call`)
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (options: CommonOptions) => {
      const { terminal } = context;
      const demo = { ...options, policy: "oracle", variant: "1" };
      process.exitCode = await run(context, TASK, demo, { calls: true });
      const next = "./cloche.mjs run library/catalogue-update --policy null";
      terminal.err(`\n${terminal.paint.dim(`next: ${next}, or ./cloche.mjs --help`)}\n`);
    });
}
