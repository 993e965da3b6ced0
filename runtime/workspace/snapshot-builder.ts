import type { Fault } from "../base/fault.ts";
import { comparePaths, parentOf, pathProblem, shown } from "./entry-path.ts";
import type { SkippedEntry, Snapshot, SnapshotEntry } from "./snapshot.ts";

/** How much may be captured or read from a folder of fixtures. */
export interface SnapshotLimits {
  /** Sum of the sizes of all files. */
  readonly bytes: number;
  readonly files: number;
  /** Files, directories, links and what is skipped. Default: as many as `files`. */
  readonly entries?: number;
  /**
   * Bytes of one path as UTF-8. Default, and at most whatever is given, `MAX_PATH_BYTES`: an engine's archive
   * leaves out without a word what lies deeper than a path can say (some 4,096 bytes). Whatever is
   * left out has an ancestor that is still there and longer than this bound, so a capture that
   * passes it has not been cut in that way.
   */
  readonly pathBytes?: number;
  /** Segments of one path. Default 200. */
  readonly depth?: number;
}

/** 4,096 less a name of 255 bytes and some 340 for the place where an engine keeps the workspace. */
const MAX_PATH_BYTES = 3500;

/** Whose words a builder's faults are in. */
export interface BuilderFaults {
  readonly refused: (message: string) => Fault;
  readonly tooLarge: (message: string) => Fault;
}

/** Collects entries in any order into a Snapshot, within limits. */
export class SnapshotBuilder {
  readonly #limits: Required<SnapshotLimits>;
  readonly #faults: BuilderFaults;
  readonly #entries = new Map<string, SnapshotEntry>();
  readonly #skipped: SkippedEntry[] = [];
  readonly #skippedNames = new Set<string>();
  #count = 0;
  #files = 0;
  #bytes = 0;

  constructor(limits: SnapshotLimits, faults: BuilderFaults) {
    const { bytes, files, entries = files, pathBytes = MAX_PATH_BYTES, depth = 200 } = limits;
    const bounded = Math.min(pathBytes, MAX_PATH_BYTES);
    this.#limits = { bytes, files, entries, pathBytes: bounded, depth };
    this.#faults = faults;
  }

  /** Entries so far, skipped ones included. */
  get count(): number {
    return this.#count;
  }

  /** @throws the builder's faults: a path that no snapshot has, twice the same one, too large. */
  add(entry: SnapshotEntry): void {
    const problem = pathProblem(entry.path);
    if (problem) throw this.#faults.refused(`the name ${shown(entry.path)} ${problem}`);
    if (this.#entries.has(entry.path)) {
      throw this.#faults.refused(`${shown(entry.path)} is there twice`);
    }
    this.#admit(entry.path, Buffer.byteLength(entry.path));
    if (entry.type === "file") {
      this.checkRoom(entry.path, entry.size);
      this.#files += 1;
      this.#bytes += entry.size;
    }
    this.#entries.set(entry.path, entry);
  }

  /**
   * Notes what a snapshot can't hold; `pathBytes` is the length of its real name, and `name` that
   * name if text can hold it: then nothing may lie below it, as it is no directory.
   */
  skip(entry: SkippedEntry, pathBytes: number, name?: string): void {
    this.#admit(entry.path, pathBytes);
    this.#skipped.push(entry);
    if (name !== undefined) this.#skippedNames.add(name);
  }

  /** Whether a file of this size may be added; asked before its content is read. */
  checkRoom(path: string, size: number): void {
    const { bytes, files } = this.#limits;
    if (this.#files + 1 > files) {
      throw this.#faults.tooLarge(`more than ${files} files, ${shown(path)} the first too many`);
    }
    if (this.#bytes + size > bytes) {
      throw this.#faults.tooLarge(
        `more than ${bytes} bytes in files, ${shown(path)} (${size}) over`,
      );
    }
  }

  /** The snapshot: sorted, and with the directories that were only implied. */
  finish(): Snapshot {
    for (const path of [...this.#entries.keys()]) this.#provideParents(path);
    return {
      schema: "cloche.snapshot/1",
      entries: [...this.#entries.values()].sort((a, b) => comparePaths(a.path, b.path)),
      bytes: this.#bytes,
      skipped: this.#skipped.sort((a, b) => comparePaths(a.path, b.path)),
    };
  }

  #admit(path: string, pathBytes: number): void {
    const { entries, pathBytes: maxPathBytes, depth } = this.#limits;
    this.#count += 1;
    if (this.#count > entries) throw this.#faults.tooLarge(`more than ${entries} entries`);
    if (pathBytes > maxPathBytes) {
      const message = `the path ${shown(path)} has ${pathBytes} bytes, over ${maxPathBytes}`;
      throw this.#faults.tooLarge(message);
    }
    if (path.split("/").length > depth) {
      throw this.#faults.tooLarge(`${shown(path)} is nested deeper than ${depth}`);
    }
  }

  #provideParents(path: string): void {
    for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
      const found = this.#entries.get(parent);
      if (found?.type === "directory") return;
      if (found || this.#skippedNames.has(parent))
        throw this.#faults.refused(`${shown(parent)} is no directory but holds ${shown(path)}`);
      this.add({ type: "directory", path: parent, mode: 0o775 });
    }
  }
}
