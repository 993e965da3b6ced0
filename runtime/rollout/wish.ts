import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import type { Budget } from "../mcp/step.ts";
import type { Task } from "../task/task.ts";
import { rolloutFault } from "./faults.ts";
import type { GroupWish, RolloutWish } from "./service.ts";

const LABELS = { count: 32, name: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, value: 256 } as const;
const RESERVED = "cloche.";
const LEASE_MS = { default: 120_000, least: 5_000, most: 3_600_000 } as const;
const GROUP_MOST = 256;
const NAME = /^[\x21-\x7e]{1,100}$/;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/** A wish whose members are all there and within bounds, but for its task and budget. */
export interface CheckedWish {
  readonly variant: number;
  readonly policy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaseMs: number;
}

/** @throws Fault `rollout/bad-wish`, which names the member */
export function checkWish(wish: RolloutWish | GroupWish): CheckedWish {
  const { variant = 1, policy = "external", labels = {}, leaseMs = LEASE_MS.default } = wish;
  if (!NAME.test(policy)) throw bad("policy", "must be 1 to 100 visible letters");
  if (!Number.isFinite(leaseMs) || leaseMs < LEASE_MS.least || leaseMs > LEASE_MS.most)
    throw bad("leaseMs", `must be ${LEASE_MS.least} to ${LEASE_MS.most}, not ${leaseMs}`);
  if (!Number.isSafeInteger(variant)) throw bad("variant", "must be a whole number");
  checkLabels(labels);
  for (const [name, value] of Object.entries(wish.budget ?? {}))
    if (!Number.isSafeInteger(value)) throw bad(`budget.${name}`, "must be a whole number");
  const { idempotencyKey } = wish;
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
    throw bad("idempotencyKey", "must be 1 to 255 letters of ASCII");
  if ("n" in wish) {
    const { n } = wish;
    if (!Number.isSafeInteger(n) || n < 1 || n > GROUP_MOST)
      throw bad("n", `must be 1 to ${GROUP_MOST}, not ${n}`);
  }
  return { variant, policy, labels: { ...labels }, leaseMs: Math.round(leaseMs) };
}

/** The task with its budget lowered as wished. @throws Fault `rollout/bad-wish` if it is higher */
export function withBudget(task: Task, wished: Partial<Budget> = {}): Task {
  for (const [name, value] of Object.entries(wished)) {
    const most = (task.budget as unknown as Readonly<Record<string, number>>)[name];
    const known = Object.keys(task.budget).join(", ");
    if (most === undefined) throw bad(`budget.${name}`, `is no budget; there are ${known}`);
    if (value < 1 || value > most)
      throw bad(`budget.${name}`, `must be 1 to ${most}, the task's own, not ${value}`);
  }
  return { ...task, budget: { ...task.budget, ...wished } };
}

/** The same for the same wish, whatever the order of its members. */
export function wishHash(wish: RolloutWish | GroupWish): string {
  const { idempotencyKey: _, ...rest } = wish;
  return sha256(canonicalJson(["n" in wish ? "group" : "rollout", rest]));
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  const all = Object.entries(labels);
  if (all.length > LABELS.count)
    throw bad("labels", `has ${all.length} members; at most ${LABELS.count} are kept`);
  for (const [name, value] of all) {
    const shown = `labels.${name.slice(0, 80)}`;
    if (!LABELS.name.test(name))
      throw bad(
        shown,
        "is no name: 1 to 63 letters, digits or . _ / - and a letter or digit first",
      );
    if (name.startsWith(RESERVED)) throw bad(shown, `begins with "${RESERVED}", which is reserved`);
    if (typeof value !== "string" || value.length > LABELS.value)
      throw bad(shown, `must be a text of at most ${LABELS.value} letters`);
  }
}

function bad(member: string, what: string): Error {
  return rolloutFault("bad-wish", `"${member}" ${what}`, { detail: { member } });
}
