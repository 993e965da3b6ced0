import type { Readable, Writable } from "node:stream";
import { LineSplitter } from "../runtime/mcp/link/json-lines.ts";
import { META, MODERN_VERSION } from "../runtime/mcp/versions.ts";
import type { HttpClient } from "./http-client.ts";

/** Who calls a tool and has its result. */
export interface Caller {
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** A rollout's endpoint, as its view names it. */
export interface Endpoint {
  readonly url: string;
  readonly token: string;
}

const CLIENT = { name: "cloche-bench", version: "1" };
const SESSION_VERSION = "2025-11-25";
const LINE_BYTES = 64 * 1024 * 1024;

/** MCP of 2026-07-28 by hand: each request stands for itself. */
export class StatelessCaller implements Caller {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  #id = 0;

  constructor(http: HttpClient, endpoint: Endpoint) {
    this.#http = http;
    this.#endpoint = endpoint;
  }

  async listTools(): Promise<unknown> {
    return await this.#ask("tools/list", {}, {});
  }

  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return await this.#ask("tools/call", { name, arguments: args }, { "mcp-name": name });
  }

  async #ask(
    method: string,
    params: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    this.#id += 1;
    const _meta = {
      [META.protocolVersion]: MODERN_VERSION,
      [META.clientInfo]: CLIENT,
      [META.clientCapabilities]: {},
    };
    const body = { jsonrpc: "2.0", id: this.#id, method, params: { ...params, _meta } };
    const headers = { "mcp-protocol-version": MODERN_VERSION, "mcp-method": method, ...more };
    const answer = await post(this.#http, this.#endpoint, headers, body);
    return resultOf(answer.text);
  }
}

/** MCP of 2025-11-25 by hand: a session. */
export class SessionCaller implements Caller {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  #headers: Readonly<Record<string, string>>;
  #id = 0;

  private constructor(http: HttpClient, endpoint: Endpoint) {
    this.#http = http;
    this.#endpoint = endpoint;
    this.#headers = {};
  }

  static async open(http: HttpClient, endpoint: Endpoint): Promise<SessionCaller> {
    const caller = new SessionCaller(http, endpoint);
    const params = { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: CLIENT };
    const body = { jsonrpc: "2.0", id: 0, method: "initialize", params };
    const { headers } = await post(http, endpoint, {}, body);
    caller.#headers = {
      "mcp-session-id": String(headers["mcp-session-id"]),
      "mcp-protocol-version": SESSION_VERSION,
    };
    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    await post(http, endpoint, caller.#headers, initialized);
    return caller;
  }

  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#id += 1;
    const params = { name, arguments: args };
    const body = { jsonrpc: "2.0", id: this.#id, method: "tools/call", params };
    return resultOf((await post(this.#http, this.#endpoint, this.#headers, body)).text);
  }
}

/** A server's standard streams, spoken to with nothing between. */
export class LineCaller implements Caller {
  readonly #stdin: Writable;
  readonly #stdout: Readable;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #id = 0;

  private constructor(stdin: Writable, stdout: Readable) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    const lines = new LineSplitter({ lineBytes: LINE_BYTES }, (line) => this.#take(line));
    stdout.on("data", (chunk: Buffer) => lines.push(chunk));
    const lose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the server is gone"));
    };
    stdout.on("close", lose);
    stdin.on("error", lose);
  }

  static async open(stdin: Writable, stdout: Readable): Promise<LineCaller> {
    const caller = new LineCaller(stdin, stdout);
    const params = { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: CLIENT };
    await caller.#ask("initialize", params);
    stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
    return caller;
  }

  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return await this.#ask("tools/call", { name, arguments: args });
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    if (this.#stdout.closed) return Promise.reject(new Error("the server is gone"));
    this.#id += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#id, waiting);
    this.#stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: this.#id, method, params })}\n`);
    return waiting.promise;
  }

  #take(line: string): void {
    const { id } = JSON.parse(line) as { id?: number };
    const waiting = this.#waiting.get(id ?? 0);
    if (id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    try {
      waiting.resolve(resultOf(line));
    } catch (error) {
      waiting.reject(error);
    }
  }
}

async function post(
  http: HttpClient,
  { url, token }: Endpoint,
  more: Readonly<Record<string, string>>,
  body: unknown,
) {
  const headers = {
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${token}`,
    ...more,
  };
  return await http.ask(url, { method: "POST", headers, body });
}

/** The result in a JSON body, or in the last event of a stream; a tool that failed is no figure. */
function resultOf(text: string): unknown {
  const line = text.startsWith("{") ? text : (dataLines(text).at(-1) ?? "{}");
  const message = JSON.parse(line) as { result?: { isError?: boolean }; error?: unknown };
  if (message.result !== undefined && message.result.isError !== true) return message.result;
  throw new Error(`no result came: ${line.slice(0, 500)}`);
}

function dataLines(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => line.slice("data: ".length)).filter((line) => line.startsWith("{"));
}
