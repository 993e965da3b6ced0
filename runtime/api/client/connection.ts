import { ClocheError, errorOf } from "./cloche-error.ts";
import {
  isFetchImpatience,
  pause,
  pauseMs,
  type RetryOptions,
  type RetryRules,
  retryAfterOf,
  retryRules,
  wasNeverSent,
} from "./retry.ts";

export interface ConnectionOptions {
  /** Where the service is: `http://127.0.0.1:7317`. */
  readonly url: string;
  /** The caller's key, where the service has keys. */
  readonly key?: string;
  readonly retry?: RetryOptions;
  /** Instead of the platform's; for other time limits, proxies, certificates. */
  readonly fetch?: typeof fetch;
}

export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the service's URL, with its query. */
  readonly path: string;
  /** Sent as JSON, unless it is bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether asking twice does no more than asking once. A GET always may be. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Overloaded, draining, or a proxy that lost the service for a moment. */
const PASSING = new Set([429, 502, 503, 504]);
/** The service says that it did nothing: repeating is safe whatever was asked. */
const NOTHING_DONE = new Set([429]);
/** So does one that is starting: it looks after what an earlier process left. */
const NOT_STARTED = "api/not-ready";

/**
 * Questions to the service, repeated where that is safe. Every one rejects with a ClocheError, or
 * with the signal's reason.
 */
export class Connection {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #rules: RetryRules;
  readonly #fetch: typeof fetch;

  constructor({ url, key, retry, fetch: ownFetch }: ConnectionOptions) {
    this.#base = url.replace(/\/+$/, "");
    this.#key = key;
    this.#rules = retryRules(retry);
    this.#fetch = ownFetch ?? ((...args) => fetch(...args));
  }

  /** The answer's JSON. */
  async json<T>(question: Question): Promise<T> {
    return await this.#ask(question, async (response) => {
      const text = await response.text();
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        const shown = text.slice(0, 200);
        const detail = `${nameOf(question)} was answered with what is no JSON: ${shown}`;
        const { status } = response;
        throw new ClocheError({ code: "client/bad-answer", status, detail }, { cause });
      }
    });
  }

  async text(question: Question): Promise<string> {
    return await this.#ask(question, async (response) => await response.text());
  }

  /** The answer itself, its body not read yet. */
  async stream(question: Question): Promise<Response> {
    return await this.#ask(question, async (response) => response);
  }

  async #ask<T>(question: Question, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const tried = await this.#try(question, read);
      if ("value" in tried) return tried.value;
      question.signal?.throwIfAborted();
      if (tried.again === "uncounted") attempt--;
      const wait = tried.again === "no" ? undefined : this.#pauseOf(tried, attempt);
      if (wait === undefined) throw tried.error;
      await pause(wait, question.signal);
    }
  }

  #pauseOf({ again, retryAfterMs }: Failed, attempt: number): number | undefined {
    return again === "uncounted" ? 0 : pauseMs(this.#rules, attempt, retryAfterMs);
  }

  async #try<T>(
    question: Question,
    read: (response: Response) => Promise<T>,
  ): Promise<{ readonly value: T } | Failed> {
    const repeatable = question.method === "GET" || question.repeatable === true;
    try {
      const response = await this.#fetch(this.#base + question.path, this.#init(question));
      if (response.ok) return { value: await read(response) };
      const error = errorOf(response.status, await response.text(), nameOf(question));
      const passing = PASSING.has(response.status);
      const isUndone = NOTHING_DONE.has(response.status) || error.code === NOT_STARTED;
      const may = passing && (repeatable || isUndone);
      return { error, again: may ? "yes" : "no", retryAfterMs: retryAfterOf(response.headers) };
    } catch (cause) {
      if (cause instanceof ClocheError) return { error: cause, again: "no" };
      const error = this.#unreachable(question, cause);
      if (repeatable && isFetchImpatience(cause)) return { error, again: "uncounted" };
      return { error, again: repeatable || wasNeverSent(cause) ? "yes" : "no" };
    }
  }

  #init({ method, body, headers, signal }: Question): RequestInit {
    const all = new Headers(headers);
    if (this.#key !== undefined) all.set("authorization", `Bearer ${this.#key}`);
    if (!all.has("accept")) all.set("accept", "application/json");
    const init: RequestInit = { method, headers: all };
    if (signal !== undefined) init.signal = signal;
    if (body instanceof Uint8Array)
      return { ...init, body: body as NonNullable<RequestInit["body"]> };
    if (body === undefined) return init;
    all.set("content-type", "application/json");
    return { ...init, body: JSON.stringify(body) };
  }

  #unreachable(question: Question, cause: unknown): ClocheError {
    const why = reasonOf(cause);
    const detail = `${nameOf(question)} at ${this.#base} got no answer (${why}); does it run there?`;
    return new ClocheError({ code: "client/unreachable", status: null, detail }, { cause });
  }
}

interface Failed {
  readonly error: ClocheError;
  readonly again: "yes" | "no" | "uncounted";
  readonly retryAfterMs?: number | undefined;
}

function nameOf({ method, path }: Question): string {
  return `${method} ${path}`;
}

/** The innermost cause says what happened; fetch itself says only "fetch failed". */
function reasonOf(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (current instanceof AggregateError) current = current.errors.at(-1);
  return current instanceof Error ? current.message : String(current);
}
