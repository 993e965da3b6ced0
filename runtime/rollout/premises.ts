import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import type { DeclaredCriterion } from "../grading/grade.ts";
import type { GraderFile } from "../store/bundle.ts";
import type { Task } from "../task/task.ts";
import { asSeeded } from "../workspace/archive-writer.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { parseSnapshot } from "../workspace/snapshot-text.ts";
import type { RolloutSpec } from "./parts.ts";

/** What a rollout begins with, as its bundle keeps it: all of it is known before an agent is there. */
export interface Premises {
  readonly task: string;
  readonly variant: number;
  /** The sandbox's clock, RFC 3339. */
  readonly now: string;
  /** Whether the task asks for hosts outside. */
  readonly hasEgress: boolean;
  /** As the agent is shown it. */
  readonly instruction: string;
  readonly before: Snapshot;
  readonly stateBefore: Snapshot;
  readonly criteria: readonly DeclaredCriterion[];
  readonly expected: Uint8Array;
  readonly taskToml: Uint8Array;
  readonly graderFiles: readonly GraderFile[];
}

export async function premisesOf({
  task,
  prepared,
}: Pick<RolloutSpec, "task" | "prepared">): Promise<Premises> {
  const { variant, instruction, fixture, state, criteria, expected } = prepared;
  return {
    ...{ task: task.id, variant, now: task.now.toISOString(), hasEgress: task.egress.length > 0 },
    ...{ instruction, before: asSeeded(fixture), stateBefore: asSeeded(state, "private") },
    ...{ criteria, expected, taskToml: await readFile(task.files.toml) },
    graderFiles: await graderFiles(task),
  };
}

/** Writes them into a rollout's work folder: whoever finds it can make a bundle of it, without the task. */
export async function keepPremises(folder: string, premises: Premises): Promise<void> {
  const { expected, taskToml, graderFiles: files, ...rest } = premises;
  const text = canonicalJson({
    ...rest,
    expected: base64(expected),
    taskToml: base64(taskToml),
    graderFiles: files.map(({ path, bytes }) => ({ path, bytes: base64(bytes) })),
  });
  const draft = join(folder, `${FILE}.draft`);
  await writeFile(draft, text);
  await rename(draft, join(folder, FILE));
}

/** Rejects if a work folder has none. */
export async function recallPremises(folder: string): Promise<Premises> {
  const kept = JSON.parse(await readFile(join(folder, FILE), "utf8")) as Kept;
  return {
    ...kept,
    before: parseSnapshot(kept.before),
    stateBefore: parseSnapshot(kept.stateBefore),
    expected: bytesOf(kept.expected),
    taskToml: bytesOf(kept.taskToml),
    graderFiles: kept.graderFiles.map(({ path, bytes }) => ({ path, bytes: bytesOf(bytes) })),
  };
}

const FILE = "premises.json";

type Kept = Omit<Premises, "expected" | "taskToml" | "graderFiles"> & {
  readonly expected: string;
  readonly taskToml: string;
  readonly graderFiles: readonly { readonly path: string; readonly bytes: string }[];
};

async function graderFiles({ files }: Task): Promise<{ path: string; bytes: Buffer }[]> {
  const paths = [files.grader, ...files.modules];
  return Promise.all(
    paths.map(async (path) => ({ path: basename(path), bytes: await readFile(path) })),
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "base64");
}
