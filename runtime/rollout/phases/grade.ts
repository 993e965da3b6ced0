import { join } from "node:path";
import { type Fault, messageOf } from "../../base/fault.ts";
import type { Box } from "../../engine/engine.ts";
import type { Grade } from "../../grading/grade.ts";
import { type GradingInput, gradeRun } from "../../grading/grade-run.ts";
import { WaitingGrader } from "../../grading/waiting-grader.ts";
import type { Ending } from "../../mcp/record/step.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { layeredBlobs } from "../../workspace/blob-source.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { type Evidence, egressIn, graderContext, keepEvidence, stateOf } from "../evidence.ts";
import { rolloutFault } from "../faults.ts";
import { imagesFor, type RolloutParts, type RolloutSpec } from "../parts.ts";
import { premisesOf } from "../premises.ts";
import { stage } from "../record-writer.ts";
import type { Run } from "../run.ts";
import { executionPlace, GRADER_FOLDER, GRADER_USER } from "../sandbox-spec.ts";

/** A box of the grader image, and the grader in it if it was started already. */
export interface GradingPlace {
  readonly box: Box;
  readonly waiting?: WaitingGrader;
}

/** Starts the grader before there is anything to grade. */
export function startGrader(box: Box, signal: AbortSignal): WaitingGrader {
  return new WaitingGrader(box, GRADER_USER, signal);
}

/** Lets the task's grader judge the capture. */
export async function gradeEvidence(
  spec: RolloutSpec,
  parts: RolloutParts,
  place: GradingPlace,
  ending: Ending,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<Grade> {
  if (!evidence.after) throw new Error("there is nothing to grade");
  const premises = await premisesOf(spec);
  const input: GradingInput = {
    task: premises.task,
    files: premises.graderFiles,
    declared: premises.criteria,
    expected: premises.expected,
    context: graderContext(premises, ending, await egressIn(premises, evidence)),
    stepsFile: join(evidence.folder, "steps.jsonl"),
    before: premises.before,
    after: evidence.after,
    ...stateOf(premises, evidence),
    blobs: layeredBlobs(evidence.blobs, new BlobFolder(parts.data.blobs)),
  };
  const grader = {
    ...place,
    image: parts.images.grader,
    folder: GRADER_FOLDER,
    user: GRADER_USER,
    timeoutMs: spec.task.graderTimeoutMs,
    execution: executionPlace(spec.task.limits, spec.task.now, parts, async () => {
      return imagesFor(spec.task.servers, parts.images).sandbox;
    }),
  };
  const scratch = new BlobFolder(join(evidence.folder, "grading"));
  evidence.grade = await gradeRun(input, grader, scratch, signal);
  return evidence.grade;
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

function raisedFault(id: string, criteria: RolloutRecord["criteria"]): Fault {
  const raised = (criteria ?? [])
    .filter(({ score }) => score === null)
    .map(({ name }) => `"${name}"`);
  return rolloutFault(
    "criterion-raised",
    `rollout ${id}: ${raised.join(", ")} raised on the untouched state; mend grader.py`,
  );
}
