/** The thread of file-thread.ts. */
import { hash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { parentPort } from "node:worker_threads";

/** Contents as files, each whole under its name; one that has its size already is left. */
export interface WriteJob {
  readonly kind: "write";
  readonly mode: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** One content after the other; given away. */
  readonly bytes: Uint8Array;
}

export interface LinkJob {
  readonly kind: "link";
  readonly pairs: readonly (readonly [from: string, to: string])[];
}

export interface HashJob {
  readonly kind: "hash";
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export type FileJob = WriteJob | LinkJob | HashJob;

export type Answer<Job extends FileJob> = Job extends WriteJob
  ? { /** Why the first that failed did. */ readonly failed?: string }
  : Job extends LinkJob
    ? { readonly linked: readonly boolean[] }
    : {
        /** Null for what is no plain file of that size. */ readonly hashes: readonly (
          | string
          | null
        )[];
      };

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

parentPort?.on("message", (job: FileJob) => {
  if (job.kind === "write") parentPort?.postMessage(write(job));
  else if (job.kind === "link") parentPort?.postMessage({ linked: job.pairs.map(isLinked) });
  else parentPort?.postMessage({ hashes: job.files.map(hashOf) });
});

function write({ files, bytes, mode }: WriteJob): Answer<WriteJob> {
  let from = 0;
  try {
    for (const { path, size } of files) {
      writeOne(path, bytes.subarray(from, from + size), mode);
      from += size;
    }
    return {};
  } catch (error) {
    return { failed: String(error) };
  }
}

/** A file of the wrong size is what a crash left: it is written again. */
function writeOne(path: string, bytes: Uint8Array, mode: number): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isFile() && there.size === bytes.length) return;
  const draft = `${path}.new`;
  const file = openSync(draft, "w", mode);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** What is not there, lies on another file system, or on one without links, is not linked. */
function isLinked([from, to]: readonly [string, string]): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function hashOf({ path, size }: HashJob["files"][number]): string | null {
  let file: number | undefined;
  try {
    file = openSync(path, READ_ONLY);
    const found = fstatSync(file);
    if (!found.isFile() || found.size !== size) return null;
    const bytes = readFileSync(file);
    return bytes.length === size ? hash("sha256", bytes, "hex") : null;
  } catch {
    return null;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
