import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../base/fault.ts";
import { secret } from "../../base/id.ts";
import type { Log } from "../../base/log.ts";
import type { AgentDoor } from "../agent-peer.ts";
import { RPC_ERROR } from "../json-rpc.ts";
import { answerError } from "./http-body.ts";
import { bearerOf, originProblem, type Reachable, sameSecret } from "./http-guard.ts";
import { StreamableHttp } from "./streamable-http.ts";

export interface EndpointOptions extends Reachable {
  /** What the paths of rollouts are appended to, without a slash at its end: "http://127.0.0.1:80". */
  readonly url: string;
  readonly log: Log;
}

/** A rollout that can be reached. Disposing it ends its sessions; its URL is unknown from then on. */
export interface Mount extends Disposable {
  readonly url: string;
}

interface Mounted {
  readonly token: string;
  readonly http: StreamableHttp;
}

const PATH = /^\/rollouts\/([A-Za-z0-9_-]{1,80})\/mcp$/;

/**
 * Where agents reach their rollouts, on whatever HTTP server: `/rollouts/<id>/mcp`, each under a
 * bearer token of its own, in both eras. A wrong token and an unknown rollout get the same answer.
 * From Hono's Node server: `endpoint.handle(c.env.incoming, c.env.outgoing)`, before anything reads
 * the body, and `RESPONSE_ALREADY_SENT` as the handler's response.
 */
export class McpEndpoint implements Disposable {
  readonly #options: EndpointOptions;
  readonly #mounted = new Map<string, Mounted>();
  readonly #nobody = secret();

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Opens a rollout's URL. The id must not be mounted already. */
  mount(rolloutId: string, token: string, door: AgentDoor): Mount {
    if (this.#mounted.has(rolloutId)) throw new TypeError(`${rolloutId} is mounted already`);
    const mounted = { token, http: new StreamableHttp(door, this.#options.log) };
    this.#mounted.set(rolloutId, mounted);
    return {
      url: `${this.#options.url}/rollouts/${rolloutId}/mcp`,
      [Symbol.dispose]: () => {
        if (this.#mounted.get(rolloutId) === mounted) this.#mounted.delete(rolloutId);
        mounted.http[Symbol.dispose]();
      },
    };
  }

  /** Answers one request, whatever its path, now or when its answer is there. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.#options;
    response.on("error", (error) => log.debug({ error: error.message }, "an agent is gone"));
    try {
      const http = this.#admit(request, response);
      await http?.handle(request, response);
    } catch (error) {
      log.error({ error: messageOf(error) }, "an MCP request could not be handled");
      answerError(response, 500, RPC_ERROR.internal, "Internal error");
    }
  }

  /** Ends all sessions and requests. */
  [Symbol.dispose](): void {
    for (const { http } of this.#mounted.values()) http[Symbol.dispose]();
    this.#mounted.clear();
  }

  /** Who asks is settled before anything of the request's content is read. */
  #admit(request: IncomingMessage, response: ServerResponse): StreamableHttp | undefined {
    const problem = originProblem(request, this.#options);
    if (problem !== undefined) return refuse(request, response, 403, `Forbidden: ${problem}`);
    const id = PATH.exec((request.url ?? "").split("?", 1)[0] ?? "")?.[1];
    if (id === undefined) return refuse(request, response, 404, "There is nothing here");
    const mounted = this.#mounted.get(id);
    const isSame = sameSecret(bearerOf(request) ?? "", mounted?.token ?? this.#nobody);
    if (mounted !== undefined && isSame) return mounted.http;
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
