import { setTimeout as sleep } from "node:timers/promises";
import type { BoxState } from "../engine.ts";

/** With what `runsc exec` ends if the box did before its program. Programs may end so, too. */
const LOST = 128;
const POLLS = 20;
const PAUSE_MS = 50;

/** Whether gVisor lost the program that ended so, with its whole box. Docker may hear of that later. */
export async function lostByGvisor(
  exitCode: number | null,
  stateOf: () => Promise<BoxState>,
): Promise<boolean> {
  if (exitCode !== LOST) return false;
  for (let poll = 0; poll < POLLS; poll++) {
    if (!(await stateOf()).running) return true;
    await sleep(PAUSE_MS);
  }
  return false;
}
