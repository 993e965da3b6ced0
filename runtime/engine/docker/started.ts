import { setTimeout as sleep } from "node:timers/promises";
import type { BoxState, OpenOptions } from "../engine.ts";
import { engineFault } from "../faults.ts";
import type { DockerBox } from "./docker-box.ts";
import { collect, type DockerProcess } from "./docker-process.ts";

/** Of what was ended before it could say a word, as the kernel does for want of memory. */
const KILLED = 137;

/**
 * Waits until the program is about to run; what was started for a caller who left is ended. Rejects
 * with `engine/exec-refused`, `engine/not-started`, `engine/no-answer`, `engine/box-gone`, or the
 * signal's reason.
 */
export async function requireStarted(
  process: DockerProcess,
  box: Pick<DockerBox, "parts" | "state">,
  argv: readonly string[],
  { cwd = "/", signal }: OpenOptions,
): Promise<void> {
  const { api, name } = box.parts;
  const what = `run ${argv[0]} in ${name}`;
  const patience = new AbortController();
  const late = sleep(api.deadlineMs, "late" as const, { signal: patience.signal });
  late.catch(() => {});
  const report = await Promise.race([process.report, late]);
  patience.abort();
  if (report === "late") {
    process.abandon();
    const message = `${what}: it was accepted but not started within ${api.deadlineMs} ms`;
    throw engineFault("not-started", message);
  }
  if (signal?.aborted) {
    await process[Symbol.asyncDispose]();
    throw signal.reason;
  }
  if (report === "no-directory") {
    process.abandon();
    throw engineFault("exec-refused", `${what}: its directory ${cwd} cannot be entered`);
  }
  if (report === "no-program") {
    process.abandon();
    throw engineFault("exec-refused", `${what}: no executable file of this name there`);
  }
  if (report === "silent") await refuseSilent(process, box, what);
}

/** Docker prints its own failures as if they were the program's output. */
async function refuseSilent(
  process: DockerProcess,
  box: Pick<DockerBox, "parts" | "state">,
  what: string,
): Promise<never> {
  const both = [collect(process.stdout, 2_000), collect(process.stderr, 2_000)];
  const [stdout, stderr] = await Promise.all(both);
  const { exitCode } = await process.ended;
  const state = await box.state();
  if (!state.running) {
    throw engineFault("box-gone", `${what}: ${box.parts.name} is gone (${wordsOf(state)})`);
  }
  const words = `${stdout?.bytes ?? ""}${stderr?.bytes ?? ""}`.trim();
  // One that tells of loss has an exit code if it has not been lost.
  const isKnown = exitCode !== null && (process.tellsLoss || exitCode === KILLED);
  if (words === "" && !isKnown) {
    const cause = new Error("its streams ended without a word");
    throw engineFault("no-answer", `${what}: Docker hung up before it said more`, { cause });
  }
  const said = words || "nothing";
  const message = `${what}: it did not start (exit ${exitCode}); Docker says: ${said}`;
  throw engineFault("exec-refused", message);
}

export function wordsOf({ exitCode, outOfMemory }: BoxState): string {
  if (exitCode === null) return "the engine does not know it any more";
  return `its init ended with ${exitCode}${outOfMemory ? ", out of memory" : ""}`;
}
