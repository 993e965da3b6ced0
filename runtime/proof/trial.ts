import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { namedId, secret } from "../base/id.ts";
import type { BoxProcess, Sandbox } from "../engine/engine.ts";
import { gradingFolders } from "../grading/grade-run.ts";
import { graderFiles } from "../grading/grader-files.ts";
import { pythonCommand } from "../grading/python-module.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { gradingInputOf } from "../rollout/regrade/regrade.ts";
import { GRADER_FOLDER, GRADER_USER, graderSpec } from "../rollout/sandbox-spec.ts";
import type { Bundle } from "../store/bundle.ts";
import { layeredBlobs } from "../workspace/blob-source.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { openClock } from "../workspace/sandbox-clock.ts";
import type { Snapshot, SnapshotEntry } from "../workspace/snapshot.ts";
import { proofFault } from "./faults.ts";
import { type TrialReport, trialReportSchema } from "./trial-report.ts";

const LIFE_MS = 60 * 60_000;
/** How far the clock of "another day" is from ours. */
const OTHER_DAY_MS = 400 * 86_400_000;

export interface TrialRequest {
  /** The same seed makes the same mutants. */
  readonly seed: string;
  readonly free: readonly string[];
  readonly lenient: readonly string[];
  /** The most mutants. */
  readonly limit: number;
  /** The most poisons. */
  readonly poisons: number;
  /** Further runs of the variant, which failed: to be graded again. */
  readonly failing: readonly FailedRun[];
  /** How many processes grade at once. */
  readonly atOnce: number;
  /** What one grading may take. */
  readonly seconds: number;
  /** Programs of the task by name, whose lines must be nowhere in its fixture. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface FailedRun {
  readonly name: string;
  readonly bundle: Bundle;
}

/**
 * Tries the grader of a bundle out: on mutants, shapes and poisons of its run, and again and again
 * under other conditions. All of it in one box of the grader image, one process for each grading; the
 * box is gone when this settles. Rejects with `proof/trial-failed`, or as the engine does.
 */
export async function tryGrader(
  bundle: Bundle,
  request: TrialRequest,
  parts: Pick<RolloutParts, "engine" | "images" | "data" | "process" | "clock">,
  signal: AbortSignal,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<TrialReport> {
  const { engine, images, data, process: owner, clock } = parts;
  const id = namedId("proof");
  const scratch = await mkdtemp(join(tmpdir(), "cloche-proof-"));
  try {
    const expires = new Date(clock.now().getTime() + LIFE_MS);
    const labels = { owner: data.owner, rollout: id, process: owner, expires };
    const spec = graderSpec(id, images.grader, bundle.manifest.limits, labels);
    const limits = { ...spec.limits, cpus: request.atOnce, processes: 256 };
    await using box = await engine.create({ ...spec, limits }, { signal });
    await setOtherDay(box, parts, signal);
    const { argv, env } = pythonCommand("run_proof");
    await using program = await box.open(argv, { user: GRADER_USER, env, signal });
    const own = new BlobFolder(scratch);
    const { failing, ...rest } = request;
    const runs = [{ name: "run", bundle }].concat(
      failing.map(({ bundle }, at) => ({ name: `failing/${at}`, bundle })),
    );
    const inputs = runs.map((run) => gradingInputOf(run.bundle));
    const folders = await Promise.all(inputs.map((input) => gradingFolders(input, own)));
    const all = below(runs.map(({ name }, at) => [name, ...(folders[at] ?? [])]));
    const blobs = layeredBlobs(own, ...inputs.map((input) => input.blobs));
    const asked = { ...rest, failing: failing.map(({ name }) => name) };
    const { id: task } = bundle.manifest.task;
    return await converse(program, asked, graderFiles([all], blobs), { task, signal, onProgress });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The box's clock, for programs that are told to ask it, is another than ours. */
export async function setOtherDay(
  box: Sandbox,
  { clock }: Pick<RolloutParts, "clock">,
  signal: AbortSignal,
): Promise<void> {
  await using setter = await openClock(box, clock, { signal });
  await setter.set(new Date(clock.now().getTime() + OTHER_DAY_MS), signal);
}

/** Runs, each in a folder of its own, as one snapshot: what is the same in them travels once. */
function below(runs: readonly (readonly [string, ...Snapshot[]])[]): Snapshot {
  const entries = new Map<string, SnapshotEntry>();
  const folder = (path: string) => entries.set(path, { type: "directory", path, mode: 0o755 });
  if (runs.length > 1) folder("failing");
  for (const [name, ...parts] of runs) {
    folder(name);
    for (const entry of parts.flatMap((part) => part.entries)) {
      const path = `${name}/${entry.path}`;
      entries.set(path, { ...entry, path });
    }
  }
  const sorted = [...entries.values()].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  return { schema: "cloche.snapshot/1", entries: sorted, skipped: [], bytes: 0 };
}

interface Talk {
  readonly task: string;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, of: number) => void;
}

const progressLine = z.object({ progress: z.object({ done: z.number(), of: z.number() }) });
const lastLine = z.object({ nonce: z.string(), failed: z.string().optional() });

async function converse(
  program: BoxProcess,
  request: object,
  files: AsyncIterable<Buffer>,
  { task, signal, onProgress }: Talk,
): Promise<TrialReport> {
  const nonce = secret();
  const printed = tail(program.stderr);
  program.stdin.write(`${JSON.stringify({ ...request, nonce, root: GRADER_FOLDER })}\n`);
  const handing = pipeline(Readable.from(files, { objectMode: false }), program.stdin, { signal });
  handing.catch(() => {}); // A program that died says more by itself.
  const lines = createInterface({ input: program.stdout });
  signal.addEventListener("abort", () => lines.close(), { once: true });
  for await (const text of lines) {
    const said: unknown = JSON.parse(text);
    const progress = progressLine.safeParse(said);
    if (progress.success) {
      onProgress(progress.data.progress.done, progress.data.progress.of);
      continue;
    }
    const last = lastLine.parse(said);
    if (last.nonce !== nonce) break;
    if (last.failed !== undefined) throw failed(task, last.failed);
    return trialReportSchema.parse(said);
  }
  signal.throwIfAborted();
  const { exitCode } = await program.ended;
  throw failed(task, `it ended without a report (exit code ${exitCode}): ${printed()}`);
}

function failed(task: string, what: string): Error {
  return proofFault("trial-failed", `the grader of ${task} could not be tried out: ${what}`);
}

/** The last 4 KiB of a stream as text. */
function tail(stream: NodeJS.ReadableStream): () => string {
  let kept = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-4096);
  });
  return () => kept.toString("utf8");
}
