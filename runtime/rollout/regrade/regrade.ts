import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namedId } from "../../base/id.ts";
import type { ExecutionPlace } from "../../grading/execution.ts";
import type { Grade } from "../../grading/grade.ts";
import { type GradingInput, gradeRun } from "../../grading/grade-run.ts";
import { SANDBOX_IMAGES } from "../../image/sandbox-image.ts";
import type { Bundle } from "../../store/bundle.ts";
import { storeFault } from "../../store/faults.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import type { Snapshot } from "../../workspace/snapshot.ts";
import type { RolloutParts, RuntimeImages } from "../parts.ts";
import { executionPlace, GRADER_FOLDER, GRADER_USER, graderSpec } from "../sandbox-spec.ts";

/** What grading a bundle again may take. */
export const REGRADE_TIMEOUT_MS = 600_000;
const LEASE_MS = 30 * 60_000;

/** What regrading needs: no listener, no images but the grader's. */
export type RegradeParts = Pick<
  RolloutParts,
  "engine" | "data" | "clock" | "process" | "gradeGate"
> & {
  readonly graderImage: string;
  /** For bundles whose own sandbox image is not there any more. */
  readonly images?: RuntimeImages;
};

/**
 * Grades a bundle again from what lies in it, in a fresh box of the grader image; the task's folder
 * and sandbox image are not needed. The same bundle and image give the same bytes (`gradeBytes`).
 * Rejects as `gradeRun` and `Engine.create` do. Leaves nothing behind.
 */
export async function regrade(
  bundle: Bundle,
  parts: RegradeParts,
  signal: AbortSignal,
): Promise<Grade> {
  requireCapture(bundle);
  const id = namedId("grade");
  const scratch = await mkdtemp(join(tmpdir(), "cloche-grade-"));
  try {
    const labels = {
      owner: parts.data.owner,
      rollout: id,
      process: parts.process,
      expires: new Date(parts.clock.now().getTime() + LEASE_MS),
    };
    const spec = graderSpec(id, parts.graderImage, bundle.manifest.limits, labels);
    await using sandbox = await parts.engine.create(spec, { signal });
    const grader = {
      box: sandbox,
      image: parts.graderImage,
      folder: GRADER_FOLDER,
      user: GRADER_USER,
      timeoutMs: REGRADE_TIMEOUT_MS,
      execution: executionOf(bundle, parts),
    };
    const blobs = new BlobFolder(scratch);
    const grading = () => gradeRun(gradingInputOf(bundle), grader, blobs, signal);
    return await (parts.gradeGate ? parts.gradeGate(grading) : grading());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Where a bundle's grader has the agent's programs run. */
export function executionOf(bundle: Bundle, parts: RegradeParts): ExecutionPlace {
  return executionPlace(bundle.manifest.limits, nowOf(bundle), parts, () => {
    return sandboxImage(bundle, parts);
  });
}

/** The image that the agent worked in, or what it is called now. */
async function sandboxImage(
  { manifest }: Bundle,
  { engine, images }: RegradeParts,
): Promise<string> {
  const recorded = manifest.images.sandbox;
  if (images === undefined || (await engine.images.find(recorded))) return recorded;
  const name = SANDBOX_IMAGES.find((one) => recorded.startsWith(`cloche/${one}:`));
  return images[name ?? "office"];
}

function nowOf({ context }: Bundle): Date {
  const { now } = context as { readonly now?: unknown };
  return new Date(typeof now === "string" ? now : 0);
}

/** @throws Fault `store/bundle-uncaptured` */
function requireCapture({ id, manifest, after }: Bundle): Snapshot {
  if (after !== null) return after;
  const what = `rollout ${manifest.rollout} ended as ${manifest.outcome} before it was captured`;
  const message = `bundle ${id.slice(0, 16)} holds nothing to grade: ${what}; read its steps`;
  throw storeFault("bundle-uncaptured", message, { detail: { outcome: manifest.outcome } });
}

/**
 * What a grade of this bundle rests on: the run as it lies there, and the grader that it brings.
 * @throws Fault `store/bundle-uncaptured`
 */
export function gradingInputOf(bundle: Bundle): GradingInput {
  const { manifest, graderFiles: files, blobs, state } = bundle;
  const { expected, context, stepsFile, before } = bundle;
  const after = requireCapture(bundle);
  const { criteria: declared, task } = manifest;
  const snapshots = { before, after, ...(state ? { state } : {}) };
  return { task: task.id, files, declared, expected, context, stepsFile, ...snapshots, blobs };
}
