import { exactJson } from "../../base/exact-json.ts";
import type { Log } from "../../base/log.ts";
import type { AgentPeer } from "../agent-peer.ts";
import {
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  progressTokenOf,
  type RequestId,
  RPC_ERROR,
  withProgressToken,
} from "../json-rpc.ts";
import type { JsonRpcMessage } from "../link/server-link.ts";
import type { ServerVoice, Upstream } from "../link/upstream.ts";
import type { WireLog } from "../record/wire-log.ts";
import { askingProblem } from "./askable.ts";
import type { Inquiries } from "./inquiries.ts";
import type { Listeners } from "./listeners.ts";
import { wantsLog } from "./log-levels.ts";
import type { Underway } from "./underway.ts";

const MAX_REQUESTS = 1_000;
const LOGGED_VIOLATIONS = 20;

/** Who is to be told, and as part of which of its requests. */
interface Hearer {
  readonly peer: AgentPeer;
  readonly relatesTo: RequestId | undefined;
}

export interface ServerRequestParts {
  readonly wire: WireLog;
  readonly log: Log;
  readonly inquiries: Inquiries;
  readonly listeners: Listeners;
  /** The request that this server is most likely working on; undefined if there is none. */
  readonly underway: (upstream: Upstream) => Underway | undefined;
  /** Every session. */
  readonly peers: () => Iterable<AgentPeer>;
  /** A server changed what was pinned. */
  readonly onSurfaceChange: (server: string) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Asked {
  readonly upstream: Upstream;
  readonly message: JsonRpcRequest;
  readonly peer: AgentPeer;
}

/**
 * From the servers to the agents: what servers ask (sampling, elicitation, roots) and tell (logs,
 * changes) of their own accord. Requests get ids of the proxy's own, since servers choose theirs
 * without knowing of each other.
 */
export class ServerRequests implements ServerVoice {
  readonly #parts: ServerRequestParts;
  readonly #asked = new Map<number, Asked>();
  #nextId = 1;
  #violations = 0;

  constructor(parts: ServerRequestParts) {
    this.#parts = parts;
  }

  request(upstream: Upstream, message: JsonRpcRequest): void {
    if (message.method === "ping") {
      upstream.send({ jsonrpc: "2.0", id: message.id, result: {} });
      return;
    }
    const underway = this.#parts.underway(upstream);
    if (underway?.peer.era === "modern") {
      this.#parts.inquiries.ask(underway, upstream, message);
      return;
    }
    const hearer = hearerOf(underway) ?? this.#listener(message.method);
    const tooMany = { code: RPC_ERROR.server, message: `more than ${MAX_REQUESTS} are unanswered` };
    const isFull = this.#asked.size >= MAX_REQUESTS;
    const error = isFull ? tooMany : askingProblem(hearer?.peer, message.method);
    if (hearer === undefined || error !== undefined) {
      upstream.send({ jsonrpc: "2.0", id: message.id, ...(error && { error }) });
      return;
    }
    const id = this.#nextId++;
    this.#asked.set(id, { upstream, message, peer: hearer.peer });
    const asks = progressTokenOf(message) !== undefined;
    const params = asks ? { params: withProgressToken(message.params, id) } : {};
    this.#tell(hearer, { ...message, id, ...params });
  }

  notification(upstream: Upstream, message: JsonRpcNotification): void {
    switch (message.method) {
      case "notifications/tools/list_changed":
        // The surface is pinned: a policy is shown the same tools from the first call to the last.
        this.#parts.log.warn({ server: upstream.name }, "a server changed its tools");
        this.#parts.onSurfaceChange(upstream.name);
        return;
      case "notifications/message":
        this.#logged(upstream, message);
        return;
      case "notifications/cancelled":
        this.#cancelled(upstream, message);
        return;
      case "notifications/progress":
        this.violation(upstream, "progress of a request that is not under way");
        return;
      default: {
        const underway = this.#parts.underway(upstream);
        this.#parts.listeners.spread(message, underway?.peer, underway?.message.id);
        return;
      }
    }
  }

  violation(upstream: Upstream, what: string): void {
    this.#violations += 1;
    if (this.#violations > LOGGED_VIOLATIONS) return;
    this.#parts.log.warn({ server: upstream.name, what }, "a server broke the protocol");
  }

  failed(error: unknown): void {
    this.#parts.onFailure(error);
  }

  /** An agent's response. Only the agent that was asked can answer, and once. */
  answer(peer: AgentPeer, { id, ...rest }: JsonRpcResponse): void {
    const asked = typeof id === "number" ? this.#asked.get(id) : undefined;
    if (asked === undefined || asked.peer !== peer) return;
    this.#asked.delete(id as number);
    asked.upstream.send({ ...rest, id: asked.message.id });
  }

  /** An agent tells how far it is with what a server asked. */
  progress(peer: AgentPeer, message: JsonRpcNotification): void {
    const token = message.params?.["progressToken"];
    const asked = typeof token === "number" ? this.#asked.get(token) : undefined;
    if (asked === undefined || asked.peer !== peer) return;
    const progressToken = progressTokenOf(asked.message);
    asked.upstream.send({ ...message, params: { ...message.params, progressToken } });
  }

  /** An agent left: what it was asked is answered with an error, or its server would wait. */
  forget(peer: AgentPeer): void {
    for (const [id, asked] of this.#asked) {
      if (asked.peer !== peer) continue;
      this.#asked.delete(id);
      const error = { code: RPC_ERROR.server, message: "the client ended its session" };
      asked.upstream.send({ jsonrpc: "2.0", id: asked.message.id, error });
    }
  }

  #cancelled(upstream: Upstream, message: JsonRpcNotification): void {
    const theirs = message.params?.["requestId"];
    if (this.#parts.inquiries.withdraw(upstream, theirs)) return;
    for (const [id, asked] of this.#asked) {
      if (asked.upstream !== upstream || asked.message.id !== theirs) continue;
      this.#asked.delete(id);
      const params = { ...message.params, requestId: id };
      this.#tell({ peer: asked.peer, relatesTo: undefined }, { ...message, params });
    }
  }

  /** A log message belongs to the request that its server works on, if there is one. */
  #logged(upstream: Upstream, message: JsonRpcNotification): void {
    const level = message.params?.["level"];
    const hearer = hearerOf(this.#parts.underway(upstream));
    if (hearer !== undefined) {
      if (wantsLog(hearer.peer, level)) this.#tell(hearer, message);
      return;
    }
    for (const peer of this.#parts.peers()) {
      if (!peer.isListening || !wantsLog(peer, level)) continue;
      this.#tell({ peer, relatesTo: undefined }, message);
    }
  }

  #listener(method: string): Hearer | undefined {
    const peer = [...this.#parts.peers()].findLast((one) => {
      return one.isListening && askingProblem(one, method) === undefined;
    });
    return peer === undefined ? undefined : { peer, relatesTo: undefined };
  }

  #tell({ peer, relatesTo }: Hearer, message: JsonRpcMessage): void {
    const text = exactJson(message);
    this.#parts.wire.write("out", peer.name, text);
    peer.send(text, relatesTo);
  }
}

function hearerOf(underway: Underway | undefined): Hearer | undefined {
  return underway && { peer: underway.peer, relatesTo: underway.message.id };
}
