import { copyFile, open } from "node:fs/promises";
import { join } from "node:path";
import { STEPS, WIRE } from "./bundle-layout.ts";
import type { DataFolder } from "./data-folder.ts";
import type { RolloutRecord } from "./record.ts";

/**
 * Cuts away what a process that died wrote in part at the end of `steps.jsonl` and `wire.jsonl` in a
 * rollout's work folder. Resolves with the number of steps; undefined if none could have been made.
 */
export async function settleSteps(folder: string): Promise<number | undefined> {
  await wholeLines(join(folder, WIRE));
  return await wholeLines(join(folder, STEPS));
}

/** Keeps the steps of a rollout that has no bundle: they are all that is left of it. */
export async function keepSteps(data: DataFolder, id: string): Promise<number> {
  const folder = join(data.rollouts, id);
  const count = (await settleSteps(folder)) ?? 0;
  if (count > 0) await copyFile(join(folder, STEPS), keptFile(data, id));
  return count;
}

/** Their number; what comes after the last one is cut away. Undefined if there is no file. */
async function wholeLines(path: string): Promise<number | undefined> {
  const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (file === undefined) return undefined;
  try {
    let [lines, bytes, whole] = [0, 0, 0];
    for await (const chunk of file.createReadStream({
      autoClose: false,
    }) as AsyncIterable<Buffer>) {
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, end + 1)) {
        lines += 1;
        whole = bytes + end + 1;
      }
      bytes += chunk.length;
    }
    if (whole < bytes) await file.truncate(whole);
    return lines;
  } finally {
    await file.close();
  }
}

/**
 * Where the steps of a rollout lie: in its bundle, or kept without one, or in its work folder while
 * it is under way. The file may be absent: then there are none.
 */
export function stepsFile(data: DataFolder, record: RolloutRecord): string {
  if (record.bundle !== null) return join(data.bundles, record.bundle, STEPS);
  if (record.outcome !== null) return keptFile(data, record.id);
  return join(data.rollouts, record.id, STEPS);
}

function keptFile(data: DataFolder, id: string): string {
  return join(data.steps, `${id}.jsonl`);
}
