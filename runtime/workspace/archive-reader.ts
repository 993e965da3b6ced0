import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { asFault, type Fault } from "../base/fault.ts";
import type { Blob, BlobFolder } from "./blobs.ts";
import { pathProblem, shown } from "./entry-path.ts";
import { workspaceFault } from "./faults.ts";
import { SmallContents } from "./small-contents.ts";
import type { SkippedEntry, Snapshot } from "./snapshot.ts";
import { type BuilderFaults, SnapshotBuilder, type SnapshotLimits } from "./snapshot-builder.ts";
import type { TarHeader } from "./tar-format.ts";
import { archiveProblem, TarReader } from "./tar-reader.ts";

export interface CaptureOptions {
  /**
   * The name of the archive's own root entry: "." where an engine sends "./", "./a"; "workspace"
   * where it sends "workspace/", "workspace/a". It must come first; the other names are below it.
   * Default: there is none and names stand as they are.
   */
  readonly root?: string;
  /**
   * What is known of the workspace from elsewhere. `entries` counts names: the root, files,
   * directories, links, pipes and devices; each name of a hard link counts, sockets do not, as
   * no archive has them. A tmpfs counts names itself: `stat -f -c '%c %d' <its mount point>`
   * prints total and free, their difference is the count. Take it when nothing runs any more, and
   * subtract sockets; user-defined extended attributes take from the same count, so it may say
   * more than there are. Default: not compared.
   */
  readonly expected?: { readonly entries: number };
  /** What it is, for messages. Default "workspace". */
  readonly what?: string;
}

/**
 * Reads a workspace from an engine's tar stream: contents go into `blobs`, nothing is extracted,
 * no link is followed, no name becomes a path on this machine. The result is the whole workspace
 * or a Fault, never a smaller one: what a Snapshot can't hold is listed in `skipped`.
 *
 * A further name of a file (a hard link) becomes a file of its own. setuid, setgid and sticky bits,
 * owners and times are dropped. Holds a few small files or one chunk at a time. The stream is destroyed
 * when this settles.
 * @throws Fault workspace/archive-broken (cut short, corrupt, the stream failed), -capture-refused,
 * -capture-too-large, -capture-incomplete; a Fault that the stream fails with, as it is
 */
export async function captureArchive(
  tar: Readable,
  blobs: BlobFolder,
  limits: SnapshotLimits,
  options: CaptureOptions = {},
): Promise<Snapshot> {
  tar.on("error", () => {}); // The iterator reports it; after the last read nobody would.
  const reader = new TarReader(tar);
  const { what = "workspace" } = options;
  const capture = new Capture(reader, blobs, limits, { what, root: options.root });
  try {
    return await capture.run(options.expected?.entries);
  } catch (error) {
    throw asFault(error, (cause) => {
      const message = `the archive of the ${what} is not whole: ${archiveProblem(cause)}`;
      return workspaceFault("archive-broken", `${message} (${capture.progress})`, { cause });
    });
  } finally {
    tar.destroy();
  }
}

/** Up to here a content is held whole, which saves a file in two steps. */
const SMALL = 128 * 1024;

function faultsOf(what: string): BuilderFaults {
  return {
    refused: (message) =>
      workspaceFault("capture-refused", `the engine's archive can't be a ${what}: ${message}`),
    tooLarge: (message) =>
      workspaceFault("capture-too-large", `the ${what} is too large to capture: ${message}`),
  };
}

/** What an entry turned out to be, for the hard links that name it later. */
type Node =
  | { readonly type: "file"; readonly mode: number; readonly blob: Blob }
  | { readonly type: "link"; readonly target: Buffer }
  | { readonly type: "directory"; readonly mode: number }
  | { readonly type: "fifo" }
  | { readonly type: "device" };

class Capture {
  readonly #reader: TarReader;
  readonly #blobs: BlobFolder;
  readonly #builder: SnapshotBuilder;
  readonly #faults: BuilderFaults;
  readonly #root: Buffer | undefined;
  /** By the name's bytes, as latin1 text. */
  readonly #nodes = new Map<string, Node>();
  readonly #small: SmallContents;
  #entries = 0;

  constructor(
    reader: TarReader,
    blobs: BlobFolder,
    limits: SnapshotLimits,
    { what, root }: { readonly what: string; readonly root: string | undefined },
  ) {
    this.#reader = reader;
    this.#blobs = blobs;
    this.#small = new SmallContents(blobs);
    this.#faults = faultsOf(what);
    this.#builder = new SnapshotBuilder(limits, this.#faults);
    this.#root = root === undefined ? undefined : Buffer.from(`${root}/`);
  }

  get progress(): string {
    return `${this.#entries} entries had come`;
  }

  async run(expected: number | undefined): Promise<Snapshot> {
    try {
      return await this.#read(expected);
    } finally {
      await this.#small[Symbol.asyncDispose](); // The caller may remove the folder.
    }
  }

  async #read(expected: number | undefined): Promise<Snapshot> {
    if (this.#root) this.#takeRoot(await this.#reader.next(), this.#root);
    for (;;) {
      const header = await this.#reader.next();
      if (header === undefined) break;
      this.#entries += 1;
      await this.#take(header);
    }
    await this.#small.settle();
    const came = this.#builder.count + 1;
    if (expected !== undefined && came < expected) throw incomplete(came, expected);
    return this.#builder.finish();
  }

  #takeRoot(header: TarHeader | undefined, root: Buffer): void {
    const name = header?.name.toString("latin1");
    const wanted = root.toString("latin1");
    const isRoot = name === wanted || `${name}/` === wanted;
    if (isRoot && header?.type === "5") return;
    const found = name === undefined ? "nothing" : shown(name);
    const message = `the archive should begin with the directory ${shown(wanted)} but has ${found}`;
    throw workspaceFault("archive-broken", message);
  }

  async #take(header: TarHeader): Promise<void> {
    const name = this.#nameOf(header);
    const node = await this.#nodeOf(header, name);
    const key = name.toString("latin1");
    if (this.#nodes.has(key)) throw this.#faults.refused(`${escapeBytes(name)} is there twice`);
    this.#nodes.set(key, node);
    if (node.type === "fifo" || node.type === "device") {
      this.#skip(name, node.type);
    } else if (!isUtf8(name) || (node.type === "link" && !isUtf8(node.target))) {
      this.#skip(name, node.type);
    } else {
      this.#add(name.toString("utf8"), node);
    }
  }

  /** Listed only; but a name that no workspace has is a sign that the archive is not one. */
  #skip(name: Buffer, type: SkippedEntry["type"]): void {
    const problem = pathProblem(name.toString("latin1"));
    if (problem) throw this.#faults.refused(`${escapeBytes(name)} ${problem}`);
    const text = isUtf8(name) ? name.toString("utf8") : undefined;
    this.#builder.skip({ path: escapeBytes(name), type }, name.length, text);
  }

  #nameOf(header: TarHeader): Buffer {
    const name = this.#belowRoot(header.name);
    const isDirectory = header.type === "5" && name.at(-1) === 0x2f;
    return isDirectory ? name.subarray(0, -1) : name;
  }

  #belowRoot(name: Buffer): Buffer {
    if (!this.#root) return name;
    if (this.#root.equals(name.subarray(0, this.#root.length))) {
      return name.subarray(this.#root.length);
    }
    throw this.#faults.refused(`the name ${escapeBytes(name)} is not below the root`);
  }

  async #nodeOf(header: TarHeader, name: Buffer): Promise<Node> {
    const mode = header.mode & 0o777;
    switch (header.type) {
      case "0":
      case "7":
        return { type: "file", mode, blob: await this.#contentOf(header, name) };
      case "1":
        return this.#firstNameOf(header, name);
      case "2":
        return { type: "link", target: header.linkName };
      case "5":
        return { type: "directory", mode };
      case "6":
        return { type: "fifo" };
      default:
        return { type: "device" };
    }
  }

  async #contentOf(header: TarHeader, name: Buffer): Promise<Blob> {
    this.#builder.checkRoom(escapeBytes(name), header.size);
    if (header.size > SMALL) return await this.#blobs.put(this.#reader.chunks());
    return await this.#small.add(await this.#reader.bytes());
  }

  #firstNameOf(header: TarHeader, name: Buffer): Node {
    const first = this.#nodes.get(this.#belowRoot(header.linkName).toString("latin1"));
    if (first && first.type !== "directory") return first;
    const target = escapeBytes(header.linkName);
    const what = first ? "a directory" : "nothing that came before";
    throw this.#faults.refused(
      `${escapeBytes(name)} is a further name of ${target}, which is ${what}`,
    );
  }

  #add(
    path: string,
    node: Exclude<Node, { readonly type: "fifo" } | { readonly type: "device" }>,
  ): void {
    if (node.type === "file") {
      this.#builder.add({ type: "file", path, mode: node.mode, ...node.blob });
    } else if (node.type === "link") {
      const target = node.target.toString("utf8");
      if (target === "" || target.includes("\0")) {
        throw this.#faults.refused(`the link ${shown(path)} has no valid target`);
      }
      this.#builder.add({ type: "link", path, target });
    } else {
      this.#builder.add({ type: "directory", path, mode: node.mode });
    }
  }
}

function incomplete(came: number, expected: number): Fault {
  const message = `the workspace has ${expected} entries but its archive only ${came}`;
  const why = "files nested too deep for a path are left out of archives";
  return workspaceFault("capture-incomplete", `${message}; ${why}`, { detail: { came, expected } });
}

/** A name as SkippedEntry shows it: no two names look the same. */
function escapeBytes(name: Buffer): SkippedEntry["path"] {
  return isUtf8(name)
    ? name.toString("utf8").replaceAll("\\", "\\\\")
    : name.toString("latin1").replace(/[\\\x80-\xff]/g, escapeByte);
}

function escapeByte(letter: string): string {
  return letter === "\\" ? "\\\\" : `\\x${letter.charCodeAt(0).toString(16)}`;
}
