import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { pause } from "../base/deadline.ts";
import { type Fault, messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import type { Log } from "../base/log.ts";
import { originProblem, type Reachable } from "../mcp/door/http-guard.ts";
import { apiFault } from "./faults.ts";
import { problemResponse } from "./problem.ts";
import { bracketed, isEveryAddress, loopbackFor, reachOf } from "./reach.ts";

/** A client that has not sent its headers, or its whole request, by then is hung up on. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 15 * 60_000;
const KEEP_ALIVE_MS = 75_000;
const PROBE_MS = 30_000;
const GOODBYE_MS = 3_000;
const PUT_AWAY_MS = 30_000;
const MCP_PATH = "/rollouts/";

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Further names that clients call it by: "name" or "name:port". */
  readonly allowedHosts?: readonly string[];
  readonly log: Log;
}

type Fetch = (request: Request) => Response | Promise<Response>;

/** What answers at a rollout's URL; `McpEndpoint` does. */
export interface AgentHandler {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/**
 * The one port of the service: `/rollouts/…` are the agents' endpoints, all else is the API. Until
 * it is told what to serve, everything is answered with 503. Host and Origin are checked before
 * anything else of a request is looked at.
 */
export class ApiServer implements AsyncDisposable {
  readonly port: number;
  /** As programs on this machine reach it, where it listens on every address; no slash at its end. */
  readonly url: string;
  /** The names that it answers to. */
  readonly reach: Reachable;
  readonly #server: Server;
  readonly #log: Log;
  /** Requests whose handlers have not come to their end, be their clients gone or not. */
  readonly #underWay = new Set<Promise<unknown>>();
  #agents: AgentHandler | undefined;
  #api: ReturnType<typeof getRequestListener> | undefined;

  /** Rejects with `api/port-unusable`. */
  static async listen(options: ServerOptions): Promise<ApiServer> {
    const { host, port } = options;
    const server = createServer({
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
      noDelay: true,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port }, resolve);
    try {
      await promise;
    } catch (error) {
      throw unusable(host, port, error);
    }
    return new ApiServer(server, options);
  }

  private constructor(server: Server, { host, allowedHosts, log }: ServerOptions) {
    this.#server = server;
    this.#log = log;
    // As the system understood the host: "0" and "::0" are every address too.
    const { address, port } = server.address() as AddressInfo;
    const everywhere = isEveryAddress(address);
    this.port = port;
    this.url = `http://${everywhere ? loopbackFor(address) : bracketed(host)}:${port}`;
    this.reach = reachOf(everywhere ? address : host, port, allowedHosts);
    server.on("error", (error) => log.error({ error: error.message }, "the server failed"));
    server.on("request", (request, response) => this.#handle(request, response));
  }

  /** Begins to serve. */
  serve(api: Fetch, agents: AgentHandler): void {
    this.#agents = agents;
    const errorHandler = (error: unknown) => this.#unanswered(error);
    this.#api = getRequestListener(api, { overrideGlobalObjects: false, errorHandler });
  }

  /**
   * Takes no new connection, lets answers under way reach their clients, and hangs up. Resolves
   * when all that was begun for a request has been put away, after 30 s at the latest.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), GOODBYE_MS);
    await closed;
    clearTimeout(timer);
    const late = new AbortController();
    const waited = pause(PUT_AWAY_MS, late.signal).catch(() => {});
    await Promise.race([waited, Promise.allSettled(this.#underWay)]);
    late.abort();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", (error) => this.#log.debug({ error: error.message }, "a client is gone"));
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const problem = originProblem(request, this.reach);
    if (problem !== undefined) {
      const message = `${problem}; it answers to ${this.reach.hosts.slice(0, 4).join(", ")}`;
      this.#refuse(request, response, apiFault("host-refused", message));
      return;
    }
    if (this.#api === undefined || this.#agents === undefined) {
      const what = apiFault("not-ready", "the service is starting: it looks after what was left");
      this.#refuse(request, response, what);
      return;
    }
    const isAgent = path.startsWith(MCP_PATH);
    const handler = isAgent ? this.#agents.handle(request, response) : this.#api(request, response);
    const answered = handler
      .catch((error) => {
        this.#log.error({ error: messageOf(error) }, "a request could not be answered");
        response.destroy();
      })
      .finally(() => this.#underWay.delete(answered));
    this.#underWay.add(answered);
  }

  /** The connection ends with the answer, so that a body that nobody wants is not read. */
  #refuse(request: IncomingMessage, response: ServerResponse, fault: Error): void {
    const asked = {
      method: request.method ?? "",
      path: (request.url ?? "").split("?", 1)[0] ?? "",
      requestId: namedId("req"),
    };
    const answer = problemResponse(fault, asked, this.#log);
    response.writeHead(answer.status, {
      ...Object.fromEntries(answer.headers),
      connection: "close",
    });
    answer.text().then(
      (text) => response.end(text),
      () => response.destroy(),
    );
    request.resume();
  }

  /** What could not even become a request for the API, such as a target that is no path. */
  #unanswered(error: unknown): Response {
    const asked = { method: "", path: "", requestId: namedId("req") };
    const isTheirs = error instanceof RequestError;
    const what = apiFault("bad-request", `the request is not one: ${messageOf(error)}`);
    return problemResponse(isTheirs ? what : error, asked, this.#log);
  }
}

/** What hinders a listener, and what to do about it. */
function unusable(host: string, port: number, error: unknown): Fault {
  const place = `${bracketed(host)}:${port}`;
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE:
      `a program listens there already, perhaps another cloche serve: end it, ` +
      "or give another --port (0: any free one)",
    EACCES: "this user may not: give a --port from 1024 up",
    EADDRNOTAVAIL: "this machine has no such address: give --host one of its own",
    ENOTFOUND: "no address is known by that name: give --host one of this machine's",
  };
  const code = String((error as NodeJS.ErrnoException).code);
  const why = remedies[code] ?? messageOf(error);
  const detail = { host, port, error: code };
  return apiFault("port-unusable", `cannot listen on ${place}: ${why}`, { cause: error, detail });
}
