import { constants } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { basename, dirname, normalize, posix } from "node:path";
import { ToolError } from "./tool-error.ts";

export interface WorkspaceFile {
  /** As asked for, relative to the workspace, without "." and "..". */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface ReadLimits {
  /** Default 32 MiB. */
  readonly maxBytes?: number;
}

const MIB = 1024 * 1024;

/**
 * Files of the workspace for servers that hold more rights than who calls them. The agent's
 * programs can swap a file for a link at any moment, so no path is trusted after it was looked at:
 * what was opened is asked where it really lies (`/proc/self/fd`), and refused outside.
 * All methods throw `ToolError` for what the caller can mend.
 */
export class WorkspaceFiles {
  readonly root: string;
  readonly #busy = new Map<string, Promise<void>>();
  #drafts = 0;

  /** `root`: absolute, without links in it. */
  constructor(root: string) {
    this.root = root;
  }

  /** Relative path of what a caller named: "a/b", "./a/b" and "/workspace/a/b" are the same. */
  relative(asked: string): string {
    if (asked === "" || asked.includes("\0")) throw new ToolError("Give the path of a file.");
    const absolute = posix.isAbsolute(asked) ? asked : `${this.root}/${asked}`;
    const path = normalize(absolute);
    if (path === this.root) return "";
    if (path.startsWith(`${this.root}/`)) return path.slice(this.root.length + 1);
    throw new ToolError(
      `${asked} is outside the workspace. Use a path inside ${this.root}, such as reports/june.xlsx.`,
    );
  }

  /** The whole file. */
  async read(asked: string, { maxBytes = 32 * MIB }: ReadLimits = {}): Promise<WorkspaceFile> {
    const path = this.relative(asked);
    await using handle = await this.#open(path);
    const { size } = await handle.stat();
    if (size > maxBytes) throw tooLarge(path, size, maxBytes);
    const bytes = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return { path, bytes: bytes.subarray(0, filled) };
  }

  /** Whether there is a regular file of this name. */
  async has(asked: string): Promise<boolean> {
    const path = this.relative(asked);
    try {
      await using _ = await this.#open(path);
      return true;
    } catch (error) {
      if (error instanceof ToolError) return false;
      throw error;
    }
  }

  /**
   * Puts the file there whole or not at all: written beside it, then renamed. Makes folders that
   * are missing. With `overwrite: false` an existing file is refused.
   */
  async write(
    asked: string,
    bytes: Uint8Array,
    { overwrite = true }: { readonly overwrite?: boolean } = {},
  ): Promise<string> {
    const path = this.relative(asked);
    if (path === "" || asked.endsWith("/")) throw new ToolError(`${asked} is a folder.`);
    if (!overwrite && (await this.has(path))) {
      throw new ToolError(`${path} is there already. Choose another name, or allow overwriting.`);
    }
    await using folder = await this.#openFolder(dirname(path), true);
    const name = basename(path);
    const place = `/proc/self/fd/${folder.fd}`;
    const found = await stat(`${place}/${name}`).catch(() => undefined);
    if (found?.isDirectory()) throw new ToolError(`${path} is a folder.`);
    const draft = `${place}/.${this.#drafts++}.${process.pid}.draft`;
    try {
      await rm(draft, { force: true });
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      await using handle = await open(draft, flags | constants.O_NOFOLLOW, 0o664);
      await handle.writeFile(bytes);
      await rename(draft, `${place}/${name}`);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw spoken(error, path, "written");
    }
    return path;
  }

  /**
   * One edit of a file at a time: what `edit` reads is what its write replaces, whatever other
   * calls do. (The agent's own programs are not held back.)
   */
  async exclusively<T>(asked: string, edit: (path: string) => Promise<T>): Promise<T> {
    const path = this.relative(asked);
    const place = await this.#place(path);
    const before = this.#busy.get(place) ?? Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = before.then(() => promise);
    this.#busy.set(place, mine);
    await before;
    try {
      return await edit(path);
    } finally {
      resolve();
      if (this.#busy.get(place) === mine) this.#busy.delete(place);
    }
  }

  /** One file has one place, whichever links lead to it. */
  async #place(path: string): Promise<string> {
    const absolute = `${this.root}/${path}`;
    const real = await realpath(absolute).catch(() => undefined);
    if (real !== undefined || path === "") return real ?? absolute;
    const folder = dirname(path) === "." ? "" : dirname(path);
    return `${await this.#place(folder)}/${basename(path)}`;
  }

  async #open(path: string): Promise<FileHandle> {
    if (path === "") throw new ToolError("That is the workspace itself. Name a file in it.");
    // A pipe must not hold the call up for ever.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const handle = await open(`${this.root}/${path}`, flags).catch((error: unknown) => {
      throw spoken(error, path, "read");
    });
    try {
      await this.#requireInside(handle, path);
      const found = await handle.stat();
      if (found.isDirectory()) throw new ToolError(`${path} is a folder. Name a file in it.`);
      if (!found.isFile()) throw new ToolError(`${path} is no regular file.`);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #openFolder(path: string, make: boolean): Promise<FileHandle> {
    const absolute = path === "." || path === "" ? this.root : `${this.root}/${path}`;
    try {
      const flags = constants.O_RDONLY | constants.O_DIRECTORY;
      const handle = await open(absolute, flags);
      try {
        await this.#requireInside(handle, path);
        return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (!make || code !== "ENOENT" || absolute === this.root) throw spoken(error, path, "opened");
    }
    await using parent = await this.#openFolder(dirname(path), true);
    await mkdir(`/proc/self/fd/${parent.fd}/${basename(path)}`, 0o2775).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw spoken(error, path, "made");
    });
    return await this.#openFolder(path, false);
  }

  async #requireInside(handle: FileHandle, path: string): Promise<void> {
    const real = await readlink(`/proc/self/fd/${handle.fd}`);
    if (real === this.root || real.startsWith(`${this.root}/`)) return;
    throw new ToolError(`${path} leads out of the workspace by a link; that is not followed.`);
  }
}

function tooLarge(path: string, size: number, most: number): ToolError {
  const inMb = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  return new ToolError(
    `${path} has ${inMb(size)}; this tool takes files up to ${inMb(most)}. ` +
      "Split it, or work on it with a program in the terminal.",
  );
}

const SAID: Readonly<Record<string, string>> = {
  ENOENT: "it is not there. List the folder to see what is",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder",
  EACCES: "its permissions forbid it. Change them with chmod in the terminal",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  ENOSPC: "the workspace is full. Remove what is not needed",
  EFBIG: "it would be larger than a file may be here",
  EMFILE: "too many files are open; try again",
  ENXIO: "it is no regular file",
};

function spoken(error: unknown, path: string, done: string): unknown {
  if (error instanceof ToolError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const why = SAID[code];
  return why === undefined ? error : new ToolError(`${path} could not be ${done}: ${why}.`);
}
