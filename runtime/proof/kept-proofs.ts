import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { draftName } from "../base/draft.ts";
import type { DataFolder } from "../store/data-folder.ts";
import type { Task } from "../task/task.ts";
import type { Proof } from "./proof.ts";

/** Whether a task was proven as it is now, by the record in the data folder. */
export type Standing = "proven" | "refused" | "unproven";

/** Keeps a proof: `<data>/proofs/<hash of the task>.json`, the newest of each. */
export async function keepProof(data: Pick<DataFolder, "path">, proof: Proof): Promise<string> {
  const folder = join(data.path, "proofs");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, draftName());
  await using file = await open(draft, "wx", 0o600);
  await file.writeFile(`${JSON.stringify(proof, null, 1)}\n`);
  await file.sync();
  const path = fileOf(data, proof.task.sha256);
  await rename(draft, path);
  return path;
}

/**
 * How a task stands: "proven" only if all its files, its fixture set and the grader image are the
 * ones of a proof that holds.
 */
export async function standingOf(
  data: Pick<DataFolder, "path">,
  task: Pick<Task, "sha256">,
  graderImage: string,
): Promise<Standing> {
  const text = await readFile(fileOf(data, task.sha256), "utf8").catch(() => undefined);
  if (text === undefined) return "unproven";
  const proof = JSON.parse(text) as Proof;
  if (proof.graderImage !== graderImage) return "unproven";
  return proof.holds ? "proven" : "refused";
}

function fileOf(data: Pick<DataFolder, "path">, sha256: string): string {
  return join(data.path, "proofs", `${sha256}.json`);
}
