import { namedId } from "../../base/id.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { startServers } from "../../mcp/link/start-servers.ts";
import type { ServerSpec } from "../../mcp/server-spec.ts";
import { needOf } from "../../rollout/run-rollout.ts";
import { ColdSource } from "../../rollout/sandbox-source.ts";
import { prepareVariant } from "../../task/prepare.ts";
import type { Task } from "../../task/task.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import type { Parts } from "../parts.ts";

const HOLD_MS = 10 * 60_000;
const VARIANT = 1;

/**
 * What these servers of a task's own say of themselves. They are programs of the sandbox, which may
 * look at what is in it, so they are started in one that is filled as for a rollout of variant 1.
 * Rejects as preparing a variant, making a sandbox and starting servers do.
 */
export async function ownGreetings(
  task: Task,
  own: readonly ServerSpec[],
  parts: Parts,
): Promise<Manifest> {
  const { engine, images, data, signal, log, clock } = parts;
  const labels = { owner: data.owner, process: parts.process };
  const blobs = new BlobFolder(data.blobs);
  const about = { engine, graderImage: images.grader, blobs, cacheFolder: data.cache };
  const prepared = await prepareVariant(task, VARIANT, { ...about, labels, signal, log });
  const need = needOf(task, parts, prepared.hostNames);
  const claim = { rollout: namedId("tools"), holdMs: HOLD_MS };
  const source = new ColdSource(engine, labels);
  await using taken = await source.take(need, claim, signal);
  await taken.seed(prepared, blobs, signal);
  await taken.setClock(task.now, signal);
  const options = { box: taken.sandbox, clock, log, signal };
  await using started = await startServers(own, options);
  return Object.fromEntries(
    started.servers.map(({ upstream, greeting }) => [upstream.name, greeting]),
  );
}
