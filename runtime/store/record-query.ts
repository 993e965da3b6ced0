import type { SQLInputValue } from "node:sqlite";
import type { Split } from "../task/task.ts";
import { storeFault } from "./faults.ts";
import type { Outcome, RolloutRecord } from "./record.ts";

/** Which records to list: those that fit everything that is given. */
export interface RecordQuery {
  /** The first letters of the rollout's id. */
  readonly id?: string;
  readonly task?: string;
  readonly policy?: string;
  /** Null: only those without an outcome yet. */
  readonly outcome?: Outcome | null;
  readonly split?: Split;
  /** Requested then or later. */
  readonly since?: Date;
  /** Requested before that. */
  readonly until?: Date;
  /** Of the reward that the record's `rewardKind` names, both bounds included; without a reward none fits. */
  readonly minReward?: number;
  readonly maxReward?: number;
  readonly process?: string;
  /** The id of the caller's key. */
  readonly key?: string;
  readonly group?: string;
  /** At most this many; default 100, at most 1000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

interface Conditions {
  /** A WHERE clause; empty if there is no condition. */
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

type Sql = readonly [clause: string, ...values: SQLInputValue[]];

const EQUAL = {
  task: "task",
  policy: "policy",
  outcome: "outcome",
  split: "split",
  process: "process",
  key: "key",
  group: "group_id",
} as const satisfies Partial<Record<keyof RecordQuery, string>>;

/** Rejects with `store/bad-cursor`. */
export function conditionsOf(query: RecordQuery): Conditions {
  const { id, since, until, minReward, maxReward, cursor } = query;
  const all: Sql[] = [];
  for (const [name, column] of Object.entries(EQUAL)) {
    const value = query[name as keyof typeof EQUAL];
    if (value !== undefined) all.push([`${column} IS ?`, value]);
  }
  if (id !== undefined) all.push(startsWith("id", id));
  if (since !== undefined) all.push(["requested_at >= ?", sortableTime(since)]);
  if (until !== undefined) all.push(["requested_at < ?", sortableTime(until)]);
  if (minReward !== undefined) all.push(["reward >= ?", minReward]);
  if (maxReward !== undefined) all.push(["reward <= ?", maxReward]);
  if (cursor !== undefined) all.push(["(requested_at, id) < (?, ?)", ...fromCursor(cursor)]);
  if (all.length === 0) return { where: "", values: [] };
  const where = `WHERE ${all.map(([clause]) => clause).join(" AND ")}`;
  return { where, values: all.flatMap(([, ...values]) => values) };
}

/** A condition that an index can answer. */
export function startsWith(column: string, prefix: string): Sql {
  return [`${column} >= ? AND ${column} < ?`, prefix, `${prefix}\u{10ffff}`];
}

const [EARLIEST, LATEST] = [
  Date.parse("0000-01-01T00:00:00Z"),
  Date.parse("9999-12-31T23:59:59.999Z"),
];

/** All in UTC with four digits of a year, so that the order of texts is the order of instants. */
export function sortableTime(time: Date): string {
  return new Date(Math.min(Math.max(time.getTime(), EARLIEST), LATEST)).toISOString();
}

export function cursorOf({ id, requestedAt }: RolloutRecord): string {
  return Buffer.from(`${sortableTime(new Date(requestedAt))} ${id}`).toString("base64url");
}

function fromCursor(cursor: string): [string, string] {
  const [time, id, ...more] = Buffer.from(cursor, "base64url").toString().split(" ");
  if (time === undefined || id === undefined || more.length > 0 || Number.isNaN(Date.parse(time))) {
    throw storeFault("bad-cursor", `"${cursor}" is not the cursor of a list; list without one`);
  }
  return [time, id];
}
