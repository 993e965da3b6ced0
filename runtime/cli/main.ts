import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { asFault, type Fault, faultRecord, messageOf } from "../base/fault.ts";
import { VERSION } from "../base/version.ts";
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

/** In the order in which help shows them. */
const COMMANDS: Record<string, () => Promise<AddCommand>> = {
  run: async () => (await import("./commands/run.ts")).addRun,
  list: async () => (await import("./commands/list.ts")).addList,
  show: async () => (await import("./commands/show.ts")).addShow,
  serve: async () => (await import("./commands/serve.ts")).addServe,
  grade: async () => (await import("./commands/grade.ts")).addGrade,
  bundle: async () => (await import("./commands/bundle.ts")).addBundle,
  task: async () => (await import("./commands/task.ts")).addTask,
  fixture: async () => (await import("./commands/fixture.ts")).addFixture,
  tools: async () => (await import("./commands/tools.ts")).addTools,
  images: async () => (await import("./commands/images.ts")).addImages,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctor,
  reap: async () => (await import("./commands/reap.ts")).addReap,
  keys: async () => (await import("./commands/keys.ts")).addKeys,
  bench: async () => (await import("./commands/bench.ts")).addBench,
  setup: async () => (await import("./commands/set-up.ts")).addSetUp,
  demo: async () => (await import("./commands/demo.ts")).addDemo,
  completion: async () => (await import("./commands/completion.ts")).addCompletion,
};

type AddCommand = (program: Command, context: Context) => void;

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
  for (const add of await commandsFor(argv[2])) add(program, context);
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = explain(context, error, argv.includes("--json"));
  }
}

/** The one that is named; all of them where help, completion or a suggestion speaks of each. */
async function commandsFor(word: string | undefined): Promise<readonly AddCommand[]> {
  if (word === "--version") return [];
  const named = word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  const isAlone = named !== undefined && word !== "completion";
  return await Promise.all((isAlone ? [named] : Object.values(COMMANDS)).map((load) => load()));
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
