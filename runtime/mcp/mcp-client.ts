import {
  Client,
  ProtocolError,
  SdkHttpError,
  type StandardSchemaV1,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { mcpFault } from "./faults.ts";
import { RPC_ERROR } from "./json-rpc.ts";
import type { ToolInfo } from "./link/handshake.ts";
import { type CalledTool, calledTool } from "./proxy/direct-caller.ts";

/** A session at a rollout's endpoint, as any agent could open one. */
export interface McpClient extends AsyncDisposable {
  listTools(): Promise<readonly ToolInfo[]>;
  /**
   * Calls a tool and hands on what came back as it is, valid by the tool's schema or not. Takes as
   * long as it takes: only `signal` ends it early, which cancels the call. Rejects with
   * `mcp/endpoint-unreachable` if the connection is lost, or with the signal's reason.
   */
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CalledTool>;
  /** Ends the session. Idempotent; never throws. */
  close(): Promise<void>;
}

/** A client's own time limit cannot be switched off, only put beyond reach (24 days). */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Answers of HTTP to a message itself: not one (too deep, numbers too large), or too long. */
const REFUSED: readonly number[] = [400, 413];

/** Opens a session. `signal` ends it, and every call. Rejects with `mcp/endpoint-unreachable`. */
export async function connectClient(
  url: string,
  token: string,
  signal: AbortSignal,
): Promise<McpClient> {
  signal.throwIfAborted();
  const headers = { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  const client = new Client({ name: "cloche-policy", version: "0.1.0" });
  try {
    await client.connect(transport as Parameters<Client["connect"]>[0], { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable("open a session at", url, error);
  }
  return new SessionClient(client, transport, url, signal);
}

class SessionClient implements McpClient {
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport;
  readonly #url: string;
  readonly #signal: AbortSignal;
  #closed: Promise<void> | undefined;

  constructor(
    client: Client,
    transport: StreamableHTTPClientTransport,
    url: string,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#transport = transport;
    this.#url = url;
    this.#signal = signal;
  }

  async listTools(): Promise<readonly ToolInfo[]> {
    const listed = await this.#request("tools/list", {}, this.#signal);
    if ("result" in listed && Array.isArray(listed.result["tools"])) {
      return listed.result["tools"] as ToolInfo[];
    }
    throw unreachable("list the tools of", this.#url, new Error(JSON.stringify(listed)));
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<CalledTool> {
    const { signal } = options;
    const either = signal === undefined ? this.#signal : AbortSignal.any([this.#signal, signal]);
    return await this.#request("tools/call", { name, arguments: args }, either);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #request(
    method: string,
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<CalledTool> {
    const options = { signal, timeout: NO_TIMEOUT_MS, maxTotalTimeout: NO_TIMEOUT_MS };
    try {
      const result = await this.#client.request({ method, params }, asItIs, options);
      return calledTool(result);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProtocolError) {
        return { error: { code: error.code, message: error.message } };
      }
      // What cannot even be taken in was the caller's to make smaller; the endpoint is still there.
      if (error instanceof SdkHttpError && REFUSED.includes(error.status ?? 0)) {
        return { error: { code: RPC_ERROR.server, message: error.message } };
      }
      throw asFault(error, (cause) => unreachable("call a tool at", this.#url, cause));
    }
  }

  async #close(): Promise<void> {
    // The rollout may be gone, and its session with it: then there is nothing left to end.
    await this.#transport.terminateSession().catch(() => {});
    await this.#client.close().catch(() => {});
  }
}

/** Results pass as they came: what a tool said is for the policy to judge. */
const asItIs: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "cloche", validate: (value) => ({ value }) },
};

function unreachable(what: string, url: string, cause: unknown): Fault {
  const message = `could not ${what} ${url}: ${messageOf(cause)}`;
  return mcpFault("endpoint-unreachable", message, { cause });
}
