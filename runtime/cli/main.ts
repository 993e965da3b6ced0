import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { asFault, type Fault, faultRecord, messageOf } from "../base/fault.ts";
import { VERSION } from "../base/version.ts";
import { addBench } from "./commands/bench.ts";
import { addBundle } from "./commands/bundle.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addFixture } from "./commands/fixture.ts";
import { addGrade } from "./commands/grade.ts";
import { addImages } from "./commands/images.ts";
import { addKeys } from "./commands/keys.ts";
import { addList } from "./commands/list.ts";
import { addReap } from "./commands/reap.ts";
import { addRun } from "./commands/run.ts";
import { addServe } from "./commands/serve.ts";
import { addSetUp } from "./commands/set-up.ts";
import { addShow } from "./commands/show.ts";
import { addTask } from "./commands/task.ts";
import { addTools } from "./commands/tools.ts";
import { type Context, openContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { cliFault } from "./faults.ts";
import { errorLine } from "./terminal.ts";
import { usageFault } from "./usage.ts";

const HELP = `
Begin with:
  $ ./cloche.mjs doctor                          what is found, what is missing, what to do
  $ ./cloche.mjs run library/catalogue-update    one rollout, played by the oracle

Exit codes: 0 done (every rollout graded), 1 not graded or not sound, 2 could not start.`;

process.channel?.unref();
const context = openContext(fileURLToPath(new URL("../..", import.meta.url)));
await main(context, process.argv);

async function main(context: Context, argv: readonly string[]): Promise<void> {
  const program = new Command("cloche")
    .description("Sandboxed rollouts over MCP, with rewards that can be trusted.")
    .addHelpText("after", HELP)
    .version(VERSION, "--version", "print the version")
    .configureOutput({
      writeErr: context.terminal.err,
      writeOut: context.terminal.out,
      outputError: () => {}, // What is wrong with the words is told like all else.
    })
    .exitOverride();
  for (const add of [
    addRun,
    addList,
    addShow,
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
    addCompletion,
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
  if (error instanceof Error && error.name === "Interrupted") return EXIT.interrupted;
  const fault = error instanceof CommanderError ? usageFault(error) : faultOf(error);
  if (fault === undefined) return (error as CommanderError).exitCode === 0 ? 0 : EXIT.badUsage;
  if (json) terminal.out(`${JSON.stringify({ fault: faultRecord(fault) }, null, 2)}\n`);
  terminal.err(errorLine(fault, terminal.paint));
  if (fault !== error && !(error instanceof CommanderError)) {
    terminal.err(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
  }
  return EXIT.badUsage;
}

function faultOf(error: unknown): Fault {
  return asFault(error, (cause) => cliFault("unexpected", messageOf(cause), { cause }));
}
