import type { Json } from "../base/canonical-json.ts";
import type { Grade, RewardKind } from "../grading/grade.ts";
import type { ToolInfo } from "../mcp/link/handshake.ts";
import type { CalledTool } from "../mcp/proxy/direct-caller.ts";
import type { Budget, Step } from "../mcp/record/step.ts";
import type { Bundle } from "../store/bundle.ts";
import type { Outcome, Phase, RolloutRecord } from "../store/record.ts";
import type { RecordQuery } from "../store/record-query.ts";
import type { RecordPage } from "../store/records.ts";
import type { TaskLimits } from "../task/task.ts";

/**
 * Many rollouts at once: asked for, queued, served, ended, recorded. It knows callers by the id of
 * their key and nothing of HTTP. Every method that names a rollout or group rejects with
 * `rollout/unknown` for one that is not there or belongs to another key: the two look the same.
 *
 * Every request that was accepted ends in exactly one record per attempt, whatever dies.
 */
export interface RolloutService extends AsyncDisposable {
  /**
   * Accepts a rollout: its record is on the disk when this resolves, in phase "requested". The
   * sandbox comes when there is room. Rejects at once, with nothing made, with `rollout/queue-full`
   * or `rollout/over-limit` (detail.retryAfterMs), `rollout/draining`, `rollout/key-reused` (the
   * idempotency key was used with another request), `store/no-room`, or a fault of the task. The same idempotency key
   * and request give the same rollout.
   */
  request(request: RolloutRequest, caller: Caller): Promise<RolloutView>;

  /** Accepts n rollouts of one variant, as one: all of them or none. Rejects as `request`. */
  requestGroup(request: GroupRequest, caller: Caller): Promise<GroupView>;

  view(id: string, caller: Caller): Promise<RolloutView>;
  groupView(id: string, caller: Caller): Promise<GroupView>;
  /** The caller's records, newest first. */
  list(query: RecordQuery, caller: Caller): Promise<RecordPage>;

  /**
   * Resolves once the rollout serves, or has ended before (then `view.phase` is "stored"), or when
   * the signal is aborted (with the view as it is then).
   */
  untilServing(id: string, caller: Caller, signal: AbortSignal): Promise<RolloutView>;

  /** Tools as the agent is shown them. Rejects with `rollout/not-serving` (detail.phase). */
  tools(id: string, caller: Caller): Promise<readonly ToolInfo[]>;

  /**
   * Calls tools as through MCP: the same steps, budgets and records; in parallel. Renews the lease.
   * Answers are in the order of the calls. Rejects with `rollout/not-serving`.
   */
  call(id: string, calls: readonly ToolCall[], caller: Caller): Promise<readonly ToolAnswer[]>;

  /** Renews the lease and says until when it holds. Rejects with `rollout/not-serving`. */
  heartbeat(id: string, caller: Caller): Promise<Date>;

  /**
   * The agent is done. Resolves with the final record; the grade is in it. Idempotent: a second
   * finish resolves with the same record. Rejects with `rollout/not-serving` before it serves.
   */
  finish(id: string, answer: string | null, caller: Caller): Promise<RolloutRecord>;

  /** Gives the rollout up in any phase. Resolves with the final record, also if it had ended. */
  cancel(id: string, caller: Caller): Promise<RolloutRecord>;

  /**
   * What happened to a rollout and goes on happening, from the event after `after` on (0: from the
   * first), until the event of phase "stored" or the signal's abort. Also of an ended rollout.
   */
  events(
    id: string,
    after: number,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncIterable<RolloutEvent>;

  /**
   * Grades a bundle again, whoever it is from, with the grader that it holds ("recorded") or the one
   * that its task has now ("current"); in the same queues as rollouts' grades. Stores nothing.
   * Rejects as grading does, with a fault of the task, or with the signal's reason.
   */
  regrade(bundle: Bundle, grader: "recorded" | "current", signal: AbortSignal): Promise<Grade>;

  /** Numbers to watch, taken now. */
  stats(): ServiceStats;

  /**
   * Ends rollouts whose process died, goes on with those whose sandbox lives, removes what nobody
   * owns. Called once, before the first request.
   */
  recover(): Promise<Recovered>;

  /**
   * Accepts nothing more and waits until the rollouts under way have ended, at most `graceMs`; the
   * rest are finished, captured and graded as they stand. An abort goes straight to release.
   */
  drain(graceMs: number, now: AbortSignal): Promise<void>;
}

export interface Caller {
  /** The id of the key that the caller holds; "local" where there are no keys. */
  readonly key: string;
  /** Rollouts of this key at once; undefined: as many as there is room for. */
  readonly maxOpen?: number;
  /** What this key is allowed beyond what every key is. Default: nothing. */
  readonly may?: readonly Right[];
}

/** "grade:foreign": to have the code run that a bundle from elsewhere brings with it. */
export const RIGHTS = ["grade:foreign"] as const;
export type Right = (typeof RIGHTS)[number];

export interface RolloutRequest {
  readonly task: string;
  /** Default 1. */
  readonly variant?: number;
  /** What the caller calls itself; recorded as the policy. Default "external". */
  readonly policy?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Which reward the view gives as its `reward`. Default: what the task says. */
  readonly reward?: RewardKind;
  /** Lower bounds than the task's on what the agent may ask for; a higher one is refused. */
  readonly budget?: Partial<Budget>;
  /** Lower bounds than the task's on what its sandbox may use; a higher one is refused. */
  readonly limits?: Partial<TaskLimits>;
  /**
   * The caller's own label, 1 to 64 of A-Z, a-z, 0-9 and . _ -, that ties rollouts asked for one by
   * one. It makes no group that is reported together, and is refused if it looks like one's id.
   */
  readonly group?: string;
  /** Without a call or heartbeat for this long the agent counts as gone. Default 120,000; 5,000 to 3,600,000. */
  readonly leaseMs?: number;
  readonly idempotencyKey?: string;
}

export interface GroupRequest extends Omit<RolloutRequest, "group"> {
  /** 1 to 256. */
  readonly n: number;
}

export interface RolloutView {
  readonly id: string;
  /** The id of the group that it was asked for in, or the caller's label. */
  readonly group: string | null;
  /** From 1; a group's member lost to infra_error is followed by another attempt. */
  readonly attempt: number;
  readonly phase: Phase;
  readonly outcome: Outcome | null;
  readonly task: string;
  readonly variant: number;
  readonly instruction: string;
  readonly labels: Readonly<Record<string, string>>;
  /** While it serves, else null. The token opens this rollout and no other. */
  readonly mcp: { readonly url: string; readonly token: string } | null;
  /** RFC 3339: when the wall budget ends it; null before it serves. */
  readonly deadline: string | null;
  readonly leaseUntil: string | null;
  readonly rewardKind: RewardKind;
  /** The reward of that kind; null until it was graded, and for ever if it was not. */
  readonly reward: number | null;
  /** The whole record once it has ended. */
  readonly record: RolloutRecord | null;
}

export interface GroupView {
  readonly id: string;
  readonly task: string;
  readonly variant: number;
  readonly n: number;
  /** The newest attempt of each member, in order. */
  readonly members: readonly RolloutView[];
  /** Attempts that were lost to infra_error and replaced. */
  readonly lost: readonly RolloutView[];
  /** All members have ended. */
  readonly ended: boolean;
  /** Members with a reward, and why the others have none, once it has ended. */
  readonly gradable: number;
  readonly shortfall: readonly { readonly id: string; readonly reason: string }[];
}

export interface ToolCall {
  readonly name: string;
  /** An object; anything else is answered as invalid, and is a step as well. */
  readonly arguments: unknown;
  /** Why the call must not be made, if that is known by now. */
  readonly problem?: string;
}

/**
 * A tool's result (`content`, `structuredContent`, `isError`, `_meta`), or a protocol error.
 * `budgetUsed` is there if the call was not made, or not waited for, because that is used up.
 */
export type ToolAnswer = CalledTool;

/** Numbered from 1 without gaps, the same numbers whenever it is asked again. */
export type RolloutEvent =
  | { readonly seq: number; readonly type: "phase"; readonly phase: Phase; readonly at: string }
  | { readonly seq: number; readonly type: "step"; readonly step: Step }
  | { readonly seq: number; readonly type: "grade"; readonly grade: Json };

export interface ServiceStats {
  /** Under way, by phase. */
  readonly open: Readonly<Partial<Record<Phase, number>>>;
  /** Ended since the start, by outcome. */
  readonly ended: Readonly<Partial<Record<Outcome, number>>>;
  readonly queued: number;
  readonly pool: {
    readonly ready: number;
    readonly filling: number;
    readonly hits: number;
    readonly misses: number;
  };
  /** Sandboxes that were removed since the start because nobody owned them. */
  readonly leaksFound: number;
  /** Sandboxes that ought to be gone, of which the engine did not say so: the next sweep looks. */
  readonly unconfirmed: number;
}

export interface Recovered {
  /** Rollouts that go on. */
  readonly resumed: readonly string[];
  /** Rollouts that were captured and graded as they stood, or ended with a typed outcome. */
  readonly ended: readonly string[];
  /** Sandboxes that nobody owned. */
  readonly removed: readonly string[];
}
