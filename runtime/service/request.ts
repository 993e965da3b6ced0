import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import { REWARD_KINDS } from "../grading/grade.ts";
import { badRequest } from "../rollout/faults.ts";
import { checkGroupLabel } from "./group-name.ts";
import type { GroupRequest, RolloutRequest } from "./service.ts";

const LABELS = { count: 32, name: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, value: 256 } as const;
const RESERVED = "cloche.";
const LEASE_MS = { default: 120_000, least: 5_000, most: 3_600_000 } as const;
const GROUP_MOST = 256;
const NAME = /^[\x21-\x7e]{1,100}$/;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/** A request whose members are all there and within bounds, but for its task, budget and limits. */
export interface CheckedRequest {
  readonly variant: number;
  readonly policy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  /** The caller's own label of a group. */
  readonly group: string | null;
}

/** @throws Fault `rollout/bad-request`, which names the member */
export function checkRequest(request: RolloutRequest | GroupRequest): CheckedRequest {
  const { variant = 1, policy = "external", labels = {}, leaseMs = LEASE_MS.default } = request;
  if (!NAME.test(policy)) throw badRequest("policy", "must be 1 to 100 visible letters");
  if (!Number.isFinite(leaseMs) || leaseMs < LEASE_MS.least || leaseMs > LEASE_MS.most)
    throw badRequest("leaseMs", `must be ${LEASE_MS.least} to ${LEASE_MS.most}, not ${leaseMs}`);
  if (!Number.isSafeInteger(variant)) throw badRequest("variant", "must be a whole number");
  if (request.reward !== undefined && !REWARD_KINDS.includes(request.reward))
    throw badRequest("reward", `must be ${REWARD_KINDS.join(", ")}, not ${request.reward}`);
  checkLabels(labels);
  for (const [name, value] of Object.entries(request.budget ?? {}))
    if (!Number.isSafeInteger(value)) throw badRequest(`budget.${name}`, "must be a whole number");
  for (const [name, value] of Object.entries(request.limits ?? {}))
    if (name === "cpus" ? !Number.isFinite(value) : !Number.isSafeInteger(value))
      throw badRequest(`limits.${name}`, "must be a whole number, or of cpus any number");
  const { idempotencyKey } = request;
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
    throw badRequest("idempotencyKey", "must be 1 to 255 letters of ASCII");
  const { group = null } = "n" in request ? {} : request;
  if (group !== null) checkGroupLabel(group);
  if ("n" in request) {
    const { n } = request;
    if (!Number.isSafeInteger(n) || n < 1 || n > GROUP_MOST)
      throw badRequest("n", `must be 1 to ${GROUP_MOST}, not ${n}`);
  }
  return { variant, policy, labels: { ...labels }, leaseMs: Math.round(leaseMs), group };
}

/** The same for the same request, whatever the order of its members. */
export function requestHash(request: RolloutRequest | GroupRequest): string {
  const { idempotencyKey: _, ...rest } = request;
  return sha256(canonicalJson(["n" in request ? "group" : "rollout", rest]));
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  const all = Object.entries(labels);
  if (all.length > LABELS.count)
    throw badRequest("labels", `has ${all.length} members; at most ${LABELS.count} are kept`);
  for (const [name, value] of all) {
    const shown = `labels.${name.slice(0, 80)}`;
    if (!LABELS.name.test(name))
      throw badRequest(
        shown,
        "is no name: 1 to 63 letters, digits or . _ / - and a letter or digit first",
      );
    if (name.startsWith(RESERVED))
      throw badRequest(shown, `begins with "${RESERVED}", which is reserved`);
    if (typeof value !== "string" || value.length > LABELS.value)
      throw badRequest(shown, `must be a text of at most ${LABELS.value} letters`);
  }
}
