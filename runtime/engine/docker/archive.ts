import { Readable } from "node:stream";
import { withDeadline } from "../../base/deadline.ts";
import { Fault, messageOf } from "../../base/fault.ts";
import type { ArchiveSource, EngineCall } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed, failureOf, Refusal } from "./docker-api.ts";

export interface ArchiveParts {
  readonly api: DockerApi;
  readonly container: string;
  readonly name: string;
  readonly unreadable: readonly string[];
}

/**
 * Sends a tar stream, again if Docker hangs up and it can be opened again. The engine's deadline
 * runs only while it is the engine that we wait for.
 */
export async function putArchive(
  parts: ArchiveParts,
  tar: ArchiveSource,
  path: string,
  call: EngineCall,
): Promise<void> {
  if (typeof tar !== "function") return await putOnce(parts, tar, path, call);
  const patience = parts.api.patience();
  for (;;) {
    try {
      return await putOnce(parts, tar(), path, call);
    } catch (error) {
      if (failureOf(error) !== "lost" && failureOf(error) !== "unsent") throw error;
      if (!(await patience.pause(call.signal))) throw error;
    }
  }
}

async function putOnce(
  { api, container, name }: ArchiveParts,
  tar: Readable,
  path: string,
  { signal }: EngineCall,
): Promise<void> {
  const what = `unpack an archive at ${path} of ${name}`;
  const watch = new Watch(api.deadlineMs, () =>
    engineFault("no-answer", `${what}: Docker took nothing for ${api.deadlineMs} ms`),
  );
  const source = { error: undefined as unknown };
  const stop = signal ? AbortSignal.any([signal, watch.signal]) : watch.signal;
  const file = Readable.from(watched(tar, watch, source), { objectMode: false });
  try {
    watch.start();
    await api.json({
      ...{ what, method: "PUT", path: `/containers/${container}/archive`, query: { path } },
      ...{ file, signal: stop, deadlineMs: NO_DEADLINE_MS, again: "never" },
    });
  } catch (error) {
    if (source.error !== undefined) throw brokenSource(what, source.error);
    throw refusedArchive(error);
  } finally {
    watch.stop();
    file.destroy();
    tar.destroy();
  }
}

/** The watch decides; 24 days is what a timer can hold. */
export const NO_DEADLINE_MS = 2 ** 31 - 1;

export async function* watched(tar: Readable, watch: Watch, source: { error: unknown }) {
  const chunks = (tar as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      watch.stop();
      const { done, value } = await chunks.next();
      watch.start();
      if (done) return;
      yield value;
    }
  } catch (error) {
    source.error = error;
    throw error;
  }
}

function brokenSource(what: string, error: unknown): unknown {
  if (error instanceof Fault) return error;
  const message = `${what}: the archive broke off while it was sent: ${messageOf(error)}`;
  return engineFault("archive-refused", message, { cause: error });
}

/** What Docker says of an archive, or of where it is to go; anything else is no word on it. */
const ON_ARCHIVE = /Error processing tar file|marked read-only/;

function refusedArchive(error: unknown): unknown {
  if (!(error instanceof Refusal)) return failed(error);
  if (error.status === 404 && !isOfPath(error)) {
    return engineFault("box-gone", error.message, { cause: error });
  }
  return error.status < 500 || ON_ARCHIVE.test(error.message)
    ? engineFault("archive-refused", error.message, { cause: error })
    : failed(error);
}

/** It speaks of the path and not of the container. */
function isOfPath({ message }: Refusal): boolean {
  return !/no such container/i.test(message);
}

/** Asks for a tar stream; see `readsOf` for its deadline. */
export async function getArchive(
  { api, container, name, unreadable }: ArchiveParts,
  path: string,
  { signal }: EngineCall,
): Promise<Readable> {
  const what = `read ${path} of ${name}`;
  const blind = unreadable.find((root) => path === root || path.startsWith(`${root}/`));
  if (blind !== undefined) {
    throw engineFault("path-missing", `${what}: ${blind} is a temporary file system`);
  }
  try {
    const request = { what, method: "GET", query: { path }, signal } as const;
    const body = await api.stream({ ...request, path: `/containers/${container}/archive` });
    return Readable.from(readsOf(body, api.deadlineMs, what, signal), { objectMode: false });
  } catch (error) {
    if (error instanceof Refusal && [400, 404].includes(error.status)) {
      if (!isOfPath(error)) throw engineFault("box-gone", error.message, { cause: error });
      throw engineFault("path-missing", error.message, { cause: error });
    }
    throw failed(error);
  }
}

/** Passes a body on, with a deadline for each next piece, counted only while one is asked for. */
export async function* readsOf(
  body: Readable,
  deadlineMs: number,
  what: string,
  signal: AbortSignal | undefined,
) {
  const late = () => engineFault("no-answer", `${what}: Docker sent nothing for ${deadlineMs} ms`);
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await withDeadline(deadlineMs, signal, late, () => chunks.next());
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof Fault || signal?.aborted) throw error;
    const message = `${what}: Docker hung up in the middle: ${messageOf(error)}`;
    throw engineFault("no-answer", message, { cause: error });
  } finally {
    body.destroy();
  }
}

/** A deadline that can be stopped and started again from the full. */
export class Watch {
  readonly #over = new AbortController();
  readonly #ms: number;
  readonly #late: () => Error;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, late: () => Error) {
    this.#ms = ms;
    this.#late = late;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  start(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#over.abort(this.#late()), this.#ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
