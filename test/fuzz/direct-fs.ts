import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const PIECE = 777;

/**
 * From here on this process's calls of `node:fs/promises` that the parsers make are made at once.
 * They are the same calls of the system; Node's own go through a pool of threads, which is ten times
 * slower than all that the parsers do.
 */
export function useFilesDirectly(): void {
  Object.assign(fs.promises, {
    lstat: async (path: string) => fs.lstatSync(path),
    stat: async (path: string) => fs.statSync(path),
    mkdir: async (path: string, options: fs.MakeDirectoryOptions = {}) =>
      fs.mkdirSync(path, options),
    rename: async (from: string, to: string) => fs.renameSync(from, to),
    unlink: async (path: string) => fs.unlinkSync(path),
    open: async (path: string, flags: string | number, mode?: number) =>
      new DirectHandle(fs.openSync(path, flags, mode)),
    opendir: async (root: string) =>
      inTurn(fs.readdirSync(root, { recursive: true, withFileTypes: true })),
  });
  Object.assign(fs, { createReadStream: (path: string) => readPieces(fs.readFileSync(path)) });
  syncBuiltinESMExports();
}

/** Small pieces, so that what stands in a file falls into several of them. */
async function* readPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

async function* inTurn<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

class DirectHandle implements AsyncDisposable {
  readonly #fd: number;
  #isOpen = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async stat() {
    return fs.fstatSync(this.#fd);
  }

  async readFile() {
    return fs.readFileSync(this.#fd);
  }

  async read(buffer: Buffer) {
    return { bytesRead: fs.readSync(this.#fd, buffer), buffer };
  }

  async writeFile(content: Buffer | string) {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#fd, bytes, at);
  }

  async sync() {}

  createReadStream() {
    return readPieces(fs.readFileSync(this.#fd));
  }

  async close() {
    if (this.#isOpen) fs.closeSync(this.#fd);
    this.#isOpen = false;
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}
