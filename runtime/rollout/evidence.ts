import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { VERSION } from "../base/version.ts";
import type { Box } from "../engine/engine.ts";
import type { Grade } from "../grading/grade.ts";
import { type GradingInput, gradeRun } from "../grading/grade-run.ts";
import { WaitingGrader } from "../grading/waiting-grader.ts";
import type { Ending } from "../mcp/record/step.ts";
import type { StateSnapshots } from "../store/bundle.ts";
import { EGRESS } from "../store/bundle-layout.ts";
import { type BundleContents, writeBundle } from "../store/bundle-writer.ts";
import { type EgressLine, readEgressLines } from "../store/egress-lines.ts";
import type { RolloutRecord } from "../store/record.ts";
import { gradeSchema } from "../store/schemas.ts";
import { layeredBlobs } from "../workspace/blob-source.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { parseSnapshot } from "../workspace/snapshot-text.ts";
import { imagesFor, type RolloutParts, type RolloutSpec } from "./parts.ts";
import { type Premises, premisesOf } from "./premises.ts";
import { executionPlace, GRADER_FOLDER, GRADER_USER } from "./sandbox-spec.ts";

/** What a rollout has left behind so far, on this side. It becomes the bundle. */
export interface Evidence {
  /** The rollout's work folder, with steps.jsonl and wire.jsonl in it. */
  readonly folder: string;
  /** Contents of the capture. */
  readonly blobs: BlobFolder;
  after?: Snapshot;
  /** Of the services' state; known as soon as `after` is, if they keep any. */
  stateAfter?: Snapshot;
  grade?: Grade;
  /** The end of each server's stderr. */
  logs?: Readonly<Record<string, string>>;
}

/** The evidence of a rollout that has just begun. */
export function evidenceIn(folder: string): Evidence {
  return { folder, blobs: new BlobFolder(join(folder, "blobs"), { given: true }) };
}

/** Writes down what is known only here, so that it outlives this process. Before each phase. */
export async function keepEvidence(evidence: Evidence): Promise<void> {
  const { folder, after, stateAfter, grade, logs } = evidence;
  const draft = join(folder, "evidence.draft");
  await writeFile(draft, canonicalJson({ after, stateAfter, grade, logs }));
  await rename(draft, join(folder, "evidence.json"));
}

/** What a process that died had kept; as `evidenceIn` if it had come to nothing. */
export async function recallEvidence(folder: string): Promise<Evidence> {
  const evidence = evidenceIn(folder);
  const text = await readFile(join(folder, "evidence.json"), "utf8").catch(unlessAbsent);
  if (text === undefined) return evidence;
  const { after, stateAfter, grade, logs } = JSON.parse(text) as Partial<Evidence>;
  if (after) evidence.after = parseSnapshot(after);
  if (stateAfter) evidence.stateAfter = parseSnapshot(stateAfter);
  if (grade) evidence.grade = gradeSchema.parse(grade);
  if (logs) evidence.logs = logs;
  return evidence;
}

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

/** Writes the bundle of a rollout, however it ended; what was not captured or graded is not in it. */
export async function storeEvidence(
  premises: Premises,
  { data, signer }: Pick<RolloutParts, "data" | "signer">,
  record: RolloutRecord,
  evidence: Evidence,
): Promise<string> {
  const egress = await egressIn(premises, evidence);
  const { before, graderFiles, taskToml, instruction, expected } = premises;
  const contents: BundleContents = {
    facts: bundleFacts(record, premises),
    stepsFile: join(evidence.folder, "steps.jsonl"),
    wireFile: join(evidence.folder, "wire.jsonl"),
    ...(egress ? { egress } : {}),
    before,
    ...(evidence.after ? { after: evidence.after, ...stateOf(premises, evidence) } : {}),
    ...{ graderFiles, taskToml, instruction, expected },
    context: graderContext(premises, record.ending, egress),
    grade: standingGrade(record, evidence),
    logs: await logFiles(evidence),
  };
  const blobs = layeredBlobs(evidence.blobs, new BlobFolder(data.blobs));
  return (await writeBundle(data.bundles, contents, blobs, signer)).id;
}

/** A reward is void if the rollout failed after it was known. */
function standingGrade({ outcome }: RolloutRecord, { grade }: Evidence): Grade | null {
  return grade && (outcome === "graded" || grade.reward === null) ? grade : null;
}

/** The services' state, if they keep any. */
function stateOf(
  { stateBefore: before }: Premises,
  { stateAfter: after }: Evidence,
): { readonly state?: StateSnapshots } {
  return after ? { state: { before, after } } : {};
}

/** Undefined for a task that asks for no hosts outside. */
async function egressIn(
  { hasEgress }: Premises,
  { folder }: Evidence,
): Promise<EgressLine[] | undefined> {
  return hasEgress ? await readEgressLines(join(folder, EGRESS)) : undefined;
}

function graderContext(
  { task, variant, now, instruction }: Premises,
  ending: Ending | null,
  egress: readonly EgressLine[] | undefined,
): Json {
  const answer = ending?.kind === "submitted" ? ending.answer : null;
  return {
    ...{ task, variant, now, ending: ending && { ...ending }, answer, instruction },
    ...(egress ? { egress: egress.map((line) => ({ ...line })) } : {}),
  };
}

async function logFiles({ folder, logs = {} }: Evidence): Promise<Record<string, string>> {
  const written = Object.entries(logs).filter(([, text]) => text !== "");
  const files = written.map(async ([server, text]) => {
    const file = join(folder, `${server}.stderr`);
    await writeFile(file, text);
    return [server, file] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

function bundleFacts(record: RolloutRecord, { criteria }: Premises): BundleContents["facts"] {
  const { id, task, variant, policy, ending, steps, requestedAt, reachedMs } = record;
  const { limits, budget, images, engine, identity, surface } = record;
  return {
    rollout: id,
    task,
    variant,
    policy,
    outcome: record.outcome ?? "graded",
    ending,
    steps,
    requestedAt,
    reachedMs,
    limits,
    budget,
    images,
    engine: engine ?? "",
    identity,
    surface,
    criteria,
    versions: { cloche: VERSION, node: process.version },
  };
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
