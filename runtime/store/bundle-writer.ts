import { createReadStream } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { draftName, removeDraft } from "../base/draft.ts";
import { asFault, messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import type { Grade } from "../grading/grade.ts";
import { gradeBytes } from "../grading/grade-run.ts";
import type { BlobSource } from "../workspace/blob-source.ts";
import { diffSnapshots } from "../workspace/diff.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import type { GraderFile, StateSnapshots } from "./bundle.ts";
import {
  AFTER,
  BEFORE,
  CONTEXT,
  DIFF,
  EGRESS,
  EXPECTED,
  GRADE,
  INSTRUCTION,
  MANIFEST,
  SEAL,
  SIGNATURE,
  STATE_AFTER,
  STATE_BEFORE,
  STATE_DIFF,
  STEPS,
  sealText,
  TOML,
  WIRE,
} from "./bundle-layout.ts";
import { verifyFiles } from "./bundle-parts.ts";
import { openBundle } from "./bundle-reader.ts";
import { type EgressLine, egressBytes } from "./egress-lines.ts";
import { storeFault } from "./faults.ts";
import type { BundleFacts, BundlePart, Manifest, Marks } from "./manifest.ts";
import { criterionMarks } from "./marks.ts";
import { type Source, writeBlobs, writePart } from "./part-writer.ts";
import { type Signer, signatureText } from "./signature.ts";
import { lastLineHash } from "./step-lines.ts";
import { syncPath, syncTree } from "./sync-tree.ts";

/** Everything that goes into a bundle. Paths are files on this machine, read once. */
export interface BundleContents {
  readonly facts: BundleFacts;
  readonly stepsFile: string;
  readonly wireFile: string;
  /** Absent if it had no way out. */
  readonly egress?: readonly EgressLine[];
  readonly before: Snapshot;
  /** Absent, with the state, if the rollout ended before its workspace could be read. */
  readonly after?: Snapshot;
  /** Absent if the rollout's services keep no state. */
  readonly state?: StateSnapshots;
  /** grader.py and what it may import, by their path in the task's folder. */
  readonly graderFiles: readonly GraderFile[];
  readonly taskToml: Uint8Array;
  /** As the agent was shown it. */
  readonly instruction: string;
  readonly expected: Uint8Array;
  /** What the grader is told; as grading makes it. */
  readonly context: Json;
  /** Null if there is none that stands. */
  readonly grade: Grade | null;
  /** What servers wrote to stderr: files by server name. */
  readonly logs: Readonly<Record<string, string>>;
}

export interface WrittenBundle {
  /** The sha256 of its manifest. */
  readonly id: string;
  readonly path: string;
}

/**
 * Writes a bundle into `folder` (a data folder's `bundles`). It appears under its name at once,
 * complete and on the disk, or not at all. A bundle with the same content is kept as it is, but
 * gets the signer's signature if it has none of that key.
 * Rejects with `store/bundle-unwritten`, or a blob's own fault.
 */
export async function writeBundle(
  folder: string,
  contents: BundleContents,
  blobs: BlobSource,
  signer?: Signer,
): Promise<WrittenBundle> {
  const draft = join(folder, draftName());
  try {
    await mkdir(draft, { mode: 0o700 });
    const parts: BundlePart[] = [];
    for (const [path, source] of sources(contents)) {
      parts.push(await writePart(draft, path, source));
    }
    parts.push(...(await writeBlobs(draft, snapshotsOf(contents), blobs)));
    const marks = await marksOf(draft, contents.grade);
    const manifest = canonicalJson(manifestOf(contents.facts, parts, marks));
    const id = await writeHeads(draft, manifest, signer);
    await syncTree(draft);
    await requireOpens(draft);
    const path = await publish(draft, folder, id);
    if (signer) await requireSigned(folder, path, manifest, signer);
    return { id, path };
  } catch (error) {
    throw asFault(error, () => {
      const what = `the bundle of ${contents.facts.rollout} was not written`;
      return storeFault("bundle-unwritten", `${what}: ${messageOf(error)}`, { cause: error });
    });
  } finally {
    await removeDraft(draft);
  }
}

function sources(contents: BundleContents): Map<string, Source> {
  const { before, after, state, grade, egress } = contents;
  const all = new Map<string, Source>([
    [STEPS, () => createReadStream(contents.stepsFile)],
    [WIRE, () => createReadStream(contents.wireFile)],
    [BEFORE, canonical(before)],
    [EXPECTED, () => contents.expected],
    [CONTEXT, canonical(contents.context)],
  ]);
  if (after !== undefined) {
    all.set(AFTER, canonical(after));
    all.set(DIFF, canonical(diffSnapshots(before, after)));
  }
  if (egress !== undefined) all.set(EGRESS, () => egressBytes(egress));
  if (state !== undefined) {
    all.set(STATE_BEFORE, canonical(state.before));
    all.set(STATE_AFTER, canonical(state.after));
    all.set(STATE_DIFF, canonical(diffSnapshots(state.before, state.after)));
  }
  all.set(TOML, () => contents.taskToml);
  for (const { path, bytes } of contents.graderFiles) all.set(`task/${path}`, () => bytes);
  all.set(INSTRUCTION, () => Buffer.from(contents.instruction));
  if (grade !== null) all.set(GRADE, () => gradeBytes(grade));
  for (const [server, file] of Object.entries(contents.logs)) {
    all.set(`logs/${server}.stderr`, () => createReadStream(file));
  }
  return all;
}

function snapshotsOf({ before, after, state }: BundleContents): readonly Snapshot[] {
  const captured = after === undefined ? [] : [after];
  return [before, ...captured, ...(state ? [state.before, state.after] : [])];
}

function canonical(value: unknown): Source {
  return () => Buffer.from(canonicalJson(value));
}

async function marksOf(draft: string, grade: Grade | null): Promise<Marks> {
  return { criteria: criterionMarks(grade), lastStep: await lastLineHash(join(draft, STEPS)) };
}

function manifestOf(facts: BundleFacts, parts: BundlePart[], marks: Marks): Manifest {
  parts.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { schema: "cloche.bundle/1", ...facts, parts, marks };
}

async function writeHeads(draft: string, manifest: string, signer?: Signer): Promise<string> {
  const id = sha256(manifest);
  await writeFileSynced(join(draft, MANIFEST), manifest);
  await writeFileSynced(join(draft, SEAL), sealText(id));
  if (signer) await writeFileSynced(join(draft, SIGNATURE), signatureOf(manifest, signer));
  return id;
}

function signatureOf(manifest: string, signer: Signer): string {
  return signatureText(signer.sign(Buffer.from(manifest)));
}

/** One that was published before there was this key, by a process that died, say. */
async function requireSigned(
  folder: string,
  path: string,
  manifest: string,
  signer: Signer,
): Promise<void> {
  const { signature } = await verifyFiles(path);
  if (signature?.key === signer.key) return;
  const draft = join(folder, draftName());
  await writeFileSynced(draft, signatureOf(manifest, signer));
  await chmod(path, 0o700);
  await rename(draft, join(path, SIGNATURE));
  await syncPath(path);
  await chmod(path, 0o555);
}

async function writeFileSynced(path: string, text: string): Promise<void> {
  await using handle = await open(path, "wx", 0o444);
  await handle.writeFile(text);
  await handle.sync();
}

/** What nobody could open later is refused now. */
async function requireOpens(draft: string): Promise<void> {
  try {
    await openBundle(draft);
  } catch (error) {
    throw new Error(`what it was to hold does not fit together: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function publish(draft: string, folder: string, id: string): Promise<string> {
  const path = join(folder, id);
  // Another process may have published the same content: then ours goes, once theirs is checked.
  if (await exists(path)) return (await openBundle(path)).path;
  try {
    await rename(draft, path);
  } catch (error) {
    if (!(await exists(path))) throw error;
    return (await openBundle(path)).path;
  }
  await syncPath(folder);
  await makeReadOnly(path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Against mistakes, not against malice: the hashes are what protects a bundle. */
async function makeReadOnly(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries.filter((entry) => entry.isDirectory())) {
    await chmod(join(parentPath, name), 0o555);
  }
  await chmod(root, 0o555);
}
