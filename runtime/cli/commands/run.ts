import { type Command, Option } from "commander";
import { Fault } from "../../base/fault.ts";
import { rolloutId } from "../../base/id.ts";
import { REWARD_KINDS, type RewardKind } from "../../grading/grade.ts";
import type { Step } from "../../mcp/record/step.ts";
import { policyFor } from "../../policy/policies.ts";
import type { ScriptedParts } from "../../policy/scripted-policy.ts";
import { requireEgress } from "../../rollout/egress/egress.ts";
import type { Policy } from "../../rollout/policy.ts";
import { reap } from "../../rollout/reaper.ts";
import { runRollout } from "../../rollout/run-rollout.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { prepareVariant } from "../../task/prepare.ts";
import type { Task } from "../../task/task.ts";
import { findTask } from "../../task/task-list.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { egressAllowed, openParts, type Parts, taskRoots } from "../parts.ts";
import { progressWatcher } from "../progress.ts";
import { ROOT } from "../repeated.ts";
import {
  type FailedVariant,
  failureDocument,
  failureReport,
  rolloutDocument,
  rolloutReport,
} from "../report.ts";
import { SavedFiles } from "../saved-files.ts";
import { errorLine, type Paint } from "../terminal.ts";
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
  $ ./cloche.mjs run library/catalogue-update
  $ ./cloche.mjs run library/catalogue-update --policy cheat:empty_file --variant 2
  $ ./cloche.mjs run library/catalogue-update --variant 1..5 --json > rollouts.json
  $ ./cloche.mjs run library/catalogue-update --watch

A variant that cannot be made is an entry with its fault; the others are played.
Ctrl-C, SIGTERM or SIGHUP ends the rollout under way: it is recorded as cancelled, and nothing is left.
Exit codes: 0 every rollout was graded, 1 some was not, 2 nothing could start, 130 interrupted before one
began.`;

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
    .option("--profile <name>", 'how tightly sandboxes are closed: "default" or "strict"')
    .option("--runtime <name>", "the OCI runtime of sandboxes, as the engine knows it")
    .option("--images-by-digest", "refuse images that are named otherwise")
    .option("--allow-egress", "tasks may reach the hosts outside that they ask for")
    .option(...ROOT)
    .option("--signing-key <file>", "sign bundles with this key (or CLOCHE_SIGNING_KEY)")
    .option("--verbose", "show the log as well, on stderr (its level: CLOCHE_LOG)")
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (id: string, options: RunOptions) => {
      process.exitCode = await run(context, id, options, { calls: context.terminal.live });
    });
}

interface Turn {
  readonly task: Task;
  readonly variant: number;
  readonly policy: Policy;
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
  const task = withReward(await findTask(await taskRoots(context, options), id));
  const variants = variantsOf(task, options.variant);
  requireEgress(task, { allowEgress: egressAllowed(context, options) });
  const saved = options.watch ? await SavedFiles.of(task) : undefined;
  await using parts = await openParts(context, options);
  await reap(parts, parts.signal); // What a killed process has left, before anything is added.
  const policy = await policyFor(options.policy, task, scriptedParts(parts));
  const startedAt = parts.clock.now().toISOString();
  const results: (Played | FailedVariant)[] = [];
  for (const variant of variants) {
    if (parts.signal.aborted) break;
    try {
      results.push(await playOne(context, parts, { task, variant, policy }, show));
    } catch (error) {
      // What other variants came to is not lost by one that cannot be made.
      if (variants.length === 1) throw error;
      if (parts.signal.aborted && results.length > 0) break;
      if (!(error instanceof Fault)) throw error;
      results.push({ variant, fault: error });
      const what = `variant ${variant} was not made: ${error.message}`;
      const told = { code: error.code, message: what };
      if (options.json) terminal.err(errorLine(told, terminal.paint));
    }
    const last = results.at(-1);
    if (!options.json && last) terminal.out(report(last, parts, terminal.paint));
  }
  if (options.json) {
    const { data, engineSummary, images } = parts;
    const about = { task: task.id, policy: options.policy, variants, startedAt };
    const rollouts = results.map((one) => {
      if ("fault" in one) return failureDocument(one, task, options.policy);
      return rolloutDocument(one.record, one.steps, data.bundles);
    });
    const document = {
      run: { ...about, engine: engineSummary, images, data: data.path },
      rollouts,
    };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  if (saved !== undefined) {
    const again = async (now: Task, variant: number) => {
      const policy = await policyFor(options.policy, now, scriptedParts(parts));
      const wanted = { task: withReward(now), variant, policy };
      return (await playOne(context, parts, wanted, show)).record;
    };
    const records = results.flatMap((one) => ("record" in one ? [one.record] : []));
    const played = new Map(records.map((record) => [record.variant, record]));
    const root = await taskRoots(context, options);
    await watchRuns({ root, task, saved, terminal, played, play: again }, parts.signal);
  }
  return exitCode(results, variants.length, parts.signal.aborted);
}

function exitCode(
  results: readonly (Played | FailedVariant)[],
  wanted: number,
  interrupted: boolean,
): number {
  if (interrupted && results.length < wanted) return EXIT.interrupted;
  if (results.every((one) => "fault" in one)) return EXIT.badUsage;
  const graded = results.filter((one) => "record" in one && one.record.outcome === "graded");
  return graded.length === wanted ? EXIT.graded : EXIT.notGraded;
}

function report(result: Played | FailedVariant, { data }: Parts, paint: Paint): string {
  if ("fault" in result) return failureReport(result, paint);
  return rolloutReport(result.record, data.bundles, paint);
}

function scriptedParts({ engine, images, data, clock, process }: Parts): ScriptedParts {
  return { engine, image: images.grader, labels: { owner: data.owner, process }, clock };
}

async function playOne(
  context: Context,
  parts: Parts,
  { task, variant, policy }: Turn,
  show: { readonly calls: boolean },
): Promise<Played> {
  const { engine, images, data, signal, log } = parts;
  const progress = progressWatcher(context.terminal, show);
  progress.say(`task ${task.id}, variant ${variant}, policy ${policy.name}`);
  const prepared = await prepareVariant(task, variant, {
    engine,
    graderImage: images.grader,
    blobs: new BlobFolder(data.blobs),
    cacheFolder: data.cache,
    labels: { owner: data.owner, process: parts.process },
    signal,
    log,
  });
  const steps: Step[] = [];
  const spec = { id: rolloutId(), task, prepared, policy, group: null, labels: {} };
  const record = await runRollout(spec, parts, signal, {
    onPhase: progress.onPhase,
    onStep: (step) => {
      steps.push(step);
      progress.onStep(step);
    },
  });
  return { record, steps };
}
