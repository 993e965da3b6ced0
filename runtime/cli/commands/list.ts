import type { Command } from "commander";
import { issuesOf } from "../../api/closed-object.ts";
import { listQuery } from "../../api/requests.ts";
import { paidBy } from "../../grading/reward.ts";
import type { RolloutRecord } from "../../store/record.ts";
import type { RecordQuery } from "../../store/record-query.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { openRecords } from "../parts.ts";
import { plain, table } from "../terminal.ts";

const HELP = `
Newest first, 100 unless --limit says otherwise. Filters add up. A day begins at 00:00 UTC. The reward is
the one that the rollout was paid by; with a bound, those without a reward are left out.

Examples:
  $ ./cloche.mjs list --task library/catalogue-update --outcome graded --min-reward 1
  $ ./cloche.mjs list --since 2026-03-02 --until 2026-03-03T12:00:00Z --split holdout --json

Exit codes: 0 listed, also if none fits, 2 a filter is not one.`;

interface ListOptions extends CommonOptions {
  readonly [filter: string]: unknown;
}

/** `cloche list`. */
export function addList(program: Command, context: Context): void {
  program
    .command("list")
    .description("rollouts in the data folder, by time, outcome, task, split and reward")
    .option("--id <letters>", "the first letters of its id")
    .option("--task <id>", "of this task")
    .option("--policy <name>", "played by this policy")
    .option("--group <id>", "of this group, or with this label")
    .option("--outcome <outcome>", "ended like this; none: has not ended")
    .option("--split <split>", "train or holdout")
    .option("--since <time>", "requested then or later")
    .option("--until <time>", "requested before that")
    .option("--min-reward <n>", "paid this much or more")
    .option("--max-reward <n>", "paid this much or less")
    .option("--limit <n>", "at most this many, up to 1000")
    .option("--cursor <text>", "go on where a page ended: its `next`")
    .option("--json", "one JSON document {rollouts, next} on stdout")
    .option("--data <folder>", "where records live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (options: ListOptions) => {
      await list(context, options);
      process.exitCode = EXIT.graded;
    });
}

async function list(context: Context, options: ListOptions): Promise<void> {
  const { terminal } = context;
  const query = queryOf(options);
  await using opened = await openRecords(context, options);
  const { records: rollouts, next } = await opened.records.list(query);
  if (options.json) {
    terminal.out(`${JSON.stringify({ rollouts, next }, null, 2)}\n`);
    return;
  }
  const head = ["rollout", "requested", "task", "split", "policy", "outcome", "reward"];
  terminal.out(table([head, ...rollouts.map(row)]));
  if (next !== null) terminal.err(`there are more: --cursor ${next}\n`);
}

/** What the service's list takes is taken here too. @throws `cli/bad-option` */
function queryOf({ data: _, json: __, ...filters }: ListOptions): RecordQuery {
  const parsed = listQuery.safeParse(filters);
  if (!parsed.success) {
    const issues = issuesOf(parsed.error).map((issue) => `--${issue.replace(/[A-Z]/, hyphened)}`);
    throw cliFault("bad-option", issues.join("; "));
  }
  const { outcome, ...query } = parsed.data;
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const ended = outcome === undefined ? {} : { outcome: outcome === "none" ? null : outcome };
  return { ...Object.fromEntries(given), ...ended };
}

function hyphened(letter: string): string {
  return `-${letter.toLowerCase()}`;
}

function row(record: RolloutRecord): string[] {
  const { id, requestedAt, task, variant, split, policy, outcome, phase, rewardKind } = record;
  const reward = paidBy(rewardKind, record.reward);
  return [
    id,
    requestedAt.slice(0, 19),
    plain(`${task.id}#${variant}`, 60),
    split ?? "",
    plain(policy, 30),
    outcome ?? `(${phase})`,
    reward === null ? "null" : String(Number(reward.toFixed(3))),
  ];
}
