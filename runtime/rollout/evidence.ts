import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import type { Grade } from "../grading/grade.ts";
import type { Ending } from "../mcp/record/step.ts";
import type { StateSnapshots } from "../store/bundle.ts";
import { EGRESS } from "../store/bundle-layout.ts";
import { type EgressLine, readEgressLines } from "../store/egress-lines.ts";
import { gradeSchema } from "../store/schemas.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { parseSnapshot } from "../workspace/snapshot-text.ts";
import type { Premises } from "./premises.ts";

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

/** The services' state, if they keep any. */
export function stateOf(
  { stateBefore: before }: Premises,
  { stateAfter: after }: Evidence,
): { readonly state?: StateSnapshots } {
  return after ? { state: { before, after } } : {};
}

/** Undefined for a task that asks for no hosts outside. */
export async function egressIn(
  { hasEgress }: Premises,
  { folder }: Evidence,
): Promise<EgressLine[] | undefined> {
  return hasEgress ? await readEgressLines(join(folder, EGRESS)) : undefined;
}

export function graderContext(
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

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
