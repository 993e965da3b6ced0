import { paidBy } from "../grading/reward.ts";
import type { GroupRow } from "../store/admissions.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { OpenRollout } from "./open-rollout.ts";
import type { GroupView, RolloutView } from "./service.ts";

/** A rollout as its caller sees it: as the service holds it, or as its record says. */
export function rolloutView(
  record: RolloutRecord,
  instruction: string,
  open?: OpenRollout,
): RolloutView {
  const { id, group, attempt, phase, outcome, task, variant, labels, requestedAt } = record;
  const servingMs = record.reachedMs.serving;
  const isUnderWay = servingMs !== undefined && phase !== "requested" && phase !== "seeded";
  const deadlineMs = Date.parse(requestedAt) + (servingMs ?? 0) + record.budget.wallMs;
  const input = open?.isServing ? open.policy.input : undefined;
  return {
    id,
    group,
    attempt,
    phase,
    outcome,
    task: task.id,
    variant,
    instruction,
    labels,
    mcp: input ? { url: input.url, token: input.token } : null,
    deadline: isUnderWay ? new Date(deadlineMs).toISOString() : null,
    leaseUntil: open?.policy.lease.until?.toISOString() ?? null,
    rewardKind: record.rewardKind,
    reward: outcome === null ? null : paidBy(record.rewardKind, record.reward),
    record: outcome === null ? null : record,
  };
}

/** The attempts at one member of a group, oldest first. */
export type MemberViews = readonly RolloutView[];

/** `isLost` says of a newest attempt whether another one is still to come. */
export function groupView(
  { id, task, variant, n, closed }: GroupRow,
  attempts: readonly MemberViews[],
  isLost: (view: RolloutView) => boolean,
): GroupView {
  const members = attempts.flatMap((views) => views.at(-1) ?? []);
  const lost = attempts.flatMap((views) => views.slice(0, -1));
  const isEnded = (view: RolloutView) => view.outcome !== null && (closed || !isLost(view));
  return {
    id,
    task,
    variant,
    n,
    members,
    lost,
    ended: members.every(isEnded),
    gradable: members.filter(({ record }) => record?.outcome && record.reward !== null).length,
    shortfall: members
      .filter((view) => isEnded(view) && (view.record?.reward ?? null) === null)
      .map((view) => ({ id: view.id, reason: reasonOf(view) })),
  };
}

function reasonOf({ outcome, record }: RolloutView): string {
  const fault = record?.fault;
  return fault ? `${outcome}: ${fault.code}: ${fault.message}` : String(outcome);
}
