import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { Fault, messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import type { Sandbox, SandboxSpec } from "../engine/engine.ts";
import type { DeclaredCriterion } from "../grading/grade.ts";
import { runPythonModule } from "../grading/python-module.ts";
import { captureArchive } from "../workspace/archive-reader.ts";
import { seedWorkspace } from "../workspace/seed.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { readCriteria } from "./criteria.ts";
import { taskFault } from "./faults.ts";
import { authorFolder, splitOutput, staticFixture } from "./fixture.ts";
import { outLimits } from "./fixture-limits.ts";
import type { PrepareParts } from "./prepare.ts";
import type { Task } from "./task.ts";

const ROOT = "/grade";
const USER = "author";
const MIB = 1024 * 1024;
const GENERATE_MS = 300_000;
const DESCRIBE_MS = 60_000;
const LIFE_MS = 15 * 60_000;

/** What running the author's code gives; the rest of a prepared variant follows from it. */
export interface MadeVariant {
  readonly fixture: Snapshot;
  readonly state: Snapshot;
  /** Canonical JSON. */
  readonly expected: string;
  /** For the {{variables}} of the instruction. */
  readonly variables: Readonly<Record<string, string>>;
  readonly criteria: readonly DeclaredCriterion[];
}

/** Conditions under which a generator has to make the same as under any others. */
export interface Disturbance {
  /** Instead of what Python is told otherwise. */
  readonly env: Readonly<Record<string, string>>;
  /** Done to the box before the generator runs. */
  readonly prepare: (box: Sandbox) => Promise<void>;
}

/** Runs the author's code for one variant, in a sandbox that is gone when this settles. */
export async function makeVariant(
  task: Task,
  variant: number,
  seed: number,
  parts: PrepareParts,
  disturbance?: Disturbance,
): Promise<MadeVariant> {
  const { blobs, signal } = parts;
  const fixed = await staticFixture(task, blobs);
  const folder = await authorFolder(task, fixed, blobs);
  await using box = await parts.engine.create(boxSpec(task, parts), { signal });
  await seedWorkspace(box, folder, blobs, { path: ROOT, owner: USER, signal });
  const criteria = await describeGrader(task, box, signal);
  if (task.files.generate === null) {
    return { ...fixed, expected: await expectedOf(task), variables: {}, criteria };
  }
  await disturbance?.prepare(box);
  await runGenerator(task, box, { variant, seed }, signal, disturbance?.env);
  const tar = await box.getArchive(`${ROOT}/out`, { signal });
  const output = await captureArchive(tar, blobs, outLimits(task), { root: "out" }).catch(
    (error: unknown) => {
      throw asTaskFault(task, error);
    },
  );
  return { ...(await splitOutput(task, output, blobs)), criteria };
}

function boxSpec(task: Task, { graderImage, labels }: PrepareParts): SandboxSpec {
  const id = namedId("generate");
  const { bytes, entries } = outLimits(task);
  return {
    id,
    labels: { ...labels, rollout: id, expires: new Date(Date.now() + LIFE_MS) },
    image: graderImage,
    users: [USER],
    workspace: { path: ROOT, owner: USER, bytes, files: entries },
    limits: {
      memoryBytes: 1024 * MIB + bytes,
      processes: 64,
      cpus: 1,
      tmpBytes: 64 * MIB,
      fileBytes: bytes,
      openFiles: 256,
    },
  };
}

async function describeGrader(
  task: Task,
  box: Sandbox,
  signal: AbortSignal,
): Promise<readonly DeclaredCriterion[]> {
  const refuse = (what: string, options = {}) =>
    taskFault("grader-refused", `${task.files.grader}: ${atHome(task, what)}`, options);
  const { answer } = await runPythonModule(box, {
    module: "describe",
    user: USER,
    input: { root: ROOT },
    timeoutMs: DESCRIBE_MS,
    signal,
    onSilence: (_, message) => refuse(`it could not be asked for its criteria: ${message}`),
  });
  if (typeof answer["failed"] === "string") throw refuse(answer["failed"]);
  return readCriteria(answer["criteria"], refuse);
}

async function runGenerator(
  task: Task,
  box: Sandbox,
  which: { readonly variant: number; readonly seed: number },
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const failed = (what: string) => {
    const where = `${task.files.generate} failed for variant ${which.variant}`;
    return taskFault("generate-failed", `${where}: ${atHome(task, what)}`);
  };
  const { answer, printed } = await runPythonModule(box, {
    module: "run_generator",
    user: USER,
    input: { root: ROOT, ...which, now: task.now.toISOString() },
    timeoutMs: GENERATE_MS,
    signal,
    env,
    onSilence: (_, message) => failed(message),
  });
  if (answer["ok"] === true) return;
  throw failed(`${String(answer["failed"])}\n${printed}`.trimEnd());
}

/** An author looks for the file in the repository, not in the sandbox. */
function atHome(task: Task, text: string): string {
  return text.replaceAll(`${ROOT}/task/`, `${task.folder}/`);
}

/** What the capture of a rollout would blame on an agent is the author's doing here. */
function asTaskFault(task: Task, error: unknown): unknown {
  if (!(error instanceof Fault) || !/^workspace\/capture-/.test(error.code)) return error;
  const what = `made files that no workspace can begin with: ${error.message}`;
  return taskFault("fixture-refused", `${task.files.generate} ${what}`, { cause: error });
}

/** Without generate.py the expected values are a file of the task's, or nothing. */
async function expectedOf({ files }: Task): Promise<string> {
  if (files.expected === null) return "{}";
  try {
    return canonicalJson(JSON.parse(await readFile(files.expected, "utf8")) as Json);
  } catch (error) {
    const message = `${files.expected} is not JSON: ${messageOf(error)}`;
    throw taskFault("file-refused", message, {
      cause: error,
      detail: { file: basename(files.expected) },
    });
  }
}
