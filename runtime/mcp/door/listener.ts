import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { AgentDoor } from "../agent-peer.ts";
import { mcpFault } from "../faults.ts";
import { McpEndpoint, type Mount } from "./endpoint.ts";
import { localReach } from "./http-guard.ts";

export type { Mount } from "./endpoint.ts";

export interface ListenerOptions {
  /** Default "127.0.0.1". Anything but loopback is refused by what clients may call it. */
  readonly host?: "127.0.0.1" | "::1";
  /** Default 0: any free one. */
  readonly port?: number;
  /** Ports of this machine under which clients reach it too: of what forwards to it. */
  readonly forwardedPorts?: readonly number[];
  readonly log: Log;
}

const KEEP_ALIVE_MS = 75_000;

/** A port of this machine at which agents reach their rollouts, and nothing else. */
export class McpListener implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #endpoint: McpEndpoint;

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
    return new McpListener(server, host, options);
  }

  private constructor(server: Server, host: string, options: ListenerOptions) {
    const { log, forwardedPorts = [] } = options;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    this.#endpoint = new McpEndpoint({ url, log, ...localReach([this.port, ...forwardedPorts]) });
    server.on("error", (error) => log.error({ error: error.message }, "the MCP listener failed"));
    server.on("request", (request, response) => {
      void this.#endpoint.handle(request, response);
    });
  }

  /** Opens a rollout's URL. The id must not be mounted already. */
  mount(rolloutId: string, token: string, door: AgentDoor): Mount {
    return this.#endpoint.mount(rolloutId, token, door);
  }

  /** Ends all sessions and connections. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#endpoint[Symbol.dispose]();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
