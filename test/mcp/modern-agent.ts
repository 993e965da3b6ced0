import assert from "node:assert/strict";
import { RawAgent, type RawReply } from "./raw-agent.ts";

const VERSION = "2026-07-28";

export interface ModernOptions {
  /** Added to the usual headers; an empty one is left out. */
  readonly headers?: object;
  /** Added to the usual `_meta`; null for none at all. */
  readonly meta?: object | null;
  readonly version?: string;
}

/** An agent of 2026-07-28 that speaks HTTP by hand and sees every byte that comes back. */
export class ModernAgent {
  readonly raw: RawAgent;
  readonly #capabilities: object;
  #id = 0;

  constructor(
    url: string,
    token: string,
    capabilities: object = { sampling: {}, elicitation: {}, roots: {} },
  ) {
    this.raw = new RawAgent(url, token);
    this.#capabilities = capabilities;
  }

  ask(method: string, params: object, options: ModernOptions = {}): Promise<RawReply> {
    const { headers, meta = {}, version = VERSION } = options;
    const named = params as { name?: string; uri?: string };
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientCapabilities": this.#capabilities,
      "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
      ...meta,
    };
    this.#id += 1;
    return this.raw.send({
      body: {
        jsonrpc: "2.0",
        id: this.#id,
        method,
        params: meta === null ? params : { ...params, _meta },
      },
      headers: {
        "mcp-protocol-version": version,
        "mcp-method": method,
        "mcp-name": named.name ?? named.uri ?? "",
        ...headers,
      },
    });
  }

  /** The result; fails for an error. */
  async result(method: string, params: object): Promise<Record<string, unknown>> {
    const reply = await this.ask(method, params);
    const result = reply.messages.at(-1)?.["result"];
    assert.ok(result, reply.text);
    return result as Record<string, unknown>;
  }
}
