import type { Client, ClientOptions } from "@modelcontextprotocol/client";
import { RolloutEvidence } from "./evidence.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { ServiceApi, Waiting } from "./service-api.ts";
import { requireTool, type ToolCall, type ToolFormats, type ToolResult } from "./tool-call.ts";
import type { RolloutRecord, RolloutView } from "./wire.ts";

/** The service's own default, where the caller named no lease. */
export const DEFAULT_LEASE_MS = 120_000;
/** A disposal waits this long for the service and then leaves the rest to the lease. */
const DISPOSE_MS = 15_000;

/**
 * A rollout that serves, held by its agent: its lease is renewed until it is finished, cancelled or
 * disposed of. Disposing cancels it if it has not ended, and never throws.
 */
export class Rollout extends RolloutEvidence implements AsyncDisposable {
  readonly mcpUrl: string;
  /** Opens this rollout's MCP endpoint and nothing else. */
  readonly token: string;
  readonly #api: ServiceApi;
  readonly #heartbeat: Heartbeat;
  readonly #sessions = new Set<Client>();
  #record: RolloutRecord | null = null;
  #released = false;

  constructor(api: ServiceApi, view: RolloutView, leaseMs: number) {
    super(api, view);
    this.#api = api;
    this.mcpUrl = view.mcp?.url ?? "";
    this.token = view.mcp?.token ?? "";
    this.#heartbeat = new Heartbeat(leaseMs, (signal) => api.heartbeat(view.id, signal));
  }

  /** The final record, once `finish` or `cancel` gave it. */
  override get record(): RolloutRecord | null {
    return this.#record;
  }

  /** Tools as the agent is shown them, in the form that a model's API takes. Default "mcp". */
  async tools<F extends keyof ToolFormats = "mcp">(
    format?: F,
    { signal }: Waiting = {},
  ): Promise<readonly ToolFormats[F][]> {
    return await this.#api.tools(this.id, format ?? ("mcp" as F), signal);
  }

  /**
   * Calls a tool. What a tool says of its failure is a result (`isError`); only a call that reached
   * no tool throws, with `client/tool-protocol-error`.
   */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: Waiting = {},
  ): Promise<ToolResult> {
    const [result] = await this.callAll([{ name, arguments: args }], options);
    return requireTool(name, result);
  }

  /** Calls tools at once. Results are in the order of the calls; one that reached no tool has an `error`. */
  async callAll(calls: readonly ToolCall[], { signal }: Waiting = {}): Promise<ToolResult[]> {
    return await this.#api.call(this.id, calls, signal);
  }

  /**
   * A session at the endpoint, by the official MCP client (`@modelcontextprotocol/client`, which
   * must be installed). The options are that client's own. Closed with the rollout.
   */
  async mcp(options: ClientOptions = {}): Promise<Client> {
    const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
    const headers = { authorization: `Bearer ${this.token}` };
    const url = new URL(this.mcpUrl);
    const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
    const client = new Client({ name: "cloche-client", version: "0.1.0" }, options);
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    this.#sessions.add(client);
    return client;
  }

  /**
   * The agent is done. The record's `reward` is `{sparse, dense, gain}`, and this rollout's `reward`
   * the one of them that was asked for; null if there is no grade: `outcome` then says why. Also after it ended by itself (budget, lease).
   */
  async finish(answer: string | null = null, { signal }: Waiting = {}): Promise<RolloutRecord> {
    // The heart beats on meanwhile: a finish that gets lost on the way leaves the rollout serving.
    return await this.#ended(await this.#api.finish(this.id, answer, signal));
  }

  /** Gives it up. Also of one that has ended. */
  async cancel({ signal }: Waiting = {}): Promise<RolloutRecord> {
    return await this.#ended(await this.#api.cancel(this.id, signal));
  }

  /** Lets go of it without ending it: no heartbeat, no cancel. Another worker may take it over. */
  async release(): Promise<void> {
    this.#released = true;
    this.#heartbeat.stop();
    await Promise.all([...this.#sessions].map((client) => client.close().catch(() => {})));
    this.#sessions.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#record === null && !this.#released) {
      await this.cancel({ signal: AbortSignal.timeout(DISPOSE_MS) }).catch(() => {});
    }
    await this.release();
  }

  async #ended(record: RolloutRecord): Promise<RolloutRecord> {
    this.#record = record;
    await this.release();
    return record;
  }
}
