import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { asFault, messageOf } from "../base/fault.ts";
import type { Grade } from "../grading/grade.ts";
import { gradeBytes } from "../grading/grade-run.ts";
import { rewardOf } from "../grading/reward.ts";
import { declarationOf } from "../grading/verdict.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { diffSnapshots } from "../workspace/diff.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { parseSnapshot } from "../workspace/snapshot-text.ts";
import type { Bundle, GraderFile, StateSnapshots } from "./bundle.ts";
import {
  AFTER,
  BEFORE,
  blobNameOf,
  CONTEXT,
  DIFF,
  DOCUMENT_BYTES_MAX,
  EGRESS,
  EXPECTED,
  GRADE,
  INSTRUCTION,
  MANIFEST,
  STATE_AFTER,
  STATE_BEFORE,
  STATE_DIFF,
  STEPS,
  TOML,
  WIRE,
} from "./bundle-layout.ts";
import { altered, readPart, verifyFiles } from "./bundle-parts.ts";
import { EGRESS_BYTES_MAX, egressBytes, parseEgressLines } from "./egress-lines.ts";
import { storeFault } from "./faults.ts";
import type { Manifest } from "./manifest.ts";
import { criterionMarks } from "./marks.ts";
import { firstIssue, gradeSchema } from "./schemas.ts";
import { contentsOf } from "./snapshot-contents.ts";
import { lastLineHash, readSteps, StepLineError } from "./step-lines.ts";

/**
 * Opens the bundle in a folder and verifies all of it: every file against its hash, the chain of
 * the steps, blobs against snapshots, the grade against its criteria, the folder's name.
 * Rejects with `store/bundle-missing`, or with `store/bundle-altered`, which names the part, what
 * was expected and what was found.
 */
export async function openBundle(path: string): Promise<Bundle> {
  const root = await folderOf(path);
  try {
    return await readBundle(root);
  } catch (error) {
    // Such as JSON nested so deep that no function can walk it.
    const what = `cannot be verified (${messageOf(error)})`;
    throw asFault(error, () => altered(root, "some part", what, error));
  }
}

async function readBundle(root: string): Promise<Bundle> {
  const { id, manifest, signature } = await verifyFiles(root);
  const before = await readSnapshot(root, BEFORE);
  const after = await readCapture(root, manifest, before);
  const state = await readState(root, manifest, after !== null);
  const ends = after ? [after, ...(state ? [state.before, state.after] : [])] : [];
  checkBlobs(root, manifest, [before, ...ends]);
  await checkSteps(root, manifest);
  await checkEgress(root, manifest);
  return {
    id,
    path: root,
    manifest,
    signature,
    before,
    after,
    state,
    blobs: new BlobFolder(join(root, "blobs")),
    stepsFile: join(root, STEPS),
    wireFile: join(root, WIRE),
    graderFiles: await readGraderFiles(root, manifest),
    taskToml: (await readPart(root, TOML, DOCUMENT_BYTES_MAX)).toString("utf8"),
    instruction: (await readPart(root, INSTRUCTION, DOCUMENT_BYTES_MAX)).toString("utf8"),
    expected: await readPart(root, EXPECTED, DOCUMENT_BYTES_MAX),
    context: await readContext(root),
    grade: await readGrade(root, manifest),
  };
}

async function folderOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const message = `there is no bundle at ${path}: ${messageOf(error)}`;
    throw storeFault("bundle-missing", message, { cause: error, detail: { bundle: path } });
  }
}

async function readJson(root: string, path: string): Promise<{ value: unknown; bytes: Buffer }> {
  const bytes = await readPart(root, path, DOCUMENT_BYTES_MAX);
  try {
    return { value: JSON.parse(bytes.toString("utf8")), bytes };
  } catch (error) {
    throw altered(root, path, `is not JSON (${messageOf(error)})`, error);
  }
}

/** One text per value, so no reader can understand it in another way (members twice, say). */
function isCanonical(bytes: Buffer, value: unknown): boolean {
  return bytes.equals(Buffer.from(canonicalJson(value)));
}

async function readSnapshot(root: string, path: string): Promise<Snapshot> {
  const { value, bytes } = await readJson(root, path);
  let snapshot: Snapshot;
  try {
    snapshot = parseSnapshot(value);
  } catch (error) {
    throw altered(root, path, `is no snapshot: ${messageOf(error)}`, error);
  }
  if (isCanonical(bytes, snapshot)) return snapshot;
  throw altered(root, path, "is not in canonical form");
}

/** Null if there is none: then there is no grade either. */
async function readCapture(
  root: string,
  { parts, outcome }: Manifest,
  before: Snapshot,
): Promise<Snapshot | null> {
  if (!parts.some(({ path }) => path === AFTER)) {
    const isGraded = outcome === "graded" || parts.some(({ path }) => path === GRADE);
    if (isGraded) throw altered(root, AFTER, "is missing, but there is a grade of it");
    return null;
  }
  const after = await readSnapshot(root, AFTER);
  await checkDiff(root, DIFF, before, after);
  return after;
}

/** Whose services keep no state has room for none, and the other way about. */
async function readState(
  root: string,
  { parts, limits }: Manifest,
  isCaptured: boolean,
): Promise<StateSnapshots | undefined> {
  const hasState = parts.some(({ path }) => path === STATE_BEFORE);
  if (hasState !== (isCaptured && limits.stateBytes !== undefined)) {
    const why = isCaptured ? "its limits have no room for it" : "no workspace was captured with it";
    throw altered(root, MANIFEST, hasState ? `lists state, but ${why}` : "lists no state");
  }
  if (!hasState) return undefined;
  const before = await readSnapshot(root, STATE_BEFORE);
  const after = await readSnapshot(root, STATE_AFTER);
  await checkDiff(root, STATE_DIFF, before, after);
  return { before, after };
}

async function checkDiff(
  root: string,
  path: string,
  before: Snapshot,
  after: Snapshot,
): Promise<void> {
  const bytes = await readPart(root, path, DOCUMENT_BYTES_MAX);
  if (isCanonical(bytes, diffSnapshots(before, after))) return;
  throw altered(root, path, "is not the difference of the snapshots beside it");
}

/** The blobs are those that the snapshots need, of the sizes that they say. */
function checkBlobs(root: string, manifest: Manifest, snapshots: readonly Snapshot[]): void {
  const sizes = new Map(
    manifest.parts.flatMap(({ path, bytes }) => {
      const hash = blobNameOf(path);
      return hash === undefined ? [] : [[hash, bytes] as const];
    }),
  );
  for (const entry of snapshots.flatMap(({ entries }) => entries)) {
    if (entry.type !== "file" || sizes.get(entry.sha256) === entry.size) continue;
    const found = sizes.get(entry.sha256);
    const file = JSON.stringify(entry.path);
    const there = found === undefined ? "it is missing" : `it has ${found}`;
    const what = `must have ${entry.size} bytes for the file ${file}; ${there}`;
    throw altered(root, `blob ${entry.sha256}`, what);
  }
  const needed = contentsOf(...snapshots);
  const extra = [...sizes.keys()].find((hash) => !needed.has(hash));
  if (extra !== undefined) throw altered(root, `blob ${extra}`, "is in no snapshot");
}

async function checkSteps(root: string, manifest: Manifest): Promise<void> {
  let count = 0;
  const file = join(root, STEPS);
  try {
    for await (const step of readSteps(file)) {
      count++;
      if (step.callId === `${manifest.rollout}-${step.step}`) continue;
      const what = `it is of the call "${step.callId}", not of rollout ${manifest.rollout}`;
      throw new StepLineError(what, { line: count });
    }
  } catch (error) {
    if (!(error instanceof StepLineError)) throw error;
    throw altered(root, `${STEPS} line ${error.line}`, `is wrong: ${error.message}`, error);
  }
  if (count !== manifest.steps) {
    throw altered(root, STEPS, `has ${count} lines; the manifest says ${manifest.steps}`);
  }
  if (manifest.marks === undefined || manifest.marks.lastStep === (await lastLineHash(file)))
    return;
  throw altered(root, MANIFEST, "marks another last step than that of steps.jsonl");
}

async function checkEgress(root: string, { parts }: Manifest): Promise<void> {
  if (!parts.some(({ path }) => path === EGRESS)) return;
  const bytes = await readPart(root, EGRESS, EGRESS_BYTES_MAX);
  try {
    const lines = parseEgressLines(bytes.toString("utf8"));
    if (bytes.equals(egressBytes(lines))) return;
  } catch (error) {
    throw altered(root, EGRESS, `is wrong: ${messageOf(error)}`, error);
  }
  throw altered(root, EGRESS, "is not in canonical form");
}

async function readGraderFiles(root: string, manifest: Manifest): Promise<readonly GraderFile[]> {
  const paths = manifest.parts.map(({ path }) => path).filter((path) => path.endsWith(".py"));
  return Promise.all(
    paths.map(async (path) => ({
      path: path.slice("task/".length),
      bytes: await readPart(root, path, DOCUMENT_BYTES_MAX),
    })),
  );
}

async function readContext(root: string): Promise<Json> {
  const { value, bytes } = await readJson(root, CONTEXT);
  if (isCanonical(bytes, value)) return value as Json;
  throw altered(root, CONTEXT, "is not in canonical form");
}

async function readGrade(root: string, manifest: Manifest): Promise<Grade | null> {
  const { task, outcome, parts, marks } = manifest;
  if (!parts.some(({ path }) => path === GRADE)) {
    if (outcome === "graded") throw altered(root, GRADE, "is missing, but the outcome is graded");
    if (marks?.criteria.length) throw altered(root, MANIFEST, "marks criteria of no grade");
    return null;
  }
  const { value, bytes } = await readJson(root, GRADE);
  const parsed = gradeSchema.safeParse(value);
  if (!parsed.success) throw altered(root, GRADE, `is no grade: ${firstIssue(parsed.error)}`);
  const grade = parsed.data;
  const wrong = gradeProblem(grade, manifest);
  if (wrong !== undefined) throw altered(root, GRADE, wrong);
  if (grade.task !== task.id) throw altered(root, GRADE, `is of ${grade.task}, not of ${task.id}`);
  if (!bytes.equals(gradeBytes(grade))) throw altered(root, GRADE, "is not in canonical form");
  if (
    marks !== undefined &&
    canonicalJson(criterionMarks(grade)) !== canonicalJson(marks.criteria)
  ) {
    throw altered(root, MANIFEST, "marks other criteria than those of grade.json");
  }
  return grade;
}

function gradeProblem(grade: Grade, { criteria, outcome }: Manifest): string | undefined {
  const [judged, declared] = [grade.criteria, criteria].map((some) => some.map(declarationOf));
  if (canonicalJson(judged) !== canonicalJson(declared)) {
    return "judges other criteria than the manifest declares";
  }
  const reward = rewardOf(grade.criteria);
  if (canonicalJson(grade.reward) !== canonicalJson(reward)) {
    const [said, made] = [grade.reward, reward].map(canonicalJson);
    return `gives the reward ${said}; its criteria make ${made}`;
  }
  const isGraded = outcome === "graded";
  if (isGraded === (reward === null)) {
    return `has ${reward === null ? "no" : "a"} reward, but the outcome is ${outcome}`;
  }
  return undefined;
}
