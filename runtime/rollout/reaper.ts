import { rm } from "node:fs/promises";
import { join } from "node:path";
import { faultRecord } from "../base/fault.ts";
import { isAlive, pidOf } from "../base/process-identity.ts";
import type { FoundSandbox } from "../engine/engine.ts";
import { rolloutFault } from "./faults.ts";
import type { RolloutParts } from "./parts.ts";

/** What a reaper needs: no listener, no images. */
export type ReaperParts = Pick<
  RolloutParts,
  "engine" | "data" | "records" | "clock" | "log" | "process"
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
}

/**
 * Removes what processes that died have left in the engine under this data folder's owner id, and
 * ends their rollouts with `infra_error`. A living process's sandboxes are left alone until their
 * expiry. Goes on after a failure and reports it.
 */
export async function reap(parts: ReaperParts, signal: AbortSignal): Promise<Reaped> {
  const found = await parts.engine.find(parts.data.owner, { signal });
  const left = found.filter((sandbox) => isLeft(sandbox, parts));
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
  return { removed, living, failed, ended: await endInterrupted(parts) };
}

function isLeft({ labels }: FoundSandbox, { process, clock }: ReaperParts): boolean {
  if (labels.expires.getTime() < clock.now().getTime()) return true;
  return labels.process !== process && !isAlive(labels.process);
}

/** Every requested rollout ends with a record, also when its conductor was killed. */
async function endInterrupted(parts: ReaperParts): Promise<string[]> {
  const ended: string[] = [];
  for (const record of await parts.records.unfinished()) {
    if (record.process === parts.process || isAlive(record.process)) continue;
    const message = `the process that conducted rollout ${record.id} died in phase ${record.phase}; run it again`;
    await parts.records.put({
      ...record,
      outcome: "infra_error",
      reward: null,
      fault: faultRecord(rolloutFault("interrupted", message)),
      endedAt: parts.clock.now().toISOString(),
    });
    await rm(join(parts.data.rollouts, record.id), { recursive: true, force: true });
    ended.push(record.id);
  }
  return ended;
}
