import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { Fault, faultRecord } from "../../base/fault.ts";
import { keepProof } from "../../proof/kept-proofs.ts";
import type { Finding, Proof } from "../../proof/proof.ts";
import { POISON_COLUMNS, poisonRow, proofPage } from "../../proof/proof-page.ts";
import { proveTask } from "../../proof/prove.ts";
import { requireEgress } from "../../rollout/egress/egress.ts";
import { reap } from "../../rollout/reaper.ts";
import type { Task } from "../../task/task.ts";
import { findTask, listTasks } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { openParts, type Parts, taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { plain, type Terminal, table } from "../terminal.ts";
import { countTokens } from "../tools/tool-costs.ts";
import { variantsOf } from "../variants.ts";
import { whole } from "../whole.ts";

interface ProveOptions extends CommonOptions {
  readonly all?: boolean;
  readonly allVariants?: boolean;
  readonly variant?: string;
  readonly page?: string;
  readonly jobs: number;
  readonly mutants: number;
  readonly poisons: number;
}

const HELP = `
Plays the solution, nobody and every cheat, makes the variants again, and tries the grader on some
hundred variations of the solution's run. docs/proving.md says what each rule asks for.

Examples:
  $ ./cloche.mjs task prove library/catalogue-update
  $ ./cloche.mjs task prove --all --json > proofs.json
  $ ./cloche.mjs task prove office/workshop-day --all-variants --page proof.html

Exit codes: 0 every task is proven, 1 some task is refused, 2 nothing could start.`;

/** `cloche task prove`. */
export function addTaskProve(task: Command, context: Context): void {
  task
    .command("prove [task]")
    .description(
      "show that a task is sound, deterministic, distinct, sharp, fair, telling, sturdy and sealed",
    )
    .option("--all", "every task under tasks/")
    .option("--variant <n>", 'which variants: 1, "1..5" or "1,3" (default: one, and one held out)')
    .option("--all-variants", "every variant, each in depth")
    .option("--jobs <n>", "how many rollouts and gradings at once", whole, 2)
    .option("--mutants <n>", "the most mutants of a variant", whole, 240)
    .option("--poisons <n>", "the most poisons of a variant", whole, 120)
    .option("--page <file>", "write the proofs as a page of HTML as well")
    .option("--allow-egress", "tasks may reach the hosts outside that they ask for")
    .option("--json", "one JSON document {proofs, failed} on stdout, all else on stderr")
    .option(...ROOT)
    .option("--data <folder>", "where records, bundles and proofs live (or CLOCHE_DATA)")
    .option("--verbose", "show the log as well, on stderr (its level: CLOCHE_LOG)")
    .addHelpText("after", HELP)
    .action(async (id: string | undefined, options: ProveOptions) => {
      process.exitCode = await prove(context, id, options);
    });
}

/** More take minutes, and say little more. */
const COMPARED_MAX = { train: 48, holdout: 16 };

interface Unproven {
  readonly id: string;
  readonly fault: Fault;
}

async function prove(
  context: Context,
  id: string | undefined,
  options: ProveOptions,
): Promise<number> {
  const { terminal } = context;
  const { tasks, failed } = await wanted(context, id, options);
  await using parts = await openParts(context, options);
  await reap(parts, parts.signal);
  const proofs: Proof[] = [];
  for (const task of tasks) {
    try {
      requireEgress(task, parts);
      const proof = await proveOne(task, parts, options, terminal);
      await keepProof(parts.data, proof);
      proofs.push(proof);
      if (!options.json) terminal.out(proofReport(proof, terminal));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failed.push({ id: task.id, fault: error });
      terminal.err(`${task.id} could not be tried: ${error.code}: ${error.message}\n`);
    }
  }
  if (!options.json && proofs.length > 1) {
    terminal.out(`\n${table([POISON_COLUMNS, ...proofs.map(poisonRow)])}`);
  }
  if (options.page !== undefined) await writeFile(options.page, proofPage(proofs));
  if (options.json) {
    const faults = failed.map(({ id, fault }) => ({ id, fault: faultRecord(fault) }));
    terminal.out(`${JSON.stringify({ proofs, failed: faults }, null, 2)}\n`);
  }
  const proven = failed.length === 0 && proofs.every(({ holds }) => holds);
  return proven ? EXIT.graded : EXIT.notGraded;
}

async function wanted(
  context: Context,
  id: string | undefined,
  options: ProveOptions,
): Promise<{ tasks: readonly Task[]; failed: Unproven[] }> {
  const root = await taskRoots(context, options);
  if ((id === undefined) !== (options.all === true)) {
    throw cliFault("bad-option", "name one task, or give --all for every one");
  }
  if (id !== undefined) return { tasks: [await findTask(root, id)], failed: [] };
  const { tasks, broken } = await listTasks(root);
  return { tasks, failed: [...broken] };
}

async function proveOne(
  task: Task,
  parts: Parts,
  options: ProveOptions,
  { err, paint }: Terminal,
): Promise<Proof> {
  const { jobs, mutants, poisons } = options;
  const say = (text: string) => err(`${paint.dim(`${task.id}: ${plain(text)}`)}\n`);
  return await proveTask(
    task,
    parts,
    {
      variants: sample(task, options),
      compared: compared(task),
      jobs,
      mutants,
      poisons,
      countTokens,
    },
    parts.signal,
    { say },
  );
}

/** Which variants are proven: those asked for, or the first and the first that is held out. */
function sample(task: Task, { variant, allVariants }: ProveOptions): readonly number[] {
  const { count, holdout } = task.variants;
  if (allVariants) return Array.from({ length: count }, (_, at) => at + 1);
  if (variant !== undefined) return variantsOf(task, variant);
  const other = holdout.find((one) => one !== 1) ?? count;
  return [...new Set([1, other])];
}

/** Which variants are held against each other: all, or some of each split, evenly chosen. */
function compared({ variants: { count, holdout } }: Task): readonly number[] {
  const some = (all: readonly number[], most: number) => {
    const every = Math.max(1, Math.ceil(all.length / most));
    return all.filter((_, at) => at % every === 0);
  };
  const all = Array.from({ length: count }, (_, at) => at + 1);
  const held = new Set(holdout);
  const train = some(
    all.filter((variant) => !held.has(variant)),
    COMPARED_MAX.train,
  );
  return [...train, ...some(holdout, COMPARED_MAX.holdout)];
}

/** A proof for a person: a line for each rule, what is wrong below it, and the figures. */
function proofReport(proof: Proof, { paint }: Terminal): string {
  const { task, findings, figures, seconds, variants } = proof;
  const rows = findings.map(({ rule, holds, summary }) => [
    holds ? paint.green("✓") : paint.red("✗"),
    rule,
    plain(summary, 140),
  ]);
  const verdict = proof.holds ? paint.green("proven") : paint.red("refused");
  const { gradings, gradingsPerMinute } = figures;
  const took = `variants ${variants.join(", ")} in ${seconds.toFixed(0)} s, ${gradings} gradings at ${gradingsPerMinute} a minute`;
  return [
    `\n${paint.bold(task.id)} is ${verdict} ${paint.dim(`(${took})`)}\n`,
    table(rows),
    ...findings.flatMap((found) => detail(found, paint)),
  ].join("");
}

function detail({ rule, problems, notes }: Finding, paint: Terminal["paint"]): string[] {
  const lines = problems.map((line) => `${paint.red(`${rule}:`)} ${plain(line, 400)}\n`);
  return [...lines, ...notes.map((line) => paint.dim(`${rule}: ${plain(line, 240)}\n`))];
}
