import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Fault, faultRecord, messageOf } from "../base/fault.ts";
import { isAlive, pidOf } from "../base/process-identity.ts";
import type { FoundSandbox } from "../engine/engine.ts";
import { keepSteps, settleSteps } from "../store/kept-steps.ts";
import type { RolloutRecord } from "../store/record.ts";
import { recallEvidence } from "./evidence.ts";
import { rolloutFault } from "./faults.ts";
import { outcomeOf } from "./outcome.ts";
import type { RolloutParts } from "./parts.ts";
import { storeEvidence } from "./phases/store.ts";
import { recallPremises } from "./premises.ts";

/** What a reaper needs: no listener, no images. */
export type ReaperParts = Pick<
  RolloutParts,
  "engine" | "data" | "records" | "clock" | "log" | "process" | "signer"
>;

export interface Reaped {
  /** Sandboxes removed, by id, with the names of their parts. */
  readonly removed: readonly { readonly id: string; readonly parts: readonly string[] }[];
  /** Left alone: the process that made them lives and their time has not expired. */
  readonly living: readonly { readonly id: string; readonly pid: number }[];
  /** Those that could not be removed, and why. */
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  /** Rollouts that had no end and now have one. */
  readonly ended: readonly string[];
  /** Rollouts that a dead service had accepted and not begun: its next start runs them. */
  readonly waiting: readonly string[];
}

export interface ReapOptions {
  /** Whether rollouts that wait for a service's next start are ended too. Default: they are left. */
  readonly endWaiting?: boolean;
}

/**
 * Removes what processes that died have left in the engine under this data folder's owner id, and
 * ends their rollouts with `infra_error`; also what this process has made and does not hold any
 * more. Another living process's sandboxes are left alone until their expiry. Goes on after a failure
 * and reports it.
 */
export async function reap(
  parts: ReaperParts,
  signal: AbortSignal,
  { endWaiting = false }: ReapOptions = {},
): Promise<Reaped> {
  const { holdings } = parts.engine;
  const before = holdings.held;
  const found = await parts.engine.find(parts.data.owner, { signal });
  const held = new Set([...(await heldSandboxes(parts)), ...before, ...holdings.held]);
  const left = found.filter((sandbox) => isLeft(sandbox, held, parts));
  const removed: Reaped["removed"][number][] = [];
  const failed: Reaped["failed"][number][] = [];
  for (const sandbox of left) {
    try {
      await parts.engine.remove(sandbox, { signal });
      removed.push({ id: sandbox.id, parts: sandbox.parts });
    } catch (error) {
      failed.push({ id: sandbox.id, message: String(error) });
    }
  }
  const living = found
    .filter((sandbox) => !left.includes(sandbox))
    .map(({ id, labels }) => ({ id, pid: pidOf(labels.process) }));
  return { removed, living, failed, ...(await endInterrupted(parts, endWaiting)) };
}

/** A rollout that was taken over by a living process holds a sandbox that a dead one made. */
async function heldSandboxes({ records, process }: ReaperParts): Promise<ReadonlySet<string>> {
  const unfinished = await records.unfinished();
  const living = unfinished.filter((one) => one.process === process || isAlive(one.process));
  return new Set(living.flatMap(({ sandbox }) => (sandbox === null ? [] : [sandbox])));
}

function isLeft(
  { id, labels }: FoundSandbox,
  held: ReadonlySet<string>,
  { process, clock }: ReaperParts,
): boolean {
  if (labels.expires.getTime() < clock.now().getTime()) return true;
  if (held.has(id)) return false;
  return labels.process === process || !isAlive(labels.process);
}

/** Every requested rollout ends with a record, also when its conductor was killed. */
async function endInterrupted(
  parts: ReaperParts,
  endWaiting: boolean,
): Promise<Pick<Reaped, "ended" | "waiting">> {
  const ended: string[] = [];
  const waiting: string[] = [];
  for (const record of await parts.records.unfinished()) {
    if (record.process === parts.process || isAlive(record.process)) continue;
    if (isWaiting(record) && !endWaiting) {
      waiting.push(record.id);
      continue;
    }
    const message = `the process that conducted rollout ${record.id} died in phase ${record.phase}; run it again`;
    await endAsLost(record, rolloutFault("interrupted", message), parts);
    ended.push(record.id);
  }
  return { ended, waiting };
}

/** A service had accepted it, and nobody has seen anything of it but its record. */
function isWaiting({ leaseMs, phase }: RolloutRecord): boolean {
  return leaseMs !== null && phase === "requested";
}

/**
 * Ends a rollout that nobody conducts any more, with a bundle of what is there: its steps, and what
 * had been captured of it. Its work folder goes.
 */
export async function endAsLost(
  record: RolloutRecord,
  fault: Fault,
  parts: Pick<ReaperParts, "data" | "records" | "clock" | "log" | "signer">,
): Promise<RolloutRecord> {
  const now = parts.clock.now();
  const storedMs = Math.max(0, now.getTime() - Date.parse(record.requestedAt));
  const failed = { outcome: outcomeOf(fault.blame), reward: null, fault: faultRecord(fault) };
  const { steps, bundle } = await storeLost({ ...record, ...failed }, parts);
  const ended: RolloutRecord = {
    ...{ ...record, ...failed, bundle },
    phase: "stored",
    reachedMs: { ...record.reachedMs, stored: storedMs },
    steps: Math.max(steps, record.steps),
    endedAt: now.toISOString(),
  };
  await parts.records.put(ended);
  await rm(join(parts.data.rollouts, record.id), { recursive: true, force: true });
  return ended;
}

/** Where no bundle can be made of what is left, its steps are kept by themselves. */
async function storeLost(
  record: RolloutRecord,
  { data, signer, log }: Pick<ReaperParts, "data" | "log" | "signer">,
): Promise<Pick<RolloutRecord, "steps" | "bundle">> {
  const folder = join(data.rollouts, record.id);
  const steps = await settleSteps(folder);
  if (steps === undefined || record.bundle !== null) {
    return { steps: steps ?? 0, bundle: record.bundle };
  }
  try {
    const evidence = await recallEvidence(folder);
    const premises = await recallPremises(folder);
    const parts = signer ? { data, signer } : { data };
    const bundle = await storeEvidence(premises, parts, { ...record, steps }, evidence);
    return { steps, bundle };
  } catch (error) {
    log.error({ rollout: record.id, error: messageOf(error) }, "a lost rollout has no bundle");
    return { steps: await keepSteps(data, record.id), bundle: null };
  }
}
