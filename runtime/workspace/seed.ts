import type { Readable } from "node:stream";
import { Fault } from "../base/fault.ts";
import type { EngineCall, ExecOptions, Sandbox } from "../engine/engine.ts";
import { type CaptureOptions, captureArchive } from "./archive-reader.ts";
import { type Access, snapshotArchive } from "./archive-writer.ts";
import type { BlobSource } from "./blob-source.ts";
import type { BlobFolder } from "./blobs.ts";
import { workspaceFault } from "./faults.ts";
import { climbsOut } from "./link-target.ts";
import type { Snapshot, SnapshotEntry, SnapshotLink } from "./snapshot.ts";
import type { SnapshotLimits } from "./snapshot-builder.ts";
import { STATE_PATH, STATE_USER } from "./state-folder.ts";

export interface SeedOptions extends EngineCall {
  /** Where the workspace is mounted. Default "/workspace". */
  readonly path?: string;
  /** The user whom everything belongs to; the group is the sandbox's. Default "agent". */
  readonly owner?: string;
  /** Default "shared". */
  readonly access?: Access;
}

/**
 * Fills the empty workspace of a new sandbox with a snapshot, byte for byte; modes as in `asSeeded`.
 * Only for a sandbox that no agent has been in.
 * @throws Fault workspace/blob-missing, -blob-broken, -seed-failed, and those of the engine
 */
export async function seedWorkspace(
  sandbox: Sandbox,
  snapshot: Snapshot,
  blobs: BlobSource,
  options: SeedOptions = {},
): Promise<void> {
  const { path = "/workspace", owner = "agent", access = "shared", ...call } = options;
  const uid = sandbox.identity.uids[owner];
  if (uid === undefined) {
    const known = Object.keys(sandbox.identity.uids).join(", ");
    throw workspaceFault("seed-failed", `the sandbox has no user "${owner}", only ${known}`);
  }
  const entries = snapshot.entries.filter((entry) => !isOutward(entry));
  const { gid } = sandbox.identity;
  // What is seeded is as old as the sandbox will be told that it is.
  const owned = { uid, gid, access, mtime: new Date() };
  const archive = () => snapshotArchive({ ...snapshot, entries }, blobs, owned);
  await sandbox.putArchive(archive, path, call);
  const links = snapshot.entries.filter(isOutward);
  if (links.length > 0) await makeLinks(sandbox, links, { user: owner, cwd: path, ...call });
}

/** As `seedWorkspace`, for the state of services: all of it is their user's alone. */
export async function seedState(
  sandbox: Sandbox,
  snapshot: Snapshot,
  blobs: BlobSource,
  call: EngineCall = {},
): Promise<void> {
  const place = { path: STATE_PATH, owner: STATE_USER, access: "private" } as const;
  await seedWorkspace(sandbox, snapshot, blobs, { ...place, ...call });
}

/**
 * Reads the workspace of a stopped sandbox. An archive that comes broken or is broken off is read
 * again, twice at most; contents of the broken ones stay in `blobs`.
 * @throws Fault as `captureArchive` and `Sandbox.readWorkspace` do; the signal's reason
 */
export async function captureWorkspace(
  sandbox: Sandbox,
  blobs: BlobFolder,
  limits: SnapshotLimits,
  signal: AbortSignal,
  options: Pick<CaptureOptions, "expected"> = {},
): Promise<Snapshot> {
  const read = () => sandbox.readWorkspace({ signal });
  return await captureVolume(read, blobs, limits, signal, options);
}

/** As `captureWorkspace`, for the state of services. */
export async function captureState(
  sandbox: Sandbox,
  blobs: BlobFolder,
  limits: SnapshotLimits,
  signal: AbortSignal,
): Promise<Snapshot> {
  return await captureVolume(() => sandbox.readState({ signal }), blobs, limits, signal, {
    what: "state",
  });
}

async function captureVolume(
  read: () => Promise<Readable>,
  blobs: BlobFolder,
  limits: SnapshotLimits,
  signal: AbortSignal,
  options: Pick<CaptureOptions, "expected" | "what">,
): Promise<Snapshot> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const tar = await read(); // Which is as patient as the engine is.
    const onAbort = () => tar.destroy(new Error("the capture was given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await captureArchive(tar, blobs, limits, { ...options, root: "." });
    } catch (error) {
      signal.throwIfAborted();
      const isBroken = error instanceof Fault && BROKEN.has(error.code);
      if (!isBroken || attempt > RETRIES) throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

const RETRIES = 2;
/** The engine cut it short, or hung up over it. */
const BROKEN = new Set(["workspace/archive-broken", "engine/no-answer"]);

function isOutward(entry: SnapshotEntry): entry is SnapshotLink {
  return entry.type === "link" && climbsOut(entry);
}

/** Engines refuse an archive with links that climb out; inside the sandbox such a link is harmless. */
async function makeLinks(
  sandbox: Sandbox,
  links: readonly SnapshotLink[],
  options: ExecOptions,
): Promise<void> {
  const argv = ["/usr/bin/xargs", "-0", "-n", "2", "/usr/bin/ln", "-s", "-T", "--"];
  const stdin = Buffer.from(links.map(({ path, target }) => `${target}\0${path}\0`).join(""));
  const { exitCode, stderr } = await sandbox.exec(argv, { ...options, stdin });
  if (exitCode === 0) return;
  const said = stderr.toString("utf8").slice(-500);
  throw workspaceFault("seed-failed", `links of the fixture can't be made in the sandbox: ${said}`);
}
