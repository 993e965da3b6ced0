import { type Fault, messageOf } from "../base/fault.ts";
import type { Sandbox } from "../engine/engine.ts";
import type { Evidence } from "./evidence.ts";
import { rolloutFault } from "./faults.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "./parts.ts";
import type { RecordWriter } from "./record-writer.ts";

/** One rollout under way. */
export interface Run {
  readonly spec: RolloutSpec;
  readonly parts: RolloutParts;
  readonly signal: AbortSignal;
  readonly watcher: RolloutWatcher;
  readonly writer: RecordWriter;
  readonly evidence: Evidence;
  /** Let go of in this order: the box first, and all that runs in it goes with it. */
  readonly held: AsyncDisposable[];
  /** Absent as long as there is none. */
  sandbox?: Sandbox;
}

/** The reason of an abort after which nothing is waited for but the record. */
export class ReleaseNow extends Error {}

/** Makes the fault of a stage that failed in a way of its own. */
export function failing(id: string, what: string): (cause: unknown) => Fault {
  return (cause) => {
    const message = `rollout ${id}: ${what} failed: ${messageOf(cause)}`;
    return rolloutFault("sandbox-failed", message, { cause });
  };
}

/** Says in the log what failed and does not end the rollout. */
export function noted({ parts, spec }: Run, what: string): (error: unknown) => void {
  return (error) => parts.log.error({ rollout: spec.id, error: messageOf(error) }, what);
}
