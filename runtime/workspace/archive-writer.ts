import { Readable } from "node:stream";
import type { BlobSource } from "./blob-source.ts";
import { workspaceFault } from "./faults.ts";
import type { Snapshot, SnapshotEntry, SnapshotFile } from "./snapshot.ts";
import { BLOCK, encodeHeader, padding, type TarHeader, type TarOwner } from "./tar-format.ts";

export interface ArchiveOptions {
  readonly uid: number;
  readonly gid: number;
  /** The time of every entry. Default 1980-01-01, the oldest that a zip can hold too. */
  readonly mtime?: Date;
  /** A directory that everything lies in; it is not listed itself. Default none. */
  readonly prefix?: string;
  /** Whether links are written. Default "keep". */
  readonly links?: "keep" | "omit";
  /** Default "shared". */
  readonly access?: Access;
}

/**
 * Who may use what is unpacked. A workspace is shared by users of one group, so its owner and group
 * may read and write every file and enter every directory, whatever the snapshot's modes say; the
 * other bits stay. State is private: its owner may do that, nobody else may anything.
 */
export type Access = "shared" | "private";

/**
 * A snapshot as a POSIX tar stream: entries in the snapshot's order, the root not listed, one owner
 * and one time for all, modes as in `asSeeded` and shared directories setgid, so that what is made
 * in them later belongs to the group too. `skipped` entries are not made. The same snapshot and options give
 * the same bytes. The stream fails with workspace/blob-missing or -broken if a content is not there.
 */
export function snapshotArchive(
  snapshot: Snapshot,
  blobs: BlobSource,
  options: ArchiveOptions,
): Readable {
  return Readable.from(archive(snapshot, blobs, options), { objectMode: false });
}

/** The snapshot as it is once it was seeded, its modes too. Compare a later capture with this. */
export function asSeeded(snapshot: Snapshot, access: Access = "shared"): Snapshot {
  const entries = snapshot.entries.map(access === "shared" ? shared : owned);
  return { ...snapshot, entries, skipped: [] };
}

async function* archive(
  snapshot: Snapshot,
  blobs: BlobSource,
  options: ArchiveOptions,
): AsyncGenerator<Buffer> {
  const { uid, gid, mtime = OLD, prefix = "", links = "keep", access = "shared" } = options;
  const folderBits = access === "shared" ? 0o2000 : 0;
  const owner = { uid, gid, mtime };
  for (const entry of asSeeded(snapshot, access).entries) {
    if (entry.type === "link" && links === "omit") continue;
    yield headerOf(entry, prefix && `${prefix}/`, owner, folderBits);
    if (entry.type !== "file" || entry.size === 0) continue;
    yield* contentOf(entry, blobs);
    yield padding(entry.size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

const OLD = new Date("1980-01-01T00:00:00Z");
const TYPES = { file: "0", link: "2", directory: "5" } as const;

function headerOf(
  entry: SnapshotEntry,
  prefix: string,
  owner: TarOwner,
  folderBits: number,
): Buffer {
  const mode = entry.type === "link" ? 0o777 : entry.mode;
  const header: TarHeader = {
    name: Buffer.from(`${prefix}${entry.path}${entry.type === "directory" ? "/" : ""}`),
    type: TYPES[entry.type],
    mode: entry.type === "directory" ? folderBits | mode : mode,
    size: entry.type === "file" ? entry.size : 0,
    linkName: Buffer.from(entry.type === "link" ? entry.target : ""),
  };
  return encodeHeader(header, owner);
}

/**
 * The bytes of a file, exactly as many as it says: in a stream of several files others would put
 * contents in the place of headers. Fails with workspace/blob-missing or -broken.
 */
export async function* contentOf(
  { sha256, size }: SnapshotFile,
  blobs: BlobSource,
): AsyncGenerator<Buffer> {
  let left = size;
  const known = blobs.known?.(sha256);
  for await (const chunk of known === undefined ? blobs.read(sha256) : [known]) {
    left -= chunk.length;
    if (left >= 0) yield chunk;
  }
  if (left === 0) return;
  const message = `blob ${sha256} has ${size - left} bytes, the snapshot says ${size}`;
  throw workspaceFault("blob-broken", message, { detail: { sha256 } });
}

function shared(entry: SnapshotEntry): SnapshotEntry {
  if (entry.type === "link") return entry;
  return { ...entry, mode: entry.mode | (entry.type === "directory" ? 0o770 : 0o660) };
}

function owned(entry: SnapshotEntry): SnapshotEntry {
  if (entry.type === "link") return entry;
  return { ...entry, mode: entry.type === "directory" ? 0o700 : 0o600 };
}
