import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../base/fault.ts";
import { secret } from "../base/id.ts";
import type { Log } from "../base/log.ts";
import type { AgentDoor } from "./agent-peer.ts";
import { mcpFault } from "./faults.ts";
import { answerError } from "./http-body.ts";
import { bearerOf, originProblem, sameSecret } from "./http-guard.ts";
import { HttpLeg } from "./http-leg.ts";
import { RPC_ERROR } from "./json-rpc.ts";

export interface ListenerOptions {
  /** Default "127.0.0.1". Anything but loopback is refused by what clients may call it. */
  readonly host?: "127.0.0.1" | "::1";
  /** Default 0: any free one. */
  readonly port?: number;
  readonly log: Log;
}

/** A rollout that can be reached. Disposing it ends its sessions; its URL is unknown from then on. */
export interface Mount extends Disposable {
  readonly url: string;
}

interface Mounted {
  readonly token: string;
  readonly leg: HttpLeg;
}

const PATH = /^\/rollouts\/([A-Za-z0-9_-]{1,80})\/mcp$/;
const KEEP_ALIVE_MS = 75_000;

/**
 * The port at which agents reach their rollouts: `/rollouts/<id>/mcp`, each under a bearer token of
 * its own. A wrong token and an unknown rollout get the same answer.
 */
export class McpListener implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #host: string;
  readonly #log: Log;
  readonly #mounted = new Map<string, Mounted>();
  readonly #nobody = secret();

  /** Rejects with `mcp/listener-failed`. */
  static async open(options: ListenerOptions): Promise<McpListener> {
    const { host = "127.0.0.1", port = 0 } = options;
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port }, resolve);
    try {
      await promise;
    } catch (error) {
      const message = `cannot listen on ${host}:${port}: ${messageOf(error)}`;
      throw mcpFault("listener-failed", message, { cause: error, detail: { host, port } });
    }
    return new McpListener(server, host, options.log);
  }

  private constructor(server: Server, host: string, log: Log) {
    this.#server = server;
    this.#host = host.includes(":") ? `[${host}]` : host;
    this.#log = log;
    this.port = (server.address() as AddressInfo).port;
    server.on("error", (error) => log.error({ error: error.message }, "the MCP listener failed"));
    server.on("request", (request, response) => void this.#handle(request, response));
  }

  /** Opens a rollout's URL. The id must not be mounted already. */
  mount(rolloutId: string, token: string, door: AgentDoor): Mount {
    if (this.#mounted.has(rolloutId)) throw new TypeError(`${rolloutId} is mounted already`);
    const mounted = { token, leg: new HttpLeg(door, this.#log) };
    this.#mounted.set(rolloutId, mounted);
    return {
      url: `http://${this.#host}:${this.port}/rollouts/${rolloutId}/mcp`,
      [Symbol.dispose]: () => {
        if (this.#mounted.get(rolloutId) === mounted) this.#mounted.delete(rolloutId);
        mounted.leg[Symbol.dispose]();
      },
    };
  }

  /** Ends all sessions and connections. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { leg } of this.#mounted.values()) leg[Symbol.dispose]();
    this.#mounted.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", (error) => this.#log.debug({ error: error.message }, "an agent is gone"));
    try {
      const leg = this.#admit(request, response);
      await leg?.handle(request, response);
    } catch (error) {
      this.#log.error({ error: messageOf(error) }, "an MCP request could not be handled");
      answerError(response, 500, RPC_ERROR.internal, "Internal error");
    }
  }

  /** Who asks is settled before anything of the request's content is read. */
  #admit(request: IncomingMessage, response: ServerResponse): HttpLeg | undefined {
    const problem = originProblem(request, this.port);
    if (problem !== undefined) return refuse(request, response, 403, `Forbidden: ${problem}`);
    const id = PATH.exec((request.url ?? "").split("?", 1)[0] ?? "")?.[1];
    if (id === undefined) return refuse(request, response, 404, "There is nothing here");
    const mounted = this.#mounted.get(id);
    const isSame = sameSecret(bearerOf(request) ?? "", mounted?.token ?? this.#nobody);
    if (mounted !== undefined && isSame) return mounted.leg;
    response.setHeader("www-authenticate", "Bearer");
    return refuse(request, response, 401, "The bearer token is missing or wrong");
  }
}

/** The connection ends with the answer, so that a body that nobody wants is not read. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): undefined {
  response.setHeader("connection", "close");
  answerError(response, status, RPC_ERROR.server, message);
  request.resume();
  return undefined;
}
