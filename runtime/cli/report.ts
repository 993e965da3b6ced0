import { join } from "node:path";
import { type Fault, faultRecord } from "../base/fault.ts";
import { type Criterion, REWARD_KINDS, type Reward, type RewardKind } from "../grading/grade.ts";
import type { Step } from "../mcp/record/step.ts";
import { outcomeOf } from "../rollout/outcome.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { Task } from "../task/task.ts";
import { duration, type Paint, plain, plainLines, table } from "./terminal.ts";

/** One rollout as `--json` prints it: its record, with the steps in short and the bundle's path. */
export function rolloutDocument(
  record: RolloutRecord,
  steps: readonly Step[],
  bundlesFolder: string,
): Record<string, unknown> {
  return {
    ...record,
    steps: steps.map(({ step, server, tool, outcome, queueMs, upstreamMs, proxyMs }) => ({
      step,
      server,
      tool,
      outcome,
      queueMs,
      upstreamMs,
      proxyMs,
    })),
    bundle: record.bundle === null ? null : join(bundlesFolder, record.bundle),
  };
}

/** A variant that could not be made, so that there was no rollout of it. */
export interface FailedVariant {
  readonly variant: number;
  readonly fault: Fault;
}

/** The same for a variant without a rollout: what there is of such a document, and the fault. */
export function failureDocument(
  { variant, fault }: FailedVariant,
  { id, sha256 }: Task,
  policy: string,
): Record<string, unknown> {
  return {
    ...{ id: null, task: { id, sha256 }, variant, policy, outcome: outcomeOf(fault.blame) },
    ...{ reward: null, criteria: null, fault: faultRecord(fault), steps: [], bundle: null },
  };
}

/** The same for a person. */
export function failureReport({ variant, fault }: FailedVariant, paint: Paint): string {
  const outcome = paint.bold(outcomeOf(fault.blame));
  const lines = [`outcome ${outcome} (variant ${variant} could not be made)`];
  lines.push("reward  null (no rollout, so no reward)", `fault   ${fault.code}: ${fault.message}`);
  return `\n${lines.join("\n")}\n`;
}

/** The end of a rollout for a person: the criteria with their reasons, the rewards, the bundle. */
export function rolloutReport(record: RolloutRecord, bundlesFolder: string, paint: Paint): string {
  const lines = [
    "",
    ...(record.criteria ? [criteriaTable(record.criteria, paint)] : []),
    `outcome ${paint.bold(record.outcome ?? "none")}${endingText(record)}`,
  ];
  if (record.reward) lines.push(...rewardLines(record.reward, paint, record.rewardKind));
  else lines.push("reward  null (no grade, so no reward)");
  if (record.fault) lines.push(`fault   ${record.fault.code}: ${plainLines(record.fault.message)}`);
  if (record.bundle) lines.push(`bundle  ${join(bundlesFolder, record.bundle)}`);
  return `${lines.join("\n")}\n`;
}

/** All rewards, one a line; the one that is paid is marked. */
export function rewardLines(reward: Reward, paint: Paint, paid?: RewardKind): string[] {
  const texts = {
    sparse: String(reward.sparse),
    dense: reward.dense.toFixed(2),
    gain: reward.gain?.toFixed(2),
  };
  return REWARD_KINDS.flatMap((kind) => {
    const text = texts[kind];
    if (text === undefined) return [];
    return `${kind.padEnd(6)}  ${paint.bold(text)}${kind === paid ? "  the reward" : ""}`;
  });
}

/** Criteria with score, weight and reason, one a line. */
export function criteriaTable(criteria: readonly Criterion[], paint: Paint): string {
  const rows = criteria.map((one) => {
    const { name, weight, polarity, cap = null, score, reason, error, unreadable = false } = one;
    const broke = score === null && error !== null;
    return [
      score === null ? paint.red("error") : scoreText(score, paint),
      cap === null ? `×${weight}${polarity === "must_not" ? " not" : ""}` : `cap ${cap}`,
      plain(name, 60),
      paint.dim(
        plain(broke ? lastLine(error) : `${unreadable ? "unreadable: " : ""}${reason}`, 110),
      ),
    ];
  });
  return table([["score", "", "criterion", "reason"], ...rows]);
}

/** One line for one call, as it ends. */
export function stepLine(step: Step, paint: Paint): string {
  const { outcome } = step;
  const mark = outcome === "ok" ? paint.green("✓") : paint.yellow(outcome);
  const took = duration(step.queueMs + step.upstreamMs + step.proxyMs).padStart(7);
  const args = paint.dim(plain(JSON.stringify(step.arguments), 90));
  return `${String(step.step).padStart(4)} ${took}  ${mark} ${plain(step.exposedName, 80)} ${args}\n`;
}

function scoreText(score: number, paint: Paint): string {
  const text = score === 1 ? "1" : score === 0 ? "0" : score.toFixed(2);
  return score === 1 ? paint.green(text) : paint.red(text);
}

function endingText({ ending, steps }: RolloutRecord): string {
  return ending === null ? "" : ` (${ending.kind} after ${steps} calls)`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
