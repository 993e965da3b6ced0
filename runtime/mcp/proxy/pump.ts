import { exactJson } from "../../base/exact-json.ts";
import type { Log } from "../../base/log.ts";
import type { AgentPeer } from "../agent-peer.ts";
import {
  isObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
  RPC_ERROR,
  type TakenMessage,
} from "../json-rpc.ts";
import type { Upstream } from "../link/upstream.ts";
import type { WireLog } from "../record/wire-log.ts";
import { META, MODERN_VERSION, spokenVersion } from "../versions.ts";
import type { Inquiries } from "./inquiries.ts";
import type { Listeners } from "./listeners.ts";
import type { LogLevels } from "./log-levels.ts";
import type { OtherRequests } from "./other-requests.ts";
import type { Replies } from "./replies.ts";
import type { ServerRequests } from "./server-requests.ts";
import type { GreetedServer, JoinedServers } from "./surface.ts";
import type { ToolCalls } from "./tool-calls.ts";
import { likelier, type Underway } from "./underway.ts";

/** Methods of sessions that 2026-07-28 no longer has. */
const REMOVED: readonly string[] = [
  "initialize",
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
];

/**
 * What agents may say in one rollout. It is written down, graded and kept: without a bound it fills
 * disks, and a grader that cannot take it in would cost the rollout its reward.
 */
const MAX_SAID_BYTES = 32 * 1024 * 1024;
/** What the smallest value takes in memory, however short its text. */
const VALUE_BYTES = 64;

export interface PumpParts {
  readonly servers: readonly GreetedServer[];
  readonly joined: JoinedServers;
  readonly calls: ToolCalls;
  readonly others: OtherRequests;
  readonly inquiries: Inquiries;
  readonly serverRequests: ServerRequests;
  readonly listeners: Listeners;
  readonly levels: LogLevels;
  readonly replies: Replies;
  readonly peers: () => Iterable<AgentPeer>;
  readonly wire: WireLog;
  readonly log: Log;
  /** The agents have said more than they may. */
  readonly onTooMuch: (message: string) => void;
}

/**
 * From the agents to the servers, in both eras. Messages pass as they are but for ids, progress
 * tokens and, where servers are joined, names. What is pinned for the rollout (`initialize`,
 * `server/discover`, `tools/list`) is answered here.
 */
export class Pump {
  readonly #parts: PumpParts;
  readonly #toolsJson: string;
  #over: string | undefined;
  #said = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#toolsJson = exactJson({ tools: parts.joined.surface.tools });
  }

  /** From now on no request reaches a server any more; tool calls are refused elsewhere. */
  stop(reason: string): void {
    this.#over = reason;
    this.#parts.listeners.stop();
  }

  /** The agent's request that this server most likely works on. */
  underway(upstream: Upstream): Underway | undefined {
    const { calls, others } = this.#parts;
    return likelier(calls.underwayAt(upstream), others.underwayAt(upstream));
  }

  /** Handles one message of an agent. @throws Fault `mcp/record-failed` */
  fromAgent(peer: AgentPeer, read: TakenMessage): void {
    const bytes = Buffer.byteLength(read.text);
    this.#said += bytes + VALUE_BYTES * valuesIn(read.message);
    if (this.#said > MAX_SAID_BYTES) {
      this.#refuseUnread(peer, read, bytes);
      return;
    }
    const frame = this.#parts.wire.write("in", peer.name, read.text);
    if (read.kind === "request") {
      const { message, problem } = read;
      if (problem !== undefined) this.#parts.calls.accept(peer, message, frame, problem);
      else if (peer.era === "modern") this.#modernRequest(peer, message, frame);
      else this.#request(peer, message, frame);
    } else if (read.kind === "response") {
      this.#parts.serverRequests.answer(peer, read.message);
    } else if (peer.era === "legacy") {
      this.#notification(peer, read.message);
    }
  }

  /** An agent gives up a request of its own. */
  cancel(peer: AgentPeer, id: unknown, reason: string): void {
    const { calls, others, listeners } = this.#parts;
    if (calls.cancel(peer, id, reason) || others.cancel(peer, id, reason)) return;
    listeners.cancel(peer, id);
  }

  /** Of what is said beyond the bound nothing is kept but that it was said. */
  #refuseUnread(peer: AgentPeer, read: TakenMessage, bytes: number): void {
    if (read.kind !== "request") return;
    const { id, method, params } = read.message;
    const name = String(params?.["name"]).slice(0, 128);
    const note = { name, _meta: { "cloche/left_out": { bytes } } };
    const short = { jsonrpc: "2.0", id, method: method.slice(0, 128), params: note } as const;
    const reason =
      `The agent has said more than ${MAX_SAID_BYTES} bytes in this rollout: this call was not ` +
      "made, and the rollout is over.";
    if (this.#over === undefined) this.#parts.onTooMuch(reason);
    const frame = this.#parts.wire.write("in", peer.name, JSON.stringify(short));
    if (method === "tools/call") this.#parts.calls.accept(peer, short, frame);
    else this.#parts.replies.error(peer, id, RPC_ERROR.server, reason);
  }

  #request(peer: AgentPeer, message: JsonRpcRequest, frame: number): void {
    const { replies, calls } = this.#parts;
    const { id, method } = message;
    switch (method) {
      case "initialize":
        replies.result(peer, id, method, this.#greeting(peer, message));
        return;
      case "ping":
        replies.result(peer, id, method, {});
        return;
      case "tools/list":
        replies.result(peer, id, method, {}, this.#toolsJson);
        return;
      case "tools/call":
        calls.accept(peer, message, frame);
        return;
      default:
        this.#forward(peer, message);
        return;
    }
  }

  #modernRequest(peer: AgentPeer, message: JsonRpcRequest, frame: number): void {
    const { replies, levels, inquiries, calls, listeners } = this.#parts;
    const { id, method } = message;
    if (REMOVED.includes(method)) {
      replies.error(peer, id, RPC_ERROR.methodNotFound, `Method not found: ${method}`);
      return;
    }
    if (method === "server/discover") {
      replies.result(peer, id, method, this.#discovered());
      return;
    }
    if (method === "tools/list") {
      replies.result(peer, id, method, {}, this.#toolsJson);
      return;
    }
    if (method === "subscriptions/listen") {
      const problem = this.#over ?? listeners.listen(peer, message);
      if (problem !== undefined) replies.error(peer, id, RPC_ERROR.invalidParams, problem);
      return;
    }
    if (this.#over === undefined) levels.need(peer.logLevel);
    const fresh = inquiries.resume(peer, message);
    if (fresh === undefined) return;
    if (method === "tools/call") calls.accept(peer, fresh, frame);
    else this.#forward(peer, fresh);
  }

  #greeting(peer: AgentPeer, { params }: JsonRpcRequest): Readonly<Record<string, unknown>> {
    const { log, joined } = this.#parts;
    log.debug({ client: params?.["clientInfo"] }, "an agent opened a session");
    const capabilities = params?.["capabilities"];
    if (isObject(capabilities)) peer.capabilities = capabilities;
    const protocolVersion = spokenVersion(params?.["protocolVersion"]);
    return { ...joined.initializeResult, protocolVersion };
  }

  #discovered(): Readonly<Record<string, unknown>> {
    const { capabilities, instructions, serverInfo } = this.#parts.joined.initializeResult;
    return {
      supportedVersions: [MODERN_VERSION],
      capabilities,
      ...(instructions === undefined ? {} : { instructions }),
      _meta: { [META.serverInfo]: serverInfo },
    };
  }

  #forward(peer: AgentPeer, message: JsonRpcRequest): void {
    const { replies, others } = this.#parts;
    if (this.#over !== undefined) {
      replies.error(peer, message.id, RPC_ERROR.server, this.#over);
      return;
    }
    const asked = this.#remembered(peer, message);
    if (asked !== undefined) others.forward(peer, asked);
  }

  /** Keeps what a session asks for once and for all. Undefined if servers need not be asked. */
  #remembered(peer: AgentPeer, message: JsonRpcRequest): JsonRpcRequest | undefined {
    const { levels, listeners, replies, peers } = this.#parts;
    const { id, method, params } = message;
    if (method === "logging/setLevel") {
      return {
        ...message,
        params: { ...params, level: levels.set(peer, params?.["level"], peers()) },
      };
    }
    const uri = params?.["uri"];
    if (typeof uri !== "string") return message;
    if (method === "resources/subscribe") listeners.watch(peer, uri);
    if (method !== "resources/unsubscribe" || !listeners.unwatch(peer, uri)) return message;
    replies.result(peer, id, method, {});
    return undefined;
  }

  #notification(peer: AgentPeer, message: JsonRpcNotification): void {
    if (message.method === "notifications/initialized") return;
    if (message.method === "notifications/cancelled") {
      const { requestId, reason } = message.params ?? {};
      const why = typeof reason === "string" ? reason : "the agent cancelled";
      this.cancel(peer, requestId as RequestId, why);
      return;
    }
    if (this.#over !== undefined) return;
    if (message.method === "notifications/progress") {
      this.#parts.serverRequests.progress(peer, message);
      return;
    }
    for (const { upstream } of this.#parts.servers) upstream.send(message);
  }
}

/** How many values there are in a message, itself among them. It is not deep: that was checked. */
function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const member of Object.values(value)) count += valuesIn(member);
  return count;
}
