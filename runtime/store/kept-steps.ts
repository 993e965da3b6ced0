import { createReadStream } from "node:fs";
import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { STEPS } from "./bundle-layout.ts";
import type { DataFolder } from "./data-folder.ts";
import type { RolloutRecord } from "./record.ts";

/**
 * Keeps the steps of a rollout that has no bundle: they are all that is left of it. A last line that
 * was cut is no step. Resolves with their number.
 */
export async function keepSteps(data: DataFolder, id: string): Promise<number> {
  const file = join(data.rollouts, id, STEPS);
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size === 0) return 0;
  await copyFile(file, keptFile(data, id));
  let lines = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, end + 1)) lines += 1;
  }
  return lines;
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
