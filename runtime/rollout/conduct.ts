import { rm } from "node:fs/promises";
import { Fault, messageOf } from "../base/fault.ts";
import { broughtDown } from "../engine/brought-down.ts";
import type { Sandbox } from "../engine/engine.ts";
import type { Ending } from "../mcp/record/step.ts";
import { keepSteps, settleSteps } from "../store/kept-steps.ts";
import type { RolloutRecord } from "../store/record.ts";
import { captureState, captureWorkspace } from "../workspace/seed.ts";
import {
  type Evidence,
  type GradingPlace,
  gradeEvidence,
  keepEvidence,
  startGrader,
  storeEvidence,
} from "./evidence.ts";
import { rolloutFault } from "./faults.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "./parts.ts";
import { premisesOf } from "./premises.ts";
import { type RecordWriter, stage } from "./record-writer.ts";
import { hasState } from "./sandbox-spec.ts";

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

const LATE_CAPTURE_MS = 60_000;

/**
 * Does the work of a rollout and brings it to its record, whatever happens. Never rejects for the
 * rollout's sake; rejects only if the record itself cannot be written. What is held of the engine
 * goes while the bundle is written, and is gone before the record says that the rollout has ended.
 */
export async function conduct(run: Run, work: () => Promise<void>): Promise<RolloutRecord> {
  const { spec, signal, writer, evidence } = run;
  try {
    await work();
  } catch (error) {
    if (error instanceof Fault) writer.fail(error);
    else if (signal.aborted) writer.cancel();
    else writer.fail(failing(spec.id, "the rollout")(error));
  }
  await captureLate(run);
  await Promise.all([letGo(run), store(run)]);
  const record = await writer.end();
  await rm(evidence.folder, { recursive: true, force: true });
  return record;
}

async function letGo(run: Run): Promise<void> {
  const failed = noted(run, "something could not be let go of");
  for (const one of run.held) await Promise.resolve(one[Symbol.asyncDispose]()).catch(failed);
}

/**
 * What an agent left is kept, also where its turn was cut short, as long as the engine is not what
 * failed.
 */
async function captureLate(run: Run): Promise<void> {
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

/** From when on an agent could have called a tool there are steps, and so a bundle. */
async function store(run: Run): Promise<void> {
  const { spec, parts, writer, evidence } = run;
  try {
    const steps = await settleSteps(evidence.folder);
    if (steps === undefined) return;
    writer.note({ steps });
    const record = { ...writer.record, outcome: writer.outcome };
    writer.note({ bundle: await storeEvidence(await premisesOf(spec), parts, record, evidence) });
  } catch (error) {
    const message = `the bundle of ${spec.id} was not written: ${messageOf(error)}`;
    const unstored = () => rolloutFault("storing-failed", message, { cause: error });
    writer.fail(error instanceof Fault ? error : unstored());
  }
  if (writer.record.bundle !== null) return;
  await keepSteps(parts.data, spec.id).catch(noted(run, "steps could not be kept"));
}

function noted({ parts, spec }: Run, what: string): (error: unknown) => void {
  return (error) => parts.log.error({ rollout: spec.id, error: messageOf(error) }, what);
}

/** Makes the fault of a stage that failed in a way of its own. */
export function failing(id: string, what: string): (cause: unknown) => Fault {
  return (cause) => {
    const message = `rollout ${id}: ${what} failed: ${messageOf(cause)}`;
    return rolloutFault("sandbox-failed", message, { cause });
  };
}

/**
 * From the ending to the grade. The grader's Python starts while the sandbox is stopped and read:
 * it waits for the whole capture and sees nothing before that. `mayBeStopped`: after a crash of ours
 * it may be that we had stopped the sandbox already.
 */
export async function judge(
  run: Run,
  sandbox: Sandbox,
  ending: Ending,
  { mayBeStopped } = { mayBeStopped: false },
): Promise<void> {
  const { spec, signal, writer, evidence, held } = run;
  const { keeper } = sandbox;
  if (keeper === undefined) throw new TypeError("a rollout's sandbox has a keeper");
  // If the policy broke, evidence is kept and nothing is graded.
  const waiting = writer.record.fault === null ? startGrader(keeper, signal) : undefined;
  if (waiting !== undefined) held.push(waiting);
  await stage(failing(spec.id, "the capture"), signal, async () => {
    await stop(run, sandbox, ending, mayBeStopped);
    await capture(run, sandbox);
  });
  await keepEvidence(evidence);
  await writer.reach("captured");
  if (waiting !== undefined) await gradeIn(run, { box: keeper, waiting }, ending);
}

/** The ending is known and the endpoint closed. */
export async function reachFinished({ writer, evidence }: Run, ending: Ending): Promise<void> {
  await keepEvidence(evidence);
  writer.note({ ending });
  await writer.reach("finished");
}

/** Lets the grader judge what was captured. */
export async function gradeIn(run: Run, place: GradingPlace, ending: Ending): Promise<void> {
  const { spec, parts, signal, writer, evidence } = run;
  const grading = () => gradeEvidence(spec, parts, place, ending, evidence, signal);
  const message = `rollout ${spec.id}: grading failed`;
  const grade = await stage(
    (cause) => rolloutFault("grading-failed", `${message}: ${messageOf(cause)}`, { cause }),
    signal,
    () => (parts.gradeGate ? parts.gradeGate(grading) : grading()),
  );
  await keepEvidence(evidence);
  writer.note({ criteria: grade.criteria, reward: grade.reward });
  if (grade.reward === null) writer.fail(raisedFault(spec.id, grade.criteria));
  await writer.reach("graded");
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

function raisedFault(id: string, criteria: RolloutRecord["criteria"]): Fault {
  const raised = (criteria ?? [])
    .filter(({ score }) => score === null)
    .map(({ name }) => `"${name}"`);
  return rolloutFault(
    "criterion-raised",
    `rollout ${id}: ${raised.join(", ")} raised on the untouched state; mend grader.py`,
  );
}
