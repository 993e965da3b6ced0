import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../base/fault.ts";
import type { BoxState } from "../engine.ts";

/** With what `runsc exec` ends if the box did before its program. Programs may end so, too. */
const LOST = 128;
const POLLS = 20;
const PAUSE_MS = 50;

/**
 * Whether gVisor lost the program that ended so (null: Docker never heard), with its whole box. Docker
 * may hear of that later.
 */
export async function lostByGvisor(
  exitCode: number | null,
  stateOf: () => Promise<BoxState>,
): Promise<boolean> {
  if (exitCode !== LOST && exitCode !== null) return false;
  for (let poll = 0; poll < POLLS; poll++) {
    if (!(await stateOf()).running) return true;
    await sleep(PAUSE_MS);
  }
  return false;
}

/**
 * Whether a program was not started because gVisor failed at it, in a box that runs on. Seen once in
 * some hundred starts that follow the end of all programs of a user; another try succeeds.
 */
export function stumbled(error: unknown): boolean {
  if (!(error instanceof Fault) || error.code !== "engine/exec-refused") return false;
  return /Docker says: OCI runtime exec failed: \S*runsc\S* did not terminate/.test(error.message);
}
