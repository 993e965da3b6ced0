import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, readdir, readlink, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { ToolError } from "../kit/tool-error.ts";

/** What a path of a caller's leads to. */
export interface Place {
  /** As asked for, for answers. */
  readonly asked: string;
  /** Absolute, without links, as far as it is there. */
  readonly path: string;
  /** Whether anything is there. */
  readonly exists: boolean;
}

/**
 * Paths below one folder. A path is looked at twice: by what it says, then by where what was opened
 * really lies (`/proc/self/fd`), since the agent's programs can swap a folder for a link in between.
 */
export class Places {
  readonly root: string;

  /** `root`: absolute, without links in it. */
  constructor(root: string) {
    this.root = root;
  }

  /** Follows links that stay inside. @throws ToolError for what leads outside or nowhere */
  async find(asked: string): Promise<Place> {
    const absolute = this.#absolute(asked);
    try {
      return { asked, path: this.#requireInside(await realpath(absolute)), exists: true };
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw told(error, absolute);
      return await this.#walked(asked, absolute);
    }
  }

  /** As `find`, but what a link leads to is not looked at: the place is the link. */
  async findItself(asked: string): Promise<Place> {
    const absolute = this.#absolute(asked);
    if (absolute === this.root) return { asked, path: absolute, exists: true };
    const folder = await this.find(dirname(absolute));
    if (!folder.exists) throw new ToolError(`Parent directory does not exist: ${folder.path}`);
    const path = join(folder.path, basename(absolute));
    await using handle = await this.openFolder(folder.path);
    const names = await readdir(inside(handle));
    const name = equivalent(names, basename(absolute));
    return {
      asked,
      path: name === undefined ? path : join(folder.path, name),
      exists: name !== undefined,
    };
  }

  /** The handle of a folder that lies inside. @throws ToolError */
  async openFolder(path: string): Promise<FileHandle> {
    return await this.#open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** The handle of anything that lies inside, for reading; a pipe does not hold it up. */
  async open(path: string): Promise<FileHandle> {
    return await this.#open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** What is in a folder, sorted by name. */
  async list(path: string): Promise<readonly Dirent[]> {
    await using handle = await this.openFolder(path);
    const entries = await readdir(inside(handle), { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #open(path: string, flags: number): Promise<FileHandle> {
    const handle = await open(path, flags).catch((error: unknown) => {
      throw told(error, path);
    });
    try {
      this.#requireInside(await readlink(inside(handle)));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #absolute(asked: string): string {
    if (asked.includes("\0")) throw new ToolError("A path cannot hold a NUL.");
    const isHome = asked === "~" || asked.startsWith("~/");
    const path = isHome ? join(homedir(), asked.slice(1)) : asked;
    if (/^[A-Za-z]:(?:[\\/]|$)/.test(path)) {
      throw new ToolError(
        `Access denied - Windows-style path received on a POSIX host: ${asked}. ` +
          `Use a path such as ${this.root}/notes.txt.`,
      );
    }
    const absolute = isAbsolute(path) ? resolve(path) : resolve(this.root, path);
    if (this.#isInside(absolute)) return absolute;
    throw new ToolError(
      `Access denied - path outside allowed directories: ${absolute} not in ${this.root}`,
    );
  }

  /**
   * Where nothing is: as much of the path as is there, then the rest as asked for. A name counts as
   * there if it is written with other code points of the same letters (NFC, NFD).
   */
  async #walked(asked: string, absolute: string): Promise<Place> {
    let current = this.root;
    const parts = absolute.slice(this.root.length + 1).split("/");
    for (const [at, part] of parts.entries()) {
      const names = await this.list(current);
      const name = equivalent(
        names.map((one) => one.name),
        part,
      );
      if (name === undefined) {
        return { asked, path: join(current, ...parts.slice(at)), exists: false };
      }
      const next = await realpath(join(current, name)).catch((error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw told(error, join(current, name));
        throw new ToolError(`${join(current, name)} is a link to something that is not there.`);
      });
      current = this.#requireInside(next);
    }
    return { asked, path: current, exists: true };
  }

  #isInside(path: string): boolean {
    return path === this.root || path.startsWith(`${this.root}/`);
  }

  #requireInside(path: string): string {
    if (this.#isInside(path)) return path;
    throw new ToolError(
      `Access denied - symlink target outside allowed directories: ${path} not in ${this.root}`,
    );
  }
}

/** A name below what a handle holds, whatever its path leads to by now. */
export function inside({ fd }: FileHandle, name?: string): string {
  return name === undefined ? `/proc/self/fd/${fd}` : `/proc/self/fd/${fd}/${name}`;
}

function equivalent(names: readonly string[], asked: string): string | undefined {
  if (names.includes(asked)) return asked;
  const same = names.filter((name) => name.normalize("NFC") === asked.normalize("NFC"));
  if (same.length > 1) throw new ToolError(`Ambiguous Unicode path component: ${asked}`);
  return same[0];
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

const TOLD: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory. List the folder to see what is there",
  ENOTDIR: "a part of the path is a file, not a directory",
  EISDIR: "it is a directory",
  EACCES: "permission denied. Change its permissions with chmod in the terminal",
  EPERM: "the operation is not permitted",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the workspace is full. Remove what is not needed",
  EFBIG: "it would be larger than a file may be here",
  EMFILE: "too many files are open; try again",
  ENXIO: "it is no regular file",
  ENOTEMPTY: "the directory is not empty",
  EINVAL: "a directory cannot be moved into itself",
  EXDEV: "it lies on another file system",
};

/** An error of the file system in words, with its code in front; another error as it is. */
export function told(error: unknown, path: string): unknown {
  if (error instanceof ToolError) return error;
  const code = codeOf(error) ?? "";
  const why = TOLD[code];
  return why === undefined ? error : new ToolError(`${code}: ${path}: ${why}.`);
}
