import { type Command, InvalidArgumentError } from "commander";
import { benchReport } from "../../../bench/bench-report.ts";
import { runBench, SUITES, type SuiteName } from "../../../bench/run-bench.ts";
import { openWorld } from "../../../bench/world.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";

const NAMES = Object.keys(SUITES) as SuiteName[];

const HELP = `
Measures, side by side in one run, Cloche and what it stands on (docs/benchmarks.md says what each
figure is): ${NAMES.join(", ")}. A whole run takes some minutes and makes some hundred sandboxes,
one after the other or many at once; nothing of them is left.

Examples:
  $ ./cloche.mjs bench
  $ ./cloche.mjs bench --only start,call --rounds 30
  $ ./cloche.mjs bench --json > figures.json

Exit codes: 0 everything was measured, 1 some of it failed, 2 could not start, 130 ended by Ctrl-C.`;

interface Options {
  readonly only: readonly SuiteName[];
  readonly rounds: number;
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly json?: boolean;
  readonly data?: string;
}

export function addBench(program: Command, context: Context): void {
  program
    .command("bench")
    .description("measure speed and memory on this machine")
    .option("--only <names>", `some of ${NAMES.join(", ")}`, suites, NAMES)
    .option("--rounds <n>", "how often, at most", rounds, 10)
    .option("--quick", "next to nothing of each: shows that it works, not how fast")
    .option("--full", "memory also with 300 rollouts open (some 12 GB)")
    .option("--json", "one JSON document {bench, figures, failed} on stdout, all else on stderr")
    .option("--data <folder>", "where to make a folder for it all, gone afterwards")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      process.exitCode = await bench(context, options);
    });
}

async function bench(context: Context, options: Options): Promise<number> {
  const { terminal } = context;
  const { only, rounds: count, quick = false, full = false, json, data } = options;
  await using world = await openWorld(context, {
    ...{ rounds: count, quick, full },
    ...(data === undefined ? {} : { data }),
  });
  const document = await runBench(world, only);
  terminal.out(
    json ? `${JSON.stringify(document, null, 2)}\n` : benchReport(document, terminal.paint),
  );
  return document.failed.length === 0 ? EXIT.graded : EXIT.notGraded;
}

function suites(text: string): readonly SuiteName[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !NAMES.includes(name as SuiteName));
  if (unknown === undefined) return NAMES.filter((name) => names.includes(name));
  throw new InvalidArgumentError(`there is no "${unknown}": give some of ${NAMES.join(", ")}`);
}

function rounds(text: string): number {
  const number = Number(text);
  if (/^\d{1,4}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError("give a whole number from 1 to 9999");
}
