import { rolloutId } from "../base/id.ts";
import type { Step } from "../mcp/record/step.ts";
import { policyFor } from "../policy/policies.ts";
import { replayedPolicy } from "../policy/replayed-policy.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import type { Policy } from "../rollout/policy.ts";
import { runRollout } from "../rollout/run-rollout.ts";
import type { Bundle } from "../store/bundle.ts";
import { openBundle } from "../store/bundle-reader.ts";
import type { RolloutRecord } from "../store/record.ts";
import { resolveBundle } from "../store/resolve-bundle.ts";
import { type PreparedVariant, prepareVariant } from "../task/prepare.ts";
import type { Task } from "../task/task.ts";
import { BlobFolder } from "../workspace/blobs.ts";

/** One rollout, played, and what remains of it. */
export interface Played {
  readonly name: string;
  readonly variant: number;
  readonly record: RolloutRecord;
  /** In the order in which they were asked for. */
  readonly steps: readonly Step[];
  /** Undefined if nothing was captured. */
  readonly bundle: Bundle | undefined;
}

/** Who looks on. */
export interface ProofWatcher {
  say(text: string): void;
}

/** Plays the variants of one task. */
export class Plays {
  readonly #task: Task;
  readonly #parts: RolloutParts;
  readonly #signal: AbortSignal;
  readonly #watcher: ProofWatcher;
  readonly #prepared = new Map<number, Promise<PreparedVariant>>();

  constructor(task: Task, parts: RolloutParts, signal: AbortSignal, watcher: ProofWatcher) {
    this.#task = task;
    this.#parts = parts;
    this.#signal = signal;
    this.#watcher = watcher;
  }

  /** Rejects as `prepareVariant` does. */
  prepared(variant: number): Promise<PreparedVariant> {
    const { engine, images, data, log, process } = this.#parts;
    const known = this.#prepared.get(variant);
    const preparing =
      known ??
      prepareVariant(this.#task, variant, {
        ...{ engine, log, graderImage: images.grader, signal: this.#signal },
        blobs: new BlobFolder(data.blobs),
        cacheFolder: data.cache,
        labels: { owner: data.owner, process },
      });
    this.#prepared.set(variant, preparing);
    return preparing;
  }

  /** A rollout by a policy of the task's: "oracle", "null", "cheat:<name>". */
  async byPolicy(name: string, variant: number, policy = name): Promise<Played> {
    const { engine, images, data, process, clock } = this.#parts;
    const labels = { owner: data.owner, process };
    const scripted = { engine, image: images.grader, labels, clock };
    return await this.#play(name, variant, await policyFor(policy, this.#task, scripted));
  }

  /** A rollout of the first calls of another. */
  async ofFirst(name: string, { steps, variant, record }: Played, count: number): Promise<Played> {
    const { ending } = record;
    const answer = ending?.kind === "submitted" ? (ending.answer ?? "") : "";
    return await this.#play(name, variant, replayedPolicy(name, steps.slice(0, count), answer));
  }

  async #play(name: string, variant: number, policy: Policy): Promise<Played> {
    const prepared = await this.prepared(variant);
    const labels = { proof: this.#task.id };
    const spec = { id: rolloutId(), task: this.#task, prepared, policy, group: null, labels };
    const steps: Step[] = [];
    const record = await runRollout(spec, this.#parts, this.#signal, {
      onStep: (step) => void steps.push(step),
    });
    this.#signal.throwIfAborted();
    const { reward, outcome } = record;
    const earned = reward ? `sparse ${reward.sparse}, dense ${reward.dense.toFixed(2)}` : outcome;
    this.#watcher.say(`${name} on variant ${variant}: ${earned} after ${record.steps} calls`);
    const found = record.bundle === null ? undefined : await this.#bundle(record.bundle);
    const inOrder = steps.sort((a, b) => a.step - b.step);
    return { name, variant, record, steps: inOrder, bundle: found };
  }

  async #bundle(id: string): Promise<Bundle> {
    return await openBundle(await resolveBundle(this.#parts.data, id));
  }
}

/**
 * Names of tools that only look; by them it is told which calls change something. The sites here change
 * nothing for who only opens a page.
 */
const LOOKING =
  /^(list|read|get|find|search|describe|check|extract|filter|view|count|show|recalculate|directory_tree|browser_(snapshot|take_screenshot|navigate|navigate_back|find|wait_for|hover|resize|console_messages|network_requests?))(_|$)/;

/** Whether the call could have changed something. */
export function isChange({ tool }: Step): boolean {
  return !LOOKING.test(tool);
}

/** Whether two rollouts left the same files and the same state. */
export function leftTheSame(one: Bundle, other: Bundle): boolean {
  if (one.after === null || other.after === null) return false;
  return finalState(one) === finalState(other);
}

function finalState({ after, state }: Bundle): string {
  const entries = [...(after?.entries ?? []), ...(state?.after.entries ?? [])];
  return entries
    .filter(({ type }) => type !== "directory")
    .map((entry) => `${entry.path} ${entry.type === "file" ? entry.sha256 : ""}`)
    .join("\n");
}

/** Runs all pieces of work, at most so many at once; the first that fails rejects at the end. */
export async function together<T>(
  atOnce: number,
  works: readonly (() => Promise<T>)[],
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < works.length; at = next++) {
      const work = works[at];
      if (work) results[at] = await work();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, works.length) }, worker));
  return results;
}
