import { broughtDown } from "../../engine/brought-down.ts";
import type { Sandbox } from "../../engine/engine.ts";
import type { Ending } from "../../mcp/record/step.ts";
import { captureState, captureWorkspace } from "../../workspace/seed.ts";
import { rolloutFault } from "../faults.ts";
import { stage } from "../record-writer.ts";
import { failing, noted, ReleaseNow, type Run } from "../run.ts";
import { hasState } from "../sandbox-spec.ts";

const LATE_CAPTURE_MS = 60_000;

/** Stops the sandbox and reads what is left in it. `mayBeStopped`: see `judge`. */
export async function captureFinal(
  run: Run,
  sandbox: Sandbox,
  ending: Ending,
  mayBeStopped: boolean,
): Promise<void> {
  await stage(failing(run.spec.id, "the capture"), run.signal, async () => {
    await stop(run, sandbox, ending, mayBeStopped);
    await capture(run, sandbox);
  });
}

/**
 * What an agent left is kept, also where its turn was cut short, as long as the engine is not what
 * failed.
 */
export async function captureLate(run: Run): Promise<void> {
  const { sandbox, evidence, writer, signal } = run;
  const { reachedMs, fault } = writer.record;
  if (sandbox === undefined || evidence.after !== undefined) return;
  if (reachedMs.serving === undefined || signal.reason instanceof ReleaseNow) return;
  if (fault !== null && fault.blame !== "task") return;
  const late = { ...run, signal: AbortSignal.timeout(LATE_CAPTURE_MS) };
  try {
    await sandbox.stop({ signal: late.signal });
    await capture(late, sandbox);
  } catch (error) {
    noted(run, "what the agent left could not be captured")(error);
  }
}

/**
 * Nothing of the agent runs once this has resolved, so what is read then is the final state. Only
 * what the engine knows says whose doing a box's death was, never what was said inside. From one that
 * was brought down from within, no second try follows.
 */
async function stop(
  { spec, signal }: Run,
  sandbox: Sandbox,
  ending: Ending,
  mayBeStopped: boolean,
): Promise<void> {
  const before = await sandbox.stop({ signal });
  if (before.running || mayBeStopped || broughtDown(before)) return;
  const what = `the sandbox of ${spec.id} was gone before its end (exit code ${before.exitCode})`;
  throw rolloutFault("sandbox-lost", `${what}, ${ending.kind}; run it again`);
}

/** Both or neither: what was captured of a sandbox is one moment. */
async function capture({ spec, signal, evidence }: Run, sandbox: Sandbox): Promise<void> {
  const { limits } = spec.task;
  const { workspaceBytes, workspaceFiles, stateBytes = 0, stateFiles = 0 } = limits;
  const workspace = { bytes: workspaceBytes, files: workspaceFiles };
  const state = { bytes: stateBytes, files: stateFiles };
  const after = await captureWorkspace(sandbox, evidence.blobs, workspace, signal);
  if (hasState(limits)) {
    evidence.stateAfter = await captureState(sandbox, evidence.blobs, state, signal);
  }
  evidence.after = after;
}
