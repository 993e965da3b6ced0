import { createReadStream } from "node:fs";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { Fault } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import type { Box } from "../engine/engine.ts";
import { type BlobSource, layeredBlobs } from "../workspace/blob-source.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot, SnapshotEntry } from "../workspace/snapshot.ts";
import { type ExecutionPlace, executor } from "./execution.ts";
import { gradingFault } from "./faults.ts";
import type { DeclaredCriterion, Grade } from "./grade.ts";
import { graderFiles } from "./grader-files.ts";
import type { PythonAnswer } from "./python-module.ts";
import { rewardOf } from "./reward.ts";
import { readVerdict } from "./verdict.ts";
import { type GraderQuestion, type RunGrader, WaitingGrader } from "./waiting-grader.ts";

/** Everything that a grade rests on. A bundle holds all of it. */
export interface GradingInput {
  readonly task: string;
  /** grader.py and what it may import, relative to the task's folder. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** What the grader declared before the rollout; it must judge exactly these. */
  readonly declared: readonly DeclaredCriterion[];
  readonly expected: Uint8Array;
  readonly context: Json;
  /** Path of steps.jsonl on this side. */
  readonly stepsFile: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** Of the services' state; absent if they keep none. */
  readonly state?: { readonly before: Snapshot; readonly after: Snapshot };
  readonly blobs: BlobSource;
}

/** The box that grades: where its volume is mounted and who works in it. */
export interface GraderBox {
  readonly box: Box;
  readonly image: string;
  readonly folder: string;
  readonly user: string;
  readonly timeoutMs: number;
  /** Where it has programs of the agent's run; none: a grader that asks for that is told so. */
  readonly execution?: ExecutionPlace;
  /** Its Python, if it was started already; it is ended in any case. */
  readonly waiting?: RunGrader;
}

/**
 * Hands a run to the grader in its box and lets it judge. Rejects with `grading/…` if no
 * valid verdict comes; a criterion that raised is part of the grade, which then has no reward.
 * `scratch` is a folder of blobs of the caller's for the small parts; it may be thrown away afterwards.
 */
export async function gradeRun(
  input: GradingInput,
  grader: GraderBox,
  scratch: BlobFolder,
  signal: AbortSignal,
): Promise<Grade> {
  const { box, user } = grader;
  let python: RunGrader = grader.waiting ?? new WaitingGrader(box, user, signal);
  const folders = await gradingFolders(input, scratch);
  const ask = async () => {
    await using asked = python;
    const files = graderFiles(folders, layeredBlobs(scratch, input.blobs));
    const execute = grader.execution && executor(grader.execution, input.after, input.blobs);
    const parts = { files, ...(execute ? { execute } : {}), signal };
    return await askGrader(asked, input.task, grader, parts);
  };
  // It begins by taking away what one that was lost was handed.
  const answer = await againIfLost(ask, () => {
    python = new WaitingGrader(box, user, signal);
  });
  const criteria = readVerdict(answer, input.declared);
  return {
    schema: "cloche.grade/3",
    task: input.task,
    grader: { sha256: graderHash(input), image: grader.image },
    criteria,
    reward: rewardOf(criteria),
  };
}

const TRIES = 3;

/**
 * The engine let go of the grader before it had judged, or was not there to start it. Also the verdict of
 * one that ended well may get lost on its way: who has none says none each time.
 */
function isLost(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  if (error.code === "grading/no-verdict") return error.detail["exitCode"] === 0;
  // Without a cause it is a deadline that has passed.
  if (error.code === "engine/no-answer") return error.cause !== undefined;
  return error.code === "engine/program-lost" || error.code === "engine/unreachable";
}

/** A grade rests on what was captured alone, so it can be asked for again. */
async function againIfLost<T>(work: () => Promise<T>, prepare: () => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLost(error) || attempt === TRIES) throw error;
      prepare();
    }
  }
}

async function askGrader(
  python: RunGrader,
  task: string,
  { folder: root, timeoutMs }: GraderBox,
  parts: Pick<GraderQuestion, "files" | "execute" | "signal">,
): Promise<PythonAnswer["answer"]> {
  const { answer, printed } = await python.ask({
    ...{ root, timeoutMs, ...parts },
    onSilence: (kind, message) =>
      gradingFault(
        kind === "timed-out" ? kind : "no-verdict",
        `the grader of ${task}: ${message}`,
        kind === "ended-well" ? { detail: { exitCode: 0 } } : {},
      ),
  });
  if ("late" in answer) {
    throw gradingFault("timed-out", `the grader of ${task}: ${String(answer["late"])}`);
  }
  if (!("failed" in answer)) return answer;
  throw gradingFault(
    "grader-failed",
    `grader.py of ${task}: ${String(answer["failed"])}${printed}`,
  );
}

/** The grade as the bundle keeps it and as it is compared, byte by byte. */
export function gradeBytes(grade: Grade): Buffer {
  return Buffer.from(`${canonicalJson(grade)}\n`);
}

function graderHash({ files }: GradingInput): string {
  return sha256(
    canonicalJson(Object.fromEntries(files.map((file) => [file.path, sha256(file.bytes)]))),
  );
}

/** What in a run's context only its end decided. */
const AT_THE_END = ["answer", "ending", "egress"];

/**
 * The grader's folder as two snapshots, so that each travels as one: the run as it began, and what
 * came of it. Nothing in the first depends on what the agent did.
 */
export async function gradingFolders(
  input: GradingInput,
  scratch: BlobFolder,
): Promise<[Snapshot, Snapshot]> {
  const keep = async (path: string, content: Parameters<BlobFolder["put"]>[0]) =>
    ({ type: "file", path, mode: 0o444, ...(await scratch.put(content)) }) as const;
  const text = (path: string, value: unknown) => keep(path, Buffer.from(canonicalJson(value)));
  const began: SnapshotEntry[] = [
    await text("before.json", input.before),
    await text("context.json", without(AT_THE_END, input.context)),
    await keep("expected.json", input.expected),
    ...(await Promise.all(input.files.map(({ path, bytes }) => keep(`task/${path}`, bytes)))),
    ...under("before", input.before),
  ];
  const left: SnapshotEntry[] = [
    await text("after.json", input.after),
    await text("context.json", input.context),
    await keep("steps.jsonl", createReadStream(input.stepsFile)),
    ...under("after", input.after),
  ];
  if (input.state) {
    const { before, after } = input.state;
    began.push(await text("state-before.json", before), ...under("state-before", before));
    left.push(await text("state-after.json", after), ...under("state-after", after));
  }
  return [inOrder(began), inOrder(left)];
}

function without(names: readonly string[], value: Json): Json {
  const members = Object.entries(value as Record<string, Json>);
  return Object.fromEntries(members.filter(([name]) => !names.includes(name)));
}

function under(folder: string, snapshot: Snapshot): SnapshotEntry[] {
  const root: SnapshotEntry = { type: "directory", path: folder, mode: 0o755 };
  return [
    root,
    ...snapshot.entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` })),
  ];
}

function inOrder(entries: readonly SnapshotEntry[]): Snapshot {
  const folders = new Set(
    entries.filter(({ path }) => path.startsWith("task/")).flatMap(({ path }) => parentsOf(path)),
  );
  const all = [
    ...entries,
    ...[...folders].map((path) => ({ type: "directory", path, mode: 0o755 }) as const),
  ];
  all.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const bytes = all.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  return { schema: "cloche.snapshot/1", entries: all, skipped: [], bytes };
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
