import { type Command, Option } from "commander";
import { rolloutId } from "../../base/id.ts";
import { REWARD_KINDS, type RewardKind } from "../../grading/grade.ts";
import type { Step } from "../../mcp/step.ts";
import { playerFor } from "../../policy/policies.ts";
import { reap } from "../../rollout/reaper.ts";
import { runRollout } from "../../rollout/run-rollout.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { prepareVariant } from "../../task/prepare.ts";
import type { Task } from "../../task/task.ts";
import { findTask } from "../../task/task-list.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { type CommonOptions, type Context, openParts, type Parts, tasksRoot } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { progressWatcher } from "../progress.ts";
import { rolloutDocument, rolloutReport } from "../report.ts";
import { SavedFiles } from "../saved-files.ts";
import { variantsOf } from "../variants.ts";
import { watchRuns } from "./run-watch.ts";

interface RunOptions extends CommonOptions {
  readonly policy: string;
  readonly variant: string;
  readonly reward?: RewardKind;
  readonly watch?: boolean;
}

const HELP = `
Examples:
  $ npx cloche run library/catalogue-update
  $ npx cloche run library/catalogue-update --policy cheat:empty_file --variant 2
  $ npx cloche run library/catalogue-update --variant 1..5 --json > rollouts.json
  $ npx cloche run library/catalogue-update --watch

Exit codes: 0 every rollout was graded, 1 some was not, 2 nothing could start.`;

export function addRun(program: Command, context: Context): void {
  program
    .command("run <task>")
    .description("run one task, or several variants of it one after the other")
    .option("--policy <name>", 'who plays: oracle, null, or "cheat:<name>"', "oracle")
    .option("--variant <n>", 'which variant: 1, "1..5" or "1,3"', "1")
    .addOption(
      new Option(
        "--reward <kind>",
        "which one is the reward (default: what the task says)",
      ).choices(REWARD_KINDS),
    )
    .option("--watch", "run again whenever a file of the task is saved, and say what changed")
    .option("--json", "one JSON document {run, rollouts} on stdout, all else on stderr")
    .option("--root <folder>", "where tasks/ and fixtures/ lie (default: this repository)")
    .option("--verbose", "show the log as well, on stderr (its level: CLOCHE_LOG)")
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (id: string, options: RunOptions) => {
      process.exitCode = await run(context, id, options, { calls: context.terminal.live });
    });
}

interface Played {
  readonly record: RolloutRecord;
  readonly steps: readonly Step[];
}

/** Runs and reports; resolves with the exit code. Also the demo's way. */
export async function run(
  context: Context,
  id: string,
  options: RunOptions,
  show: { readonly calls: boolean },
): Promise<number> {
  const { terminal } = context;
  if (options.watch && options.json) {
    throw cliFault("bad-option", "--watch tells a person what changed: leave --json out");
  }
  const withReward = (found: Task) => ({ ...found, reward: options.reward ?? found.reward });
  const task = withReward(await findTask(tasksRoot(context, options), id));
  const variants = variantsOf(task, options.variant);
  const saved = options.watch ? await SavedFiles.of(task) : undefined;
  await using parts = await openParts(context, options);
  await reap(parts, parts.signal); // What a killed process has left, before anything is added.
  const startedAt = parts.clock.now().toISOString();
  const all: Played[] = [];
  for (const variant of variants) {
    if (parts.signal.aborted) break;
    const played = await playOne(context, parts, task, variant, options, show);
    all.push(played);
    if (!options.json)
      terminal.out(rolloutReport(played.record, parts.data.bundles, terminal.paint));
  }
  if (options.json) {
    const { data, engineSummary, images } = parts;
    const run = { task: task.id, policy: options.policy, variants, startedAt };
    const rollouts = all.map(({ record, steps }) => rolloutDocument(record, steps, data.bundles));
    const document = { run: { ...run, engine: engineSummary, images, data: data.path }, rollouts };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  if (saved !== undefined) {
    const play = async (now: Task, variant: number) =>
      (await playOne(context, parts, withReward(now), variant, options, show)).record;
    const played = new Map(all.map(({ record }) => [record.variant, record]));
    const root = tasksRoot(context, options);
    await watchRuns({ root, task, saved, terminal, played, play }, parts.signal);
  }
  const graded =
    all.length === variants.length && all.every((one) => one.record.outcome === "graded");
  if (parts.signal.aborted && all.length < variants.length) return EXIT.interrupted;
  return graded ? EXIT.graded : EXIT.notGraded;
}

async function playOne(
  context: Context,
  parts: Parts,
  task: Task,
  variant: number,
  options: RunOptions,
  show: { readonly calls: boolean },
): Promise<Played> {
  const { engine, images, data, signal, log, clock } = parts;
  const labels = { owner: data.owner, process: parts.process };
  const player = await playerFor(options.policy, task, {
    engine,
    image: images.grader,
    labels,
    clock,
  });
  const progress = progressWatcher(context.terminal, show);
  progress.say(`task ${task.id}, variant ${variant}, policy ${player.name}`);
  const prepared = await prepareVariant(task, variant, {
    engine,
    graderImage: images.grader,
    blobs: new BlobFolder(data.blobs),
    cacheFolder: data.cache,
    labels,
    signal,
    log,
  });
  const steps: Step[] = [];
  const spec = { id: rolloutId(), task, prepared, player, group: null, labels: {} };
  const record = await runRollout(spec, parts, signal, {
    onPhase: progress.onPhase,
    onStep: (step) => {
      steps.push(step);
      progress.onStep(step);
    },
  });
  return { record, steps };
}
