import { createReadStream } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { messageOf } from "../base/fault.ts";
import { isPartPath, MANIFEST, SEAL, SIGNATURE } from "../store/bundle-layout.ts";
import { verifyFiles } from "../store/bundle-parts.ts";
import { BLOCK, encodeHeader, padding } from "../workspace/tar-format.ts";
import { TarReader } from "../workspace/tar-reader.ts";
import { apiFault } from "./faults.ts";

const OLD = new Date("1980-01-01T00:00:00Z");
const MODE = 0o444;

export interface BundleArchive {
  readonly stream: Readable;
  /** Of the whole stream. */
  readonly bytes: number;
}

interface Member {
  readonly path: string;
  readonly bytes: number;
}

/**
 * The bundle in a folder as a tar stream, in a directory named by its id. Its files are verified
 * first. Rejects with `store/bundle-missing` or `store/bundle-altered`.
 */
export async function bundleArchive(folder: string): Promise<BundleArchive> {
  const { id, manifest, signature } = await verifyFiles(folder);
  const first = [MANIFEST, SEAL, ...(signature ? [SIGNATURE] : [])];
  const heads = await Promise.all(first.map((path) => sized(folder, path)));
  const members = [...heads, ...manifest.parts];
  const sizes = members.map(
    (member) => headerOf(id, member).length + member.bytes + padding(member.bytes).length,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 2 * BLOCK);
  return { stream: Readable.from(archive(folder, id, members), { objectMode: false }), bytes };
}

async function sized(folder: string, path: string): Promise<Member> {
  return { path, bytes: (await stat(join(folder, path))).size };
}

function headerOf(id: string, { path, bytes }: Member): Buffer {
  const name = Buffer.from(`${id}/${path}`);
  const header = { name, type: "0", mode: MODE, size: bytes, linkName: Buffer.alloc(0) };
  return encodeHeader(header, { uid: 0, gid: 0, mtime: OLD });
}

async function* archive(
  folder: string,
  id: string,
  members: readonly Member[],
): AsyncGenerator<Buffer> {
  for (const member of members) {
    yield headerOf(id, member);
    let left = member.bytes;
    for await (const chunk of createReadStream(join(folder, member.path))) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw new Error(`${member.path} changed while it was sent`);
    yield padding(member.bytes);
  }
  yield Buffer.alloc(2 * BLOCK);
}

const HEADS: readonly string[] = [MANIFEST, SEAL, SIGNATURE];
const UPLOAD_BYTES_MAX = 2 * 1024 ** 3;
const UPLOAD_FILES_MAX = 100_000;

/**
 * Writes the files of an uploaded archive into an empty folder, as they come. Only plain files under
 * the names that a bundle has are taken, below at most one directory; what they hold is for
 * `openBundle` to verify. Rejects with `api/upload-refused` or `api/body-too-large`.
 */
export async function receiveBundle(
  body: AsyncIterable<Uint8Array>,
  folder: string,
): Promise<void> {
  const reader = new TarReader(bounded(body));
  const made = new Set<string>();
  let top: string | undefined;
  for (let files = 0; ; files++) {
    const header = await next(reader);
    if (header === undefined) return;
    if (files > UPLOAD_FILES_MAX) throw refused(`it has more than ${UPLOAD_FILES_MAX} files`);
    const name = header.name.toString("latin1");
    const { directory, path } = placeOf(name);
    top ??= directory;
    if (directory !== top) throw refused(`${shown(name)} is in another directory than the first`);
    if (header.type === "5" && (path === "" || /^[a-z0-9/]+\/$/.test(path))) continue;
    const isKnown = HEADS.includes(path) || isPartPath(path);
    if (header.type !== "0" || !isKnown) throw refused(`${shown(name)} is no file of a bundle`);
    if (made.has(path)) throw refused(`${shown(name)} is there twice`);
    made.add(path);
    await write(reader, join(folder, path));
  }
}

/** The first segment is a directory unless a bundle has such a path itself. */
function placeOf(name: string): { directory: string; path: string } {
  const plain = name.replace(/^\.\//, "");
  const [, directory = "", path = ""] = /^([^/]+)\/(.*)$/s.exec(plain) ?? [];
  const isTop = /^(task|workspace|state|blobs|logs)$/.test(directory) || directory === "";
  return isTop ? { directory: "", path: plain } : { directory, path };
}

async function next(reader: TarReader) {
  try {
    return await reader.next();
  } catch (error) {
    throw asRefused(error);
  }
}

async function write(reader: TarReader, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of reader.chunks()) await file.writeFile(chunk);
  } catch (error) {
    throw asRefused(error);
  }
}

async function* bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > UPLOAD_BYTES_MAX) {
      throw apiFault("body-too-large", `the archive is larger than ${UPLOAD_BYTES_MAX} bytes`);
    }
    yield chunk;
  }
}

function asRefused(error: unknown): unknown {
  const isFault = error instanceof Error && error.name === "Fault";
  return isFault ? error : refused(messageOf(error), error);
}

function refused(what: string, cause?: unknown) {
  return apiFault("upload-refused", `the archive is no bundle: ${what}`, { cause });
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
