import { namedId } from "../../base/id.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { startServers } from "../../mcp/link/start-servers.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../mcp/server-spec.ts";
import { ColdSource, needOf } from "../../rollout/sandbox-source.ts";
import { prepareVariant } from "../../task/prepare.ts";
import type { Task } from "../../task/task.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import type { Parts } from "../parts.ts";

const HOLD_MS = 10 * 60_000;
const VARIANT = 1;

/** Whether a server is a program of the task's own; a shipped one's name is taken. */
export function isOwn({ name }: ServerSpec): boolean {
  return !Object.hasOwn(SHIPPED_SERVERS, name);
}

/**
 * What these servers of a task say of themselves. Its own are programs of the sandbox, which may
 * look at what is in it, so they are started in one that is filled as for a rollout of variant 1;
 * for those that ship, their image speaks. Rejects as preparing a variant, making a sandbox and
 * starting servers do.
 */
export async function ownGreetings(
  task: Task,
  servers: readonly ServerSpec[],
  parts: Parts,
): Promise<Manifest> {
  const { engine, images, data, signal, log, clock, manifests = {} } = parts;
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
  const manifest = manifests[need.images.sandbox] ?? {};
  const options = { box: taken.sandbox, clock, log, signal, manifest };
  // As a rollout has them: where a task reaches hosts outside, with the proxy in their environment.
  const wanted = need.servers.filter(({ name }) => servers.some((server) => server.name === name));
  await using started = await startServers(wanted, options);
  return Object.fromEntries(
    started.servers.map(({ upstream, greeting }) => [upstream.name, greeting]),
  );
}
