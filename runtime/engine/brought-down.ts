import type { BoxState } from "./engine.ts";

/**
 * Whether what ran in a box that has ended has ended it: it died of memory, or it broke. Init sleeps
 * for ever, so nothing else ends it but a signal, which the engine or its host sends; nobody in a box
 * can signal init. A runtime with a kernel of its own (gVisor) ends with a code of its own when it is
 * overrun.
 */
export function broughtDown({ running, exitCode, outOfMemory }: BoxState): boolean {
  if (running) return false;
  return outOfMemory || (exitCode !== null && !OF_SIGNALS.includes(exitCode));
}

/** SIGKILL, SIGTERM: `docker kill`, `docker stop`, an engine that is restarted. */
const OF_SIGNALS: readonly number[] = [137, 143];
