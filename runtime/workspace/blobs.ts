import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { Fault, messageOf } from "../base/fault.ts";
import { sha256 as hashOf } from "../base/hash.ts";
import { BlobMemory } from "./blob-source.ts";
import { workspaceFault } from "./faults.ts";
import type { FileThread } from "./file-thread.ts";

export interface Blob {
  readonly sha256: string;
  readonly size: number;
}

export interface PutOptions {
  /** Default: no bound. */
  readonly maxBytes?: number;
  /** Whether the content is on the disk when `put` resolves. Default false: see `sync`. */
  readonly fsync?: boolean;
}

/**
 * A folder of contents, each under its sha256: `<folder>/<first two letters>/<sha256>`. The same
 * content is kept once. Files are readable by their owner alone and never executable. Nothing in
 * the folder is trusted when it is read: links are not followed and the hash is checked.
 */
export class BlobFolder {
  readonly path: string;
  readonly #made = new Set<string>();
  readonly #here = new Set<string>();
  readonly #unsynced = new Set<string>();

  readonly #mode: number;
  readonly #isGiven: boolean;
  readonly #memory: BlobMemory | undefined;

  /**
   * The folder is made with the first blob. `given`: all of it is to become somebody else's, who may
   * link to its files; nobody writes into them any more, so they are as a bundle's are. Small ones are
   * remembered, as they are read again soon.
   */
  constructor(path: string, { given = false } = {}) {
    this.path = path;
    this.#isGiven = given;
    this.#mode = given ? 0o444 : 0o600;
    this.#memory = given ? new BlobMemory(REMEMBERED_BYTES) : undefined;
  }

  giveable(sha256: string): string | undefined {
    return this.#isGiven ? this.#fileOf(sha256) : undefined;
  }

  /**
   * Keeps content. It appears under its name only when it is whole.
   * @throws Fault workspace/blob-too-large, workspace/blob-unwritten; errors of the stream as they
   * are. Then nothing is left behind.
   */
  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<Blob> {
    const { maxBytes = Number.POSITIVE_INFINITY, fsync = false } = options;
    const blob =
      content instanceof Uint8Array
        ? await this.#putBytes(content, maxBytes)
        : await this.#putStream(content, maxBytes);
    if (fsync) await this.#syncAll([blob.sha256]);
    return blob;
  }

  /**
   * Keeps small contents, by their sha256, all at once.
   * @throws Fault workspace/blob-unwritten
   */
  async putBatch(contents: ReadonlyMap<string, Uint8Array>, thread: FileThread): Promise<void> {
    const fresh = [...contents].filter(([sha256]) => !this.#here.has(sha256));
    const files = fresh.map(([sha256, { length: size }]) => ({ path: this.#fileOf(sha256), size }));
    for (const { path } of files) await this.#makeFolder(dirname(path));
    const bytes = Buffer.concat(fresh.map(([, content]) => content));
    const job = { kind: "write", mode: this.#mode, files, bytes: new Uint8Array(bytes) } as const;
    const { failed } = await writing(() => thread.run(job));
    if (failed !== undefined) await writing(() => Promise.reject(new Error(failed)));
    for (const [sha256, content] of fresh) {
      this.#here.add(sha256);
      this.#unsynced.add(sha256);
      this.#remember(sha256, content);
    }
  }

  /** A small content that was put lately, if it is to be read soon. */
  known(sha256: string): Buffer | undefined {
    return this.#memory?.get(sha256);
  }

  /**
   * The content as a stream, which ends with `workspace/blob-broken` if it was not what its name
   * says, and with `workspace/blob-missing` if it is not there.
   * @throws Fault workspace/blob-name-invalid
   */
  read(sha256: string): Readable {
    return Readable.from(this.#chunks(sha256, this.#fileOf(sha256)), { objectMode: false });
  }

  /**
   * The whole content, at most `maxBytes` of it.
   * @throws Fault workspace/blob-name-invalid, -missing, -broken, -too-large
   */
  async bytes(sha256: string, maxBytes: number): Promise<Buffer> {
    const file = this.#fileOf(sha256);
    await using handle = await this.#open(sha256, file);
    const { size } = await handle.stat();
    if (size > maxBytes) throw tooLarge(`blob ${sha256}`, maxBytes);
    const bytes = await handle.readFile();
    if (hashOf(bytes) !== sha256) throw broken(sha256);
    return bytes;
  }

  /** Whether there is content of this name; says nothing about whether it is sound. */
  async has(sha256: string): Promise<boolean> {
    return (await this.#sizeOf(this.#fileOf(sha256))) !== undefined;
  }

  /**
   * Reads the content to its end and says its size.
   * @throws Fault workspace/blob-name-invalid, -missing, -broken
   */
  async verify(sha256: string): Promise<Blob> {
    let size = 0;
    for await (const chunk of this.#chunks(sha256, this.#fileOf(sha256))) size += chunk.length;
    return { sha256, size };
  }

  /** Puts everything that was kept since the last call on the disk, names included. */
  async sync(): Promise<void> {
    const names = [...this.#unsynced];
    await this.#syncAll(names);
  }

  async #putBytes(bytes: Uint8Array, maxBytes: number): Promise<Blob> {
    if (bytes.length > maxBytes) throw tooLarge("content", maxBytes);
    const blob = { sha256: hashOf(bytes), size: bytes.length };
    this.#remember(blob.sha256, bytes);
    if (await this.#holds(blob)) return blob;
    await using temporary = await this.#temporary(dirname(this.#fileOf(blob.sha256)));
    await writing(() => temporary.handle.writeFile(bytes));
    await this.#keep(temporary, blob);
    return blob;
  }

  #remember(sha256: string, bytes: Uint8Array): void {
    if (bytes.length <= REMEMBERED_EACH) this.#memory?.set(sha256, Buffer.from(bytes));
  }

  async #putStream(content: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Blob> {
    await using temporary = await this.#temporary(this.path);
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of content) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge("content", maxBytes);
      hash.update(chunk);
      await writing(() => temporary.handle.writeFile(chunk));
    }
    const blob = { sha256: hash.digest("hex"), size };
    if (!(await this.#holds(blob))) await this.#keep(temporary, blob);
    return blob;
  }

  /** A file of the wrong size is what a crash of the machine left: it is written again. */
  async #holds({ sha256, size }: Blob): Promise<boolean> {
    if (!this.#here.has(sha256)) {
      if ((await this.#sizeOf(this.#fileOf(sha256))) !== size) return false;
      this.#here.add(sha256);
    }
    return true;
  }

  async #keep(temporary: Temporary, { sha256 }: Blob): Promise<void> {
    const file = this.#fileOf(sha256);
    await this.#makeFolder(dirname(file));
    await writing(() => rename(temporary.path, file));
    temporary.kept = true;
    this.#here.add(sha256);
    this.#unsynced.add(sha256);
  }

  async #temporary(folder: string): Promise<Temporary> {
    await this.#makeFolder(folder);
    const path = join(folder, `.new-${randomBytes(9).toString("hex")}`);
    return new Temporary(path, await writing(() => open(path, "wx", this.#mode)));
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await writing(() => mkdir(folder, { recursive: true, mode: 0o700 }));
    this.#made.add(folder);
  }

  async #syncAll(names: readonly string[]): Promise<void> {
    const files = names.map((name) => this.#fileOf(name));
    const folders = new Set(files.map(dirname));
    if (folders.size > 0) folders.add(this.path);
    for (const path of [...files, ...folders]) await writing(() => syncPath(path));
    for (const name of names) this.#unsynced.delete(name);
  }

  async *#chunks(sha256: string, file: string): AsyncGenerator<Buffer> {
    await using handle = await this.#open(sha256, file);
    const hash = createHash("sha256");
    const { size } = await handle.stat();
    for (let left = size; left > 0; ) {
      const piece = Buffer.allocUnsafe(Math.min(CHUNK, left));
      const { bytesRead } = await handle.read(piece);
      if (bytesRead === 0) break;
      left -= bytesRead;
      hash.update(piece.subarray(0, bytesRead));
      yield piece.subarray(0, bytesRead);
    }
    if (hash.digest("hex") !== sha256) throw broken(sha256);
  }

  /** A folder that came from elsewhere may hold links and pipes; neither is opened. */
  async #open(sha256: string, file: string): Promise<FileHandle> {
    try {
      const folder = await lstat(dirname(file));
      if (!folder.isDirectory()) throw broken(sha256);
      const handle = await open(file, READ_ONLY);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
      throw broken(sha256);
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (codeOf(error) === "ELOOP") throw broken(sha256, error);
      const message = `blob ${sha256} can't be read from ${this.path}: ${messageOf(error)}`;
      throw workspaceFault("blob-missing", message, { cause: error, detail: { sha256 } });
    }
  }

  async #sizeOf(file: string): Promise<number | undefined> {
    try {
      const found = await lstat(file);
      return found.isFile() ? found.size : undefined;
    } catch {
      return undefined;
    }
  }

  #fileOf(sha256: string): string {
    if (!SHA256.test(sha256)) {
      const message = `${JSON.stringify(String(sha256).slice(0, 80))} is no sha256: a blob's name`;
      throw workspaceFault("blob-name-invalid", `${message} is 64 lower-case hexadecimal letters`);
    }
    return join(this.path, sha256.slice(0, 2), sha256);
  }
}

const CHUNK = 256 * 1024;
const REMEMBERED_BYTES = 4 * 1024 * 1024;
const REMEMBERED_EACH = 4 * 1024;
const SHA256 = /^[0-9a-f]{64}$/;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

class Temporary implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  kept = false;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close().catch(() => {});
    if (!this.kept) await unlink(this.path).catch(() => {});
  }
}

async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, constants.O_RDONLY);
  await handle.sync();
}

async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = `can't write into the folder of blobs: ${messageOf(error)}`;
    throw workspaceFault("blob-unwritten", message, { cause: error });
  }
}

function tooLarge(what: string, maxBytes: number): Fault {
  return workspaceFault("blob-too-large", `${what} is larger than ${maxBytes} bytes`);
}

function broken(sha256: string, cause?: unknown): Fault {
  const message = `blob ${sha256} is not what its name says; the folder was damaged or changed`;
  return workspaceFault("blob-broken", message, { cause, detail: { sha256 } });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
