import assert from "node:assert/strict";
import { silentLog } from "../../runtime/base/log.ts";
import type { Box, Engine, Sandbox } from "../../runtime/engine/engine.ts";
import type { JsonRpcMessage, ServerLink } from "../../runtime/mcp/server-link.ts";
import { openTerminal } from "../../runtime/mcp/terminal/terminal-link.ts";
import { sandboxImage, smallSpec } from "../support/engine.ts";

/** A sandbox of the real engine with the agent's user and the usual workspace. */
export async function openSandbox(engine: Engine): Promise<Sandbox> {
  const { keeper: _, ...spec } = smallSpec(await sandboxImage(engine), "test-terminal");
  return await engine.create({ ...spec, users: ["agent"] });
}

export interface ToolReply {
  readonly text: string;
  readonly isError: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it member by member.
  readonly structured: any;
}

/** The terminal as an agent meets it: JSON-RPC over the link. */
export class TerminalClient implements AsyncDisposable {
  readonly link: ServerLink;
  readonly #waiting = new Map<number, (message: JsonRpcMessage) => void>();
  #id = 0;

  static async open(box: Box, env: Record<string, string> = {}): Promise<TerminalClient> {
    const signal = new AbortController().signal;
    const options = { user: "agent", cwd: "/workspace", env, log: silentLog, signal };
    const client = new TerminalClient(await openTerminal(box, options));
    await client.request("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    });
    client.link.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return client;
  }

  private constructor(link: ServerLink) {
    this.link = link;
    link.onMessage((message) => this.#waiting.get(Number(message.id))?.(message));
  }

  get lastId(): number {
    return this.#id;
  }

  request(method: string, params: Record<string, unknown>): Promise<JsonRpcMessage> {
    this.#id += 1;
    const { promise, resolve } = Promise.withResolvers<JsonRpcMessage>();
    this.#waiting.set(this.#id, resolve);
    this.link.send({ jsonrpc: "2.0", id: this.#id, method, params });
    return promise;
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<ToolReply> {
    const { result, error } = await this.request("tools/call", { name, arguments: args });
    assert.equal(error, undefined, JSON.stringify(error));
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const { content, structuredContent, isError = false } = result as any;
    return { text: content[0].text, isError, structured: structuredContent };
  }

  run(command: string, more: Record<string, unknown> = {}): Promise<ToolReply> {
    return this.call("run_command", { command, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
  }
}
