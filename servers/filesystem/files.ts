import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ToolError } from "../kit/tool-error.ts";
import type { WorkspaceFiles } from "../kit/workspace-files.ts";
import { codeOf, inside, type Place, type Places, told } from "./places.ts";

const MIB = 2 ** 20;
const FILE_BYTES = 64 * MIB;
const NEW_MODE = 0o664;

export interface ReadFile {
  readonly place: Place;
  readonly bytes: Buffer;
  readonly stats: Stats;
}

/** Whole files below one folder: what is written is there whole or not at all. */
export class Files {
  readonly places: Places;
  readonly #workspace: WorkspaceFiles;

  constructor(places: Places, workspace: WorkspaceFiles) {
    this.places = places;
    this.#workspace = workspace;
  }

  async read(place: Place): Promise<ReadFile> {
    await using handle = await this.places.open(place.path);
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      throw new ToolError(`EISDIR: ${place.path}: it is a directory. Name a file in it.`);
    }
    if (!stats.isFile()) throw new ToolError(`${place.path} is no regular file.`);
    if (stats.size > FILE_BYTES) {
      const size = `${(stats.size / MIB).toFixed(1)} MiB`;
      throw new ToolError(
        `${place.path} has ${size}; this tool takes up to ${FILE_BYTES / MIB} MiB. ` +
          "Work on it with a program in the terminal.",
      );
    }
    return { place, bytes: await handle.readFile(), stats };
  }

  /** What is there itself: a path that was found has no link in it, unless one was put there just now. */
  async stats(path: string): Promise<Stats> {
    const isRoot = path === this.places.root;
    await using folder = await this.places.openFolder(isRoot ? path : dirname(path));
    return await lstat(inside(folder, isRoot ? "." : basename(path))).catch((error: unknown) => {
      throw told(error, path);
    });
  }

  /** A file's new bytes; its permissions stay. Where nothing is, its folder must be there. */
  async write(place: Place, bytes: Uint8Array): Promise<void> {
    const mode = place.exists ? (await this.#replaceable(place)).mode & 0o777 : undefined;
    const parent = dirname(place.path);
    await using folder = await this.places.openFolder(parent).catch((error: unknown) => {
      throw new ToolError(
        `Parent directory does not exist: ${parent}. Make it first with create_directory.`,
        { cause: error },
      );
    });
    const draft = inside(folder, `.${randomBytes(8).toString("hex")}.draft`);
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      await using handle = await open(draft, flags | constants.O_NOFOLLOW, NEW_MODE);
      await handle.writeFile(bytes);
      if (mode !== undefined) await handle.chmod(mode);
      await rename(draft, inside(folder, basename(place.path)));
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw told(error, place.path);
    }
  }

  /** Makes a folder and those above it that are missing. */
  async makeFolder(path: string): Promise<void> {
    const handle = await this.places.openFolder(path).catch((error: unknown) => {
      const isMissing = error instanceof ToolError && error.message.startsWith("ENOENT");
      if (!isMissing || path === this.places.root) throw error;
    });
    if (handle !== undefined) return await handle.close();
    await this.makeFolder(dirname(path));
    await using parent = await this.places.openFolder(dirname(path));
    await mkdir(inside(parent, basename(path)), 0o2775).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw told(error, path);
    });
  }

  /** Moves what is there itself, a link too, to where nothing is. */
  async move(source: Place, destination: Place): Promise<void> {
    if (!source.exists) {
      throw told(Object.assign(new Error(), { code: "ENOENT" }), source.path);
    }
    if (source.path === this.places.root) {
      throw new ToolError(`${source.path} is the workspace itself, which stays where it is.`);
    }
    await using from = await this.places.openFolder(dirname(source.path));
    await using to = await this.places.openFolder(dirname(destination.path));
    const target = inside(to, basename(destination.path));
    const isTaken = await lstat(target).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw told(error, destination.path);
        return false;
      },
    );
    if (isTaken) throw new ToolError(`Destination already exists: ${destination.path}`);
    await rename(inside(from, basename(source.path)), target).catch((error: unknown) => {
      throw told(error, source.path);
    });
  }

  /** One change of these files at a time, whichever server makes it. Paths as asked for. */
  async exclusively<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...rest] = [...new Set(paths)].sort();
    if (first === undefined) return await work();
    return await this.#workspace.exclusively(first, () => this.exclusively(rest, work));
  }

  async #replaceable(place: Place): Promise<Stats> {
    await using handle = await this.places.open(place.path);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new ToolError(`EISDIR: ${place.path}: it is a directory.`);
    if (!stats.isFile()) throw new ToolError(`${place.path} is no regular file.`);
    return stats;
  }
}
