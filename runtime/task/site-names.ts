import type { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot, SnapshotFile } from "../workspace/snapshot.ts";

/** As servers/web takes them. */
const SITE_FILE = /^web\/(?<id>[^/]+)\/site\.json$/;
const HOST = /^(?=.{1,62}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const SITES_MAX = 64;
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * The names under which the web sites of a state are visited, sorted: what its site.json says, or
 * else `<folder>.test`. What can be no name is left out; the service says so to who visits.
 */
export async function siteNames(state: Snapshot, blobs: BlobFolder): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const entry of state.entries) {
    const id = SITE_FILE.exec(entry.path)?.groups?.["id"];
    if (id === undefined || entry.type !== "file") continue;
    const name = (await saidName(entry, blobs)) ?? `${id}.test`.toLowerCase();
    if (HOST.test(name)) names.add(name);
  }
  return [...names].sort().slice(0, SITES_MAX);
}

async function saidName(entry: SnapshotFile, blobs: BlobFolder): Promise<string | undefined> {
  if (entry.size > FILE_BYTES_MAX) return undefined;
  const text = (await blobs.bytes(entry.sha256, FILE_BYTES_MAX)).toString("utf8");
  try {
    const site: unknown = JSON.parse(text);
    const host = typeof site === "object" && site !== null && "host" in site && site.host;
    return typeof host === "string" ? host.toLowerCase() : undefined;
  } catch {
    return undefined; // The service says what is wrong with it.
  }
}
