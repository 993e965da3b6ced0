import { createHash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { lstat, open, opendir } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import type { Fault } from "../base/fault.ts";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import { FileThread, MANY_FILES } from "../workspace/file-thread.ts";
import { Writes } from "../workspace/writes.ts";
import {
  blobNameOf,
  CAPTURE,
  isPartPath,
  MANIFEST,
  MANIFEST_BYTES_MAX,
  REQUIRED,
  SEAL,
  SIGNATURE,
  SIGNATURE_BYTES_MAX,
  STATE,
  sealText,
} from "./bundle-layout.ts";
import { storeFault } from "./faults.ts";
import { type BundlePart, type Manifest, manifestSchema } from "./manifest.ts";
import { firstIssue } from "./schemas.ts";
import { type Signature, signatureSchema, signatureText } from "./signature.ts";

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Read in one piece. */
const SMALL_BYTES = 256 * 1024;
/** Of files that are looked at together. */
const BATCH = 256;
const ID = /^[0-9a-f]{64}$/;

/** A bundle whose files are exactly those that its manifest lists, byte for byte. */
export interface VerifiedFiles {
  readonly id: string;
  readonly manifest: Manifest;
  readonly signature: Signature | null;
}

/**
 * Compares the files in `root` with the manifest there: no more, no fewer, no links, every hash.
 * Rejects with `store/bundle-missing` or `store/bundle-altered`, which names the part.
 */
export async function verifyFiles(root: string): Promise<VerifiedFiles> {
  await requireBundleFolder(root);
  const { id, manifest } = await readManifest(root);
  const { parts } = manifest;
  const signature = await readSignature(root);
  checkPaths(root, parts);
  await checkListing(root, parts, signature !== null);
  const checks = new Writes();
  try {
    const sound = parts.length < MANY_FILES ? undefined : await soundParts(root, parts);
    for (const part of parts) if (!sound?.has(part)) await checks.add(checkPart(root, part));
    await checks.settle();
  } finally {
    await checks.ended();
  }
  return { id, manifest, signature };
}

/** Small ones that are as they should be, found out in batches; of the others nothing is said. */
async function soundParts(
  root: string,
  parts: readonly BundlePart[],
): Promise<ReadonlySet<BundlePart>> {
  await using thread = new FileThread();
  const small = parts.filter(({ bytes }) => bytes <= SMALL_BYTES);
  const sound = new Set<BundlePart>();
  for (let at = 0; at < small.length; at += BATCH) {
    const batch = small.slice(at, at + BATCH);
    const files = batch.map(({ path, bytes: size }) => ({ path: join(root, path), size }));
    const { hashes } = await thread.run({ kind: "hash", files } as const);
    for (const [index, part] of batch.entries()) if (hashes[index] === part.sha256) sound.add(part);
  }
  return sound;
}

export function altered(root: string, part: string, what: string, cause?: unknown): Fault {
  const message = `bundle ${root} was altered: ${part} ${what}; do not trust it`;
  return storeFault("bundle-altered", message, { cause, detail: { bundle: root, part } });
}

/** The whole file, at most `maxBytes`. Links are not followed. */
export async function readPart(root: string, path: string, maxBytes: number): Promise<Buffer> {
  try {
    await using handle = await open(join(root, path), READ_ONLY);
    const stat = await handle.stat();
    if (!stat.isFile()) throw altered(root, path, "is not a file");
    if (stat.size > maxBytes) throw altered(root, path, `has more than ${maxBytes} bytes`);
    return await handle.readFile();
  } catch (error) {
    throw unreadable(root, path, error);
  }
}

async function requireBundleFolder(root: string): Promise<void> {
  const there = await lstat(join(root, MANIFEST)).catch(() => undefined);
  if (there !== undefined) return;
  const message = `${root} is not a bundle: it has no ${MANIFEST}`;
  throw storeFault("bundle-missing", message, { detail: { bundle: root } });
}

async function readManifest(root: string): Promise<Omit<VerifiedFiles, "signature">> {
  const bytes = await readPart(root, MANIFEST, MANIFEST_BYTES_MAX);
  const id = sha256(bytes);
  const seal = await readPart(root, SEAL, 1024);
  if (!seal.equals(Buffer.from(sealText(id)))) {
    const said = seal.toString("latin1").slice(0, 64);
    throw altered(root, MANIFEST, `has the hash ${id}, but ${SEAL} says ${JSON.stringify(said)}`);
  }
  const name = basename(root);
  if (ID.test(name) && name !== id) {
    throw altered(root, MANIFEST, `has the hash ${id}, but the bundle is named ${name}`);
  }
  return { id, manifest: parseManifest(root, bytes) };
}

function parseManifest(root: string, bytes: Buffer): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw altered(root, MANIFEST, `is not JSON (${messageOf(error)})`, error);
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw altered(root, MANIFEST, `is no manifest: ${firstIssue(parsed.error)}`);
  if (!bytes.equals(Buffer.from(canonicalJson(parsed.data)))) {
    throw altered(root, MANIFEST, "is not in canonical form");
  }
  return parsed.data;
}

function checkPaths(root: string, parts: readonly BundlePart[]): void {
  for (const [index, { path, sha256: hash }] of parts.entries()) {
    const shown = JSON.stringify(path.slice(0, 200));
    if (!isPartPath(path)) throw altered(root, MANIFEST, `lists ${shown}, which no bundle has`);
    const before = parts[index - 1];
    if (before !== undefined && before.path >= path) {
      throw altered(root, MANIFEST, `lists ${shown} twice or out of order`);
    }
    const blob = blobNameOf(path);
    if (blob !== undefined && blob !== hash) {
      throw altered(root, path, `is named ${blob} but listed with the hash ${hash}`);
    }
  }
  const listed = new Set(parts.map(({ path }) => path));
  const begun = [CAPTURE, STATE].filter((list) => list.some((path) => listed.has(path)));
  const lacking = [REQUIRED, ...begun].flat().find((path) => !listed.has(path));
  if (lacking !== undefined) throw altered(root, MANIFEST, `does not list ${lacking}`);
}

/** Every file is listed, every folder is on the way to a file, nothing is anything else. */
async function checkListing(
  root: string,
  parts: readonly BundlePart[],
  isSigned: boolean,
): Promise<void> {
  const heads = [MANIFEST, SEAL, ...(isSigned ? [SIGNATURE] : [])];
  const files = new Set([...heads, ...parts.map(({ path }) => path)]);
  const folders = new Set([...files].flatMap(foldersOf));
  for await (const entry of await opendir(root, { recursive: true })) {
    const path = pathOf(root, entry);
    if (entry.isDirectory() ? !folders.has(path) : !files.has(path)) {
      throw altered(root, JSON.stringify(path), "is not in the manifest");
    }
    if (!entry.isDirectory() && !entry.isFile()) throw altered(root, path, "is not a plain file");
    files.delete(path);
  }
  const [missing] = files;
  if (missing !== undefined) throw altered(root, missing, "is missing");
}

function pathOf(root: string, entry: Dirent): string {
  return relative(root, join(entry.parentPath, entry.name)).split(sep).join("/");
}

function foldersOf(path: string): string[] {
  const segments = path.split("/").slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** Its form only; whether it fits takes a key. Null if there is none. */
async function readSignature(root: string): Promise<Signature | null> {
  const there = await lstat(join(root, SIGNATURE)).catch(() => undefined);
  if (there === undefined) return null;
  const text = (await readPart(root, SIGNATURE, SIGNATURE_BYTES_MAX)).toString("utf8");
  const parsed = signatureSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw altered(root, SIGNATURE, "is no signature");
  if (text !== signatureText(parsed.data))
    throw altered(root, SIGNATURE, "is not in canonical form");
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function checkPart(root: string, part: BundlePart): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await using handle = await open(join(root, part.path), READ_ONLY);
    const { size } = await handle.stat();
    if (size !== part.bytes) throw wrongSize(root, part, size);
    const isSmall = size <= SMALL_BYTES;
    const chunks = isSmall
      ? [await handle.readFile()]
      : handle.createReadStream({ autoClose: false });
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    throw unreadable(root, part.path, error);
  }
  const found = hash.digest("hex");
  if (bytes !== part.bytes) throw wrongSize(root, part, bytes);
  if (found !== part.sha256) {
    throw altered(root, part.path, `has the hash ${found}; the manifest says ${part.sha256}`);
  }
}

function wrongSize(root: string, part: BundlePart, found: number): Fault {
  return altered(root, part.path, `has ${found} bytes; the manifest says ${part.bytes}`);
}

/** What the file system says of a file that is no plain one: missing, a link, a folder. */
const NOT_PLAIN: readonly unknown[] = ["ENOENT", "ELOOP", "EISDIR", "ENOTDIR", "ENXIO"];

function unreadable(root: string, path: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return error;
  if (NOT_PLAIN.includes(error.code)) {
    return altered(root, path, `cannot be read (${error.message})`, error);
  }
  const message = `bundle ${root}: ${path} cannot be read: ${error.message}`;
  return storeFault("bundle-unreadable", message, { cause: error, detail: { bundle: root } });
}
