import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namedId } from "../../base/id.ts";
import type { Sandbox } from "../../engine/engine.ts";
import type { Grade } from "../../grading/grade.ts";
import type { Evidence } from "../../rollout/evidence.ts";
import type { RolloutSpec } from "../../rollout/parts.ts";
import { gradeEvidence } from "../../rollout/phases/grade.ts";
import {
  ColdSource,
  type SandboxClaim,
  type SandboxNeed,
  type SandboxSource,
  type TakenSandbox,
} from "../../rollout/sandbox-source.ts";
import { graderSpec, hasState } from "../../rollout/sandbox-spec.ts";
import { rolloutFolder } from "../../store/data-folder.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { diffSnapshots } from "../../workspace/diff.ts";
import { captureState, captureWorkspace } from "../../workspace/seed.ts";
import type { Snapshot } from "../../workspace/snapshot.ts";
import type { Parts } from "../parts.ts";

const LEASE_MS = 30 * 60_000;
const READINGS = 4;

/** What a sandbox holds while it is played in. Disposing it lets go of what was read. */
export interface Moment extends AsyncDisposable {
  readonly evidence: Evidence & { readonly after: Snapshot };
  /** Whether two readings in a row were the same. */
  readonly isQuiet: boolean;
}

/** Makes sandboxes one by one, and remembers the last: a look into it needs no seam of the rollout. */
export class KeptSource implements SandboxSource {
  readonly #cold: ColdSource;
  #sandbox: Sandbox | undefined;

  constructor({ engine, data, process }: Parts) {
    this.#cold = new ColdSource(engine, { owner: data.owner, process });
  }

  async take(need: SandboxNeed, claim: SandboxClaim, signal: AbortSignal): Promise<TakenSandbox> {
    const taken = await this.#cold.take(need, claim, signal);
    this.#sandbox = taken.sandbox;
    return taken;
  }

  get sandbox(): Sandbox {
    if (this.#sandbox === undefined) throw new Error("no sandbox was made yet");
    return this.#sandbox;
  }
}

/**
 * Reads workspace and state through the sandbox's keeper and stops nothing. A rollout is captured
 * after its processes were killed, so between two calls this reads the very same, unless a program
 * that the terminal left running still writes: so it is read until two readings are equal.
 */
export async function readMoment(
  sandbox: Sandbox,
  { task }: RolloutSpec,
  signal: AbortSignal,
): Promise<Moment> {
  const folder = await mkdtemp(join(tmpdir(), "cloche-play-"));
  const gone = () => rm(folder, { recursive: true, force: true });
  try {
    const blobs = new BlobFolder(join(folder, "blobs"));
    let read = await readOnce(sandbox, task, blobs, signal);
    let isQuiet = false;
    for (let times = 1; times < READINGS && !isQuiet; times++) {
      const again = await readOnce(sandbox, task, blobs, signal);
      isQuiet = alike(read.after, again.after) && alike(read.stateAfter, again.stateAfter);
      read = again;
    }
    return { evidence: { folder, blobs, ...read }, isQuiet, [Symbol.asyncDispose]: gone };
  } catch (error) {
    await gone();
    throw error;
  }
}

/** Lets the task's grader judge a moment, in a box of its own that is gone when this settles. */
export async function gradeMoment(
  { evidence }: Moment,
  play: {
    readonly spec: RolloutSpec;
    readonly parts: Parts;
    readonly answer: string | null;
    readonly signal: AbortSignal;
  },
): Promise<Grade> {
  const { spec, parts, answer, signal } = play;
  const { engine, images, data, process } = parts;
  const id = namedId("grade");
  const expires = new Date(Date.now() + LEASE_MS);
  const labels = { owner: data.owner, rollout: id, process, expires };
  const steps = join(await rolloutFolder(data, spec.id), "steps.jsonl");
  await copyFile(steps, join(evidence.folder, "steps.jsonl"));
  const box = graderSpec(id, images.grader, spec.task.limits, labels);
  await using sandbox = await engine.create(box, { signal });
  const ending = { kind: "submitted", answer } as const;
  return await gradeEvidence(spec, parts, { box: sandbox }, ending, evidence, signal);
}

async function readOnce(
  sandbox: Sandbox,
  { limits }: RolloutSpec["task"],
  blobs: BlobFolder,
  signal: AbortSignal,
): Promise<{ after: Snapshot; stateAfter?: Snapshot }> {
  const { workspaceBytes, workspaceFiles, stateBytes = 0, stateFiles = 0 } = limits;
  const workspace = { bytes: workspaceBytes, files: workspaceFiles };
  const after = await captureWorkspace(sandbox, blobs, workspace, signal);
  if (!hasState(limits)) return { after };
  const state = { bytes: stateBytes, files: stateFiles };
  return { after, stateAfter: await captureState(sandbox, blobs, state, signal) };
}

function alike(one: Snapshot | undefined, other: Snapshot | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { added, removed, modified } = diffSnapshots(one, other);
  return added.length + removed.length + modified.length === 0;
}
