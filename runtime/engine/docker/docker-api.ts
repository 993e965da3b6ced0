import { subscribe } from "node:diagnostics_channel";
import {
  type AgentOptions,
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { inspect } from "node:util";
import Docker from "dockerode";
import { withDeadline } from "../../base/deadline.ts";
import { Fault, messageOf } from "../../base/fault.ts";
import { Patience } from "../../base/patience.ts";
import { engineFault } from "../faults.ts";
import type { DockerAddress } from "./locate.ts";

export interface DockerRequest {
  /** What is being done to what, for messages: `start container "cloche-r1"`. */
  readonly what: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly file?: Readable;
  readonly signal?: AbortSignal | undefined;
  /** Default: the deadline of the API. */
  readonly deadlineMs?: number;
  /** Default: "failed" for what only reads, "unsent" for all else. */
  readonly again?: Again;
  /** It is about to be sent again, and may have been carried out before. */
  readonly onAgain?: () => void;
}

/**
 * After which failures a request is sent again, as long as there is patience: after none, if nobody
 * was there to take it, also if it was taken and its answer was lost, also if Docker answered that
 * it failed (5xx). Who was silent for a whole deadline is not asked again.
 */
export type Again = "never" | "unsent" | "lost" | "failed";

/** Docker's own "no": a status and its words. Never leaves this folder: who asked translates it. */
export class Refusal extends Error {
  readonly status: number;

  constructor(what: string, status: number, words: string) {
    super(`${what}: Docker answered ${status}: ${words}`);
    this.name = "Refusal";
    this.status = status;
  }
}

interface DialError extends Error {
  readonly statusCode?: number;
  readonly json?: unknown;
  readonly code?: string;
}

const AGAIN: readonly Again[] = ["never", "unsent", "lost", "failed"];
const SUCCESS = Object.fromEntries([101, 200, 201, 204, 304].map((status) => [status, true]));

/** Nobody is there, or not for us: as opposed to somebody who stopped talking. */
const NOBODY = new Set(["ECONNREFUSED", "ENOENT", "EACCES", "EPERM", "ENOTFOUND", "EHOSTUNREACH"]);
/** That will not change by itself. */
const FORBIDDEN = new Set(["EACCES", "EPERM"]);

/**
 * Requests by the errors that they ended with: the client does not say whether Docker had begun to
 * answer.
 */
const failedRequests = new WeakMap<object, ClientRequest>();
subscribe("http.client.request.error", (message) => {
  const { request, error } = message as { request: ClientRequest; error: object };
  failedRequests.set(error, request);
});

/**
 * The one door to Docker: every request has a deadline, connections are kept (one that was closed
 * just as a reading request took it is forgiven once), what can be asked again is, for a while, and
 * what comes back is an answer, a `Refusal`, a Fault (`unreachable`, `no-answer`) or the signal's
 * reason.
 */
export class DockerApi {
  readonly address: DockerAddress;
  readonly deadlineMs: number;
  readonly #patienceMs: number;
  /** Over connections that are kept. */
  readonly #docker: Docker;
  /** Over a new connection each time. */
  readonly #fresh: Docker;
  readonly #agent: HttpAgent;

  constructor(address: DockerAddress, deadlineMs: number, patienceMs: number) {
    this.address = address;
    this.deadlineMs = deadlineMs;
    this.#patienceMs = patienceMs;
    this.#agent = agentFor(address, { keepAlive: true, maxFreeSockets: 16 });
    this.#docker = clientFor(address, this.#agent);
    this.#fresh = clientFor(address, agentFor(address, { keepAlive: false }));
  }

  /** The parsed answer; an empty object where Docker sends none. */
  async json<T>(request: DockerRequest): Promise<T> {
    return (await this.#dial(request, {})) as T;
  }

  /** The answer's body as it comes. The deadline covers the wait for its head only. */
  async stream(request: DockerRequest): Promise<IncomingMessage> {
    return (await this.#dial(request, { isStream: true })) as IncomingMessage;
  }

  /** The raw two-way connection of an exec. */
  async upgrade(request: DockerRequest): Promise<Socket> {
    return (await this.#dial(request, { isStream: true, hijack: true })) as Socket;
  }

  /** How long something may be tried again, from now on. */
  patience(): Patience {
    return new Patience(this.#patienceMs);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #dial(request: DockerRequest, mode: { isStream?: true; hijack?: true }): Promise<unknown> {
    const { method, signal, onAgain } = request;
    const isReading = method === "GET" || method === "HEAD";
    const { again = isReading ? "failed" : "unsent" } = request;
    const patience = this.patience();
    for (;;) {
      try {
        return await this.#dialOnce(request, mode);
      } catch (error) {
        const failure = failureOf(error);
        if (failure === undefined || AGAIN.indexOf(failure) > AGAIN.indexOf(again)) throw error;
        if (!(await patience.pause(signal))) throw error;
        if (failure !== "unsent") onAgain?.();
      }
    }
  }

  async #dialOnce(
    request: DockerRequest,
    mode: { isStream?: true; hijack?: true },
  ): Promise<unknown> {
    const { what, signal, deadlineMs = this.deadlineMs } = request;
    const late = () =>
      engineFault("no-answer", `${what}: Docker did not answer within ${deadlineMs} ms`);
    return await withDeadline(deadlineMs, signal, late, async (abortSignal) => {
      try {
        return await this.#sendTwice(request, { ...mode, abortSignal });
      } catch (error) {
        throw this.#explained(error as DialError, what);
      }
    });
  }

  /** A second time only where the first one asked nothing but to read, and got no word. */
  async #sendTwice(request: DockerRequest, mode: Mode): Promise<unknown> {
    try {
      return await this.#send(this.#docker, request, mode);
    } catch (error) {
      const isReading = request.method === "GET" || request.method === "HEAD";
      if (!isReading || mode.abortSignal.aborted || !isStale(error)) throw error;
      return await this.#send(this.#fresh, request, mode);
    }
  }

  async #send(
    docker: Docker,
    { method, path, query, body, file }: DockerRequest,
    mode: Mode,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const options = { _query: query ?? {}, _body: body ?? {} };
    const dial = { ...mode, method, path: `${path}?`, options, statusCodes: SUCCESS };
    docker.modem.dial(file ? { ...dial, file } : dial, (error: unknown, answer: unknown) => {
      if (error) reject(error);
      else resolve(answer);
      // A connection that was won after the deadline belongs to nobody.
      if (mode.isStream && mode.abortSignal.aborted) (answer as Readable | null)?.destroy();
    });
    return await promise;
  }

  #explained(error: DialError, what: string): Error {
    if (error instanceof Fault) return error;
    if (error.statusCode !== undefined) {
      return new Refusal(what, error.statusCode, wordsOf(error));
    }
    const { url, source } = this.address;
    if (NOBODY.has(error.code ?? "")) {
      const message = `${what}: nobody answers at ${url} (from ${source}): ${messageOf(error)}`;
      return engineFault("unreachable", message, { cause: error, detail: { address: url } });
    }
    const message = `${what}: Docker at ${url} hung up before it answered: ${messageOf(error)}`;
    return engineFault("no-answer", message, { cause: error });
  }
}

/** Of what kind a failure is; undefined for one after which nothing is sent again. */
export function failureOf(error: unknown): Exclude<Again, "never"> | undefined {
  if (error instanceof Refusal) return error.status >= 500 ? "failed" : undefined;
  if (!(error instanceof Fault)) return undefined;
  const { code } = (error.cause ?? {}) as DialError;
  if (error.code === "engine/unreachable") return FORBIDDEN.has(code ?? "") ? undefined : "unsent";
  // Without a cause it is the deadline that has passed.
  return error.code === "engine/no-answer" && error.cause !== undefined ? "lost" : undefined;
}

interface Mode {
  readonly isStream?: true;
  readonly hijack?: true;
  readonly abortSignal: AbortSignal;
}

/** A connection that was kept and closed by the other side before it said anything on it. */
function isStale(error: unknown): boolean {
  const request = error instanceof Error ? failedRequests.get(error) : undefined;
  if (!request?.reusedSocket) return false;
  const isClosed = ["ECONNRESET", "EPIPE"].includes((error as DialError).code ?? "");
  return isClosed && !(request as { readonly res?: unknown }).res;
}

function agentFor({ tls }: DockerAddress, options: AgentOptions): HttpAgent {
  const agent = tls ? new HttpsAgent(options) : new HttpAgent(options);
  // The client describes its options in full for every request, also when nobody reads it: with
  // all of the agent's sockets that costs more than the request.
  Object.defineProperty(agent, inspect.custom, { value: () => "Agent" });
  return agent;
}

/** Everything is named, also as undefined: the client would fill gaps from the environment. */
function clientFor({ socketPath, host, port, tls }: DockerAddress, agent: HttpAgent): Docker {
  const protocol = tls ? "https" : "http";
  const secrets = { ca: tls?.ca, cert: tls?.cert, key: tls?.key };
  const where = { socketPath, host, port, protocol, agent, timeout: undefined };
  return new Docker({ ...where, ...secrets } as unknown as Docker.DockerOptions);
}

function wordsOf(error: DialError): string {
  const json = error.json as { message?: unknown } | null;
  if (typeof json === "object" && typeof json?.message === "string") return json.message;
  return messageOf(error).trim();
}

/** Turns an untranslated refusal into `engine/failed`; a Fault or an abort passes. */
export function failed(error: unknown): unknown {
  return error instanceof Refusal
    ? engineFault("failed", error.message, { cause: error, detail: { status: error.status } })
    : error;
}
