import { Readable } from "node:stream";
import { Fault, messageOf } from "../../base/fault.ts";
import { engineFault } from "../faults.ts";
import type { BuildOptions } from "../image-store.ts";
import { NO_DEADLINE_MS, readsOf, Watch, watched } from "./archive.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";

interface BuildRequest {
  readonly what: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean>>;
}

/** A build may be silent while it compiles or downloads; a stuck engine is silent for ever. */
const SILENCE_MS = 10 * 60 * 1_000;
const LAST_LINES = 20;

/**
 * Sends a tar stream and follows what Docker says until it is done. Rejects with
 * `engine/image-build-failed` (the failing step and the last lines before it), `engine/no-answer`
 * after ten minutes of silence.
 */
export async function sendAndFollow(
  api: DockerApi,
  { what, path, query }: BuildRequest,
  tar: Readable,
  { signal, onLine }: BuildOptions,
): Promise<void> {
  const watch = new Watch(SILENCE_MS, () =>
    engineFault("no-answer", `${what}: Docker took nothing for ${SILENCE_MS} ms`),
  );
  const source = { error: undefined as unknown };
  const stop = signal ? AbortSignal.any([signal, watch.signal]) : watch.signal;
  const file = Readable.from(watched(tar, watch, source), { objectMode: false });
  try {
    watch.start();
    const deadlineMs = NO_DEADLINE_MS;
    const request = { what, method: "POST", path, query, file, signal: stop, deadlineMs } as const;
    const body = await api.stream(request);
    const patience = Math.max(SILENCE_MS, api.deadlineMs);
    watch.stop();
    await follow(Readable.from(readsOf(body, patience, what, signal)), what, onLine);
  } catch (error) {
    const first = source.error ?? error;
    if (first instanceof Fault || signal?.aborted) throw first;
    if (!(first instanceof Refusal) && source.error === undefined) throw failed(first);
    const message = `${what}: ${messageOf(first)}`;
    throw engineFault("image-build-failed", message, { cause: first });
  } finally {
    watch.stop();
    file.destroy();
    tar.destroy();
  }
}

interface Progress {
  readonly stream?: string;
  readonly status?: string;
  readonly error?: string;
}

async function follow(body: Readable, what: string, onLine: BuildOptions["onLine"]): Promise<void> {
  const last: string[] = [];
  let step = "";
  for await (const { stream = "", status = "", error } of messages(body)) {
    const lines = `${stream || status}`.split(/\r?\n|\r/).filter((line) => line.trim() !== "");
    for (const line of lines) {
      if (/^Step \d+/.test(line)) step = line;
      last.push(line);
      onLine?.(line);
    }
    last.splice(0, last.length - LAST_LINES);
    if (error !== undefined) {
      const where = step === "" ? "" : ` at "${step.trim()}"`;
      const message = `${what} failed${where}: ${error.trim()}\n${last.join("\n")}`;
      throw engineFault("image-build-failed", message, { detail: { step, lines: [...last] } });
    }
  }
}

/** JSON values, one a line; a line may come in several chunks. */
async function* messages(body: Readable): AsyncGenerator<Progress> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Progress;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as Progress;
}
