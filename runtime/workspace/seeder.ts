import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { withDeadline } from "../base/deadline.ts";
import type { BoxProcess, EngineCall, Sandbox } from "../engine/engine.ts";
import { engineFault } from "../engine/faults.ts";

/** A program in a sandbox that waits for the archive to unpack: seeding costs only the bytes. */
export interface Seeder extends AsyncDisposable {
  /** Settles when the program has ended, whether it was used or not; never rejects. */
  readonly gone: Promise<void>;
  /**
   * Unpacks the archive of a snapshot, once, with the result of `seedWorkspace`. Rejects with what
   * the archive fails with, `engine/archive-refused`, `engine/program-lost`, `engine/box-gone`, or the
   * signal's reason.
   */
  fill(archive: Readable, signal: AbortSignal): Promise<void>;
}

/**
 * Modes come from the archive, not from the umask; times are that of seeding, which the sandbox
 * will know as the task's now; owners are the program's user and its group; a link is made as it stands, also one that climbs out. Only for
 * archives of ours in a sandbox that no agent has been in. The last word tells that all is done,
 * sooner than the engine could.
 */
const UNPACK = `/bin/tar -x -p -P -m --no-same-owner --delay-directory-restore -f - -C "$1"; echo "$?"`;

/** A generous bound: an engine that stands still must not hold up a rollout for ever. */
const SEED_MS = 600_000;
const SAID_MAX = 2_000;
const AT_THE_INPUT = { startsWithInput: true, tellsLoss: true } as const;
/** What tar says of an archive that ends early. */
const HALF = /Unexpected EOF|does not look like a tar archive|Skipping to next header/;

/** Starts it, as the owner of the volume at `path`. Rejects as `Box.open` does. */
export async function openSeeder(
  sandbox: Sandbox,
  options: EngineCall & { readonly path?: string; readonly owner?: string } = {},
): Promise<Seeder> {
  const { path = "/workspace", owner = "agent", signal } = options;
  const argv = ["/bin/sh", "-c", UNPACK, "seed", path];
  const how = { user: owner, ...AT_THE_INPUT, ...(signal ? { signal } : {}) };
  const process = await sandbox.open(argv, how);
  return new TarSeeder(sandbox, path, process);
}

class TarSeeder implements Seeder {
  readonly gone: Promise<void>;
  readonly #sandbox: Sandbox;
  readonly #path: string;
  readonly #process: BoxProcess;
  readonly #verdict: Promise<string>;
  readonly #words: () => string;

  constructor(sandbox: Sandbox, path: string, process: BoxProcess) {
    this.#sandbox = sandbox;
    this.#path = path;
    this.#process = process;
    this.gone = process.ended.then(() => {});
    this.#verdict = firstLine(process.stdout);
    this.#words = lastWords(process.stderr);
  }

  async fill(archive: Readable, signal: AbortSignal): Promise<void> {
    const late = () => engineFault("no-answer", `seeding was not done within ${SEED_MS} ms`);
    const verdict = await withDeadline(SEED_MS, signal, late, async (until) => {
      await pipeline(archive, this.#process.stdin, { signal: until });
      return await this.#verdict;
    });
    if (verdict === "0") return;
    const what = `${this.#path} of ${this.#sandbox.id} could not be filled`;
    const { running } = await this.#sandbox.state({ signal });
    if (!running) throw engineFault("box-gone", `${what}: its box is gone`);
    const words = this.#words();
    // No verdict, or one on half of an archive: ours are whole when they leave.
    if (verdict === "" || words === "" || HALF.test(words)) {
      throw engineFault("program-lost", `${what}: the engine lost tar's streams; ${words}`);
    }
    throw engineFault("archive-refused", `${what}: ${words}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** The first line, or what there is of it at the end. Reads on, so that nothing is held up. */
async function firstLine(stream: Readable): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    if (text.length < SAID_MAX) text += chunk.toString("latin1");
    const end = text.indexOf("\n");
    if (end >= 0) resolve(text.slice(0, end));
  });
  for (const over of ["end", "close", "error"]) stream.on(over, () => resolve(text));
  return await promise;
}

function lastWords(stream: Readable): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text = `${text}${chunk.toString("utf8")}`.slice(-SAID_MAX);
  });
  stream.on("error", () => {});
  return () => text.trim();
}
