import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { silentLog } from "../../runtime/base/log.ts";
import type { Box, Engine, Sandbox } from "../../runtime/engine/engine.ts";
import type { JsonRpcMessage, ServerLink } from "../../runtime/mcp/link/server-link.ts";
import { openTerminal } from "../../runtime/mcp/terminal/terminal-link.ts";
import { openTestEngine, sandboxImage, smallSpec } from "../support/engine.ts";

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

  static async open(
    box: Box,
    env: Record<string, string> = {},
    isResumed = false,
  ): Promise<TerminalClient> {
    const signal = new AbortController().signal;
    const options = { user: "agent", cwd: "/workspace", env, log: silentLog, signal, isResumed };
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

/** What a test has of the terminal that its suite opened. */
export interface OwnSession {
  readonly terminal: TerminalClient;
  readonly session: string;
  run(command: string, more?: Record<string, unknown>): Promise<ToolReply>;
}

/**
 * For the body of a suite: one sandbox with a terminal for all its tests, and for each test a
 * session of its own, in a folder of its name.
 */
export function ownSessions(): OwnSession {
  let engine: Engine;
  let sandbox: Sandbox;
  let terminal: TerminalClient;
  let count = 0;
  const own = {
    get terminal() {
      return terminal;
    },
    get session() {
      return `s${count}`;
    },
    run: (command: string, more: Record<string, unknown> = {}) =>
      terminal.run(command, { session: own.session, ...more }),
  };
  before(async () => {
    engine = await openTestEngine();
    sandbox = await openSandbox(engine);
    terminal = await TerminalClient.open(sandbox);
  });
  after(async () => {
    await terminal?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    if (count > 0) await terminal.call("close_session", { session: own.session }).catch(() => {});
    count += 1;
    await own.run(`mkdir -p /workspace/${own.session} && cd /workspace/${own.session}`);
  });
  return own;
}
