import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { Fault, faultRecord, messageOf } from "../base/fault.ts";
import { addBench } from "./commands/bench.ts";
import { addBundle } from "./commands/bundle.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addFixture } from "./commands/fixture.ts";
import { addGrade } from "./commands/grade.ts";
import { addImages } from "./commands/images.ts";
import { addKeys } from "./commands/keys.ts";
import { addReap } from "./commands/reap.ts";
import { addRun } from "./commands/run.ts";
import { addServe } from "./commands/serve.ts";
import { addSetUp } from "./commands/set-up.ts";
import { addTask } from "./commands/task.ts";
import { addTools } from "./commands/tools.ts";
import { type Context, openContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { plainLines } from "./terminal.ts";

const HELP = `
Begin with:
  $ npx cloche doctor                          what is found, what is missing, what to do
  $ npx cloche run library/catalogue-update    one rollout, played by the oracle

Exit codes: 0 done (every rollout graded), 1 not graded or not sound, 2 could not start.`;

process.channel?.unref();
const context = openContext(fileURLToPath(new URL("../..", import.meta.url)));
await main(context, process.argv);

async function main(context: Context, argv: readonly string[]): Promise<void> {
  const program = new Command("cloche")
    .description("Sandboxed rollouts over MCP, with rewards that can be trusted.")
    .addHelpText("after", HELP)
    .configureOutput({ writeErr: context.terminal.err, writeOut: context.terminal.out })
    .showHelpAfterError("(add --help for what is possible)")
    .exitOverride();
  for (const add of [
    addRun,
    addServe,
    addGrade,
    addBundle,
    addTask,
    addFixture,
    addTools,
    addImages,
    addDoctor,
    addReap,
    addKeys,
    addBench,
    addSetUp,
    addDemo,
  ]) {
    add(program, context);
  }
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = explain(context, error, argv.includes("--json"));
  }
}

/** One clear message for what could not start; with --json also the one document. */
function explain({ terminal }: Context, error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.badUsage;
  if (error instanceof Fault) {
    if (json) terminal.out(`${JSON.stringify({ fault: faultRecord(error) }, null, 2)}\n`);
    terminal.err(`${terminal.paint.red("error")} ${error.code}: ${plainLines(error.message)}\n`);
    return EXIT.badUsage;
  }
  if (error instanceof Error && error.name === "Interrupted") return EXIT.interrupted;
  terminal.err(`${terminal.paint.red("unexpected")} ${plainLines(messageOf(error))}\n`);
  terminal.err(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
  return EXIT.badUsage;
}
