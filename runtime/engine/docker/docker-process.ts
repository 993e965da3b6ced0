import type { Socket } from "node:net";
import { type Readable, Transform, Writable } from "node:stream";
import type { Log } from "../../base/log.ts";
import type { BoxProcess, ProgramEnd } from "../engine.ts";
import { endOf } from "./broken-streams.ts";
import { demultiplex } from "./demultiplex.ts";
import { type DockerApi, Refusal } from "./docker-api.ts";
import { type LaunchReport, LOST, type RootProcess, readReport } from "./launch.ts";
import { exitCodeOf } from "./start-exec.ts";

/** How long Docker may take to note how a program ended whose streams are over. */
const EXIT_CODE_MS = 2_000;
/** How long the reader of a program that is being killed may leave its last output unread. */
const READER_MS = 1_000;

export interface ProcessParts {
  readonly api: DockerApi;
  /** Docker's id of its container. */
  readonly container: string;
  /** "uid:gid" of the program. */
  readonly user: string;
  readonly execId: string;
  /** What is written to `stdin` reaches it. */
  readonly hasInput: boolean;
  readonly socket: Socket;
  readonly nonce: string;
  readonly log: Log;
  /** It was started so that it ends with one of `LOST` if its input was gone when it ended. */
  readonly tellsLoss: boolean;
  /** What an exit code means, or that the engine cannot say one (null); null for "was lost". */
  readonly meaning: (exitCode: number | null) => Promise<number | null>;
  /** Ends all that descends from the program; see descendants.ts. */
  readonly endDescendants: (root: RootProcess) => Promise<void>;
}

/** A program behind one upgraded connection. */
export class DockerProcess implements BoxProcess {
  readonly stdin: Writable;
  readonly stdout: Transform;
  readonly stderr: Transform;
  readonly ended: Promise<ProgramEnd>;
  /** What the launch script said, or "silent" if both outputs ended without a word of it. */
  readonly report: Promise<LaunchReport>;
  readonly #parts: ProcessParts;
  readonly #hurry = new AbortController();
  #over = false;
  #endedInput = false;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    const { socket, nonce } = parts;
    const [fromStdout, fromStderr] = [
      Promise.withResolvers<LaunchReport>(),
      Promise.withResolvers<LaunchReport>(),
    ];
    this.report = firstWord(fromStdout.promise, fromStderr.promise);
    this.stdin = stdinOf(socket, () => {
      // Whoever ends it after its streams were lost has not ended the program by that.
      this.#endedInput ||= !this.#over;
    });
    this.stdout = withoutReport(nonce, fromStdout.resolve);
    this.stderr = withoutReport(nonce, fromStderr.resolve);
    for (const stream of [this.stdout, this.stderr]) stream.on("error", () => {});
    this.ended = this.#finish();
  }

  /**
   * Docker tells of no program's end in a box, ours that does the killing included, as long as
   * output of one that has ended is not read: after a while what has no room is dropped.
   */
  async kill(): Promise<void> {
    if (this.#over) return;
    const root = await this.report;
    if (typeof root !== "object") return;
    const impatience = setTimeout(() => this.hurry(), READER_MS);
    try {
      await this.#parts.endDescendants(root);
    } finally {
      clearTimeout(impatience);
    }
  }

  /** Never rejects; a program that could not be ended is logged and ends with its box. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.hurry();
    try {
      await this.kill();
    } catch (error) {
      this.#parts.log.warn({ err: error }, "a program could not be ended; it ends with its box");
    }
    this.abandon();
  }

  /**
   * The program, or its box, is about to be ended: from now on nobody's slow reading holds up the
   * engine, which would otherwise not notice that. What has no room in the streams is dropped.
   */
  hurry(): void {
    this.#hurry.abort();
  }

  /** The box is gone, which the engine did not say to who listens here: nothing more will come. */
  lose(): void {
    if (!this.#over) this.#parts.socket.destroy();
  }

  /** Whether an exit code says that it ended by itself. */
  get tellsLoss(): boolean {
    return this.#parts.tellsLoss;
  }

  /** Lets go of the streams. */
  abandon(): void {
    this.hurry();
    this.stdout.destroy();
    this.stderr.destroy();
    this.#parts.socket.destroy();
  }

  async #finish(): Promise<ProgramEnd> {
    await demultiplex(this.#parts.socket, this.stdout, this.stderr, this.#hurry.signal);
    this.#over = true;
    this.#parts.socket.destroy();
    const end = await this.#end();
    if (end.isLost) return end;
    return { exitCode: await this.#parts.meaning(end.exitCode).catch(() => end.exitCode) };
  }

  async #end(): Promise<ProgramEnd> {
    const { tellsLoss, endDescendants, hasInput } = this.#parts;
    const noted = await this.#exitCode();
    const root = await this.report;
    // Or there is nothing to find out: it tells by itself, or was about to be ended.
    const isKnown = noted === undefined || tellsLoss || this.#hurry.signal.aborted;
    if (isKnown || typeof root !== "object") return { exitCode: noted ?? null };
    const hadInput = hasInput && !this.#endedInput;
    return await endOf({ ...this.#parts, root, hadInput, end: () => endDescendants(root) }, noted);
  }

  /** Null: Docker says that it runs, or knows nothing of it; undefined: Docker says nothing. */
  async #exitCode(): Promise<number | null | undefined> {
    const { api, execId, tellsLoss, log } = this.#parts;
    try {
      const code = await exitCodeOf(api, execId, EXIT_CODE_MS);
      if (!tellsLoss || !LOST.includes(code)) return code;
      return this.#endedInput ? 0 : null;
    } catch (error) {
      log.debug({ err: error }, "the engine cannot say how a program ended");
      return error instanceof Refusal && error.status === 404 ? null : undefined;
    }
  }
}

/** What is written after the program has ended is dropped: there is nobody to read it. */
function stdinOf(socket: Socket, onEnd: () => void): Writable {
  socket.on("error", () => {});
  return new Writable({
    write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => {
      onEnd();
      socket.end(() => done());
    },
  });
}

async function firstWord(...reports: readonly Promise<LaunchReport>[]): Promise<LaunchReport> {
  const { promise, resolve } = Promise.withResolvers<LaunchReport>();
  for (const report of reports) {
    void report.then((said) => {
      if (said !== "silent") resolve(said);
    });
  }
  void Promise.all(reports).then(() => resolve("silent"));
  return await promise;
}

const REPORT_BYTES_MAX = 2_048;

/** Passes everything but the first line, which it hands to `report`. */
function withoutReport(nonce: string, report: (report: LaunchReport) => void): Transform {
  let held: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (held === undefined) return done(null, chunk);
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf(0x0a);
      if (end < 0 && held.length < REPORT_BYTES_MAX) return done();
      const said = readReport(held.subarray(0, Math.max(end, 0)).toString("latin1"), nonce);
      const rest = said === "silent" ? held : held.subarray(end + 1);
      held = undefined;
      report(said);
      if (rest.length > 0) this.push(rest);
      done();
    },
    flush(done) {
      report("silent");
      // The beginning of a report is nobody's words: the stream was cut.
      const isCut =
        held !== undefined && nonce.startsWith(held.toString("latin1", 0, nonce.length));
      if (held !== undefined && !isCut) this.push(held);
      done();
    },
    destroy(error, done) {
      report("silent");
      done(error);
    },
  });
}

/** Reads a stream to its end, keeps the first `limit` bytes and counts the rest. */
export async function collect(stream: Readable, limit: number) {
  const kept: Buffer[] = [];
  let size = 0;
  let dropped = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const room = Math.min(chunk.length, limit - size);
      if (room > 0) kept.push(chunk.subarray(0, room));
      size += room;
      dropped += chunk.length - room;
    }
  } catch {
    // Let go of while being read: what came until then is what there is.
  }
  return { bytes: Buffer.concat(kept), dropped };
}
