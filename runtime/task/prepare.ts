import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import type { Log } from "../base/log.ts";
import type { Engine } from "../engine/engine.ts";
import type { DeclaredCriterion } from "../grading/grade.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { taskFault } from "./faults.ts";
import { fillInstruction } from "./instruction.ts";
import { makeVariant } from "./make-variant.ts";
import { siteNames } from "./site-names.ts";
import type { Task } from "./task.ts";
import { readCached, writeCached } from "./variant-cache.ts";

export interface PrepareParts {
  readonly engine: Engine;
  /** The grader image's reference: task code runs in it, and it is part of the cache's key. */
  readonly graderImage: string;
  /** Gets the contents of the fixture. */
  readonly blobs: BlobFolder;
  /** An existing folder for what can be made again. */
  readonly cacheFolder: string;
  readonly labels: { readonly owner: string; readonly process: string };
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** One variant of a task, ready to be played and graded. */
export interface PreparedVariant {
  readonly variant: number;
  readonly seed: number;
  /** As the agent is shown it, variables filled. */
  readonly instruction: string;
  /** What the workspace begins with. Of modes only "executable" is kept. */
  readonly fixture: Snapshot;
  /** What services begin with: a folder for each, /state/<folder>. Empty if they keep nothing. */
  readonly state: Snapshot;
  /** Under which the sites in `state` are visited. */
  readonly hostNames: readonly string[];
  /** Canonical JSON for the grader; never for the agent. */
  readonly expected: Uint8Array;
  /** What the grader declares, in its order. */
  readonly criteria: readonly DeclaredCriterion[];
  /** Over the task, the variant and all of the above. */
  readonly sha256: string;
}

/**
 * Makes a variant: runs the task's generate.py and asks grader.py for its criteria, both in a
 * sandbox of the grader image, or takes the result of an earlier time from the cache. The sandbox
 * is gone when this settles. Rejects with `task/no-such-variant`, `task/generate-failed`,
 * `task/grader-refused`, `task/fixture-refused`, `task/unknown-variable`, as the engine does, or
 * with the signal's reason.
 */
export async function prepareVariant(
  task: Task,
  variant: number,
  parts: PrepareParts,
): Promise<PreparedVariant> {
  requireVariant(task, variant);
  const key = cacheKey(task, variant, parts.graderImage);
  const cached = await readCached(key, parts);
  const made = cached ?? (await makeVariant(task, variant, variantSeed(task.id, variant), parts));
  const instruction = fillInstruction(
    task.instruction,
    made.variables,
    `${task.folder}/instruction.md`,
  );
  if (cached === undefined) await writeCached(key, made, parts);
  const { fixture, state, criteria } = made;
  return {
    variant,
    seed: variantSeed(task.id, variant),
    instruction,
    fixture,
    state,
    hostNames: await siteNames(state, parts.blobs),
    expected: Buffer.from(made.expected),
    criteria,
    sha256: sha256(canonicalJson({ task: task.sha256, variant, instruction, ...made })),
  };
}

function requireVariant(task: Task, variant: number): void {
  const { count } = task.variants;
  if (Number.isSafeInteger(variant) && variant >= 1 && variant <= count) return;
  const which = count === 1 ? "only variant 1" : `variants 1 to ${count}`;
  throw taskFault("no-such-variant", `task ${task.id} has ${which}, not ${variant}`);
}

/** The seed of a variant: always the same for a task's id and number, unlike for any other. */
export function variantSeed(taskId: string, variant: number): number {
  return Number.parseInt(sha256(`${taskId}#${variant}`).slice(0, 12), 16);
}

function cacheKey(task: Task, variant: number, graderImage: string): string {
  return sha256(canonicalJson(["cloche.variant/3", task.id, task.sha256, variant, graderImage]));
}
