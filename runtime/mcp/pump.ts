import type { Log } from "../base/log.ts";
import type { AgentPeer } from "./agent-peer.ts";
import {
  checkMessage,
  errorText,
  isObject,
  isRequestId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  progressTokenOf,
  type RequestId,
  RPC_ERROR,
  responseText,
} from "./json-rpc.ts";
import { noteOwners, type Route, routeOf } from "./routing.ts";
import type { JsonRpcMessage } from "./server-link.ts";
import type { Hearer, ServerRequests } from "./server-requests.ts";
import type { GreetedServer, JoinedServers } from "./surface.ts";
import type { ToolCalls } from "./tool-calls.ts";
import type { Upstream } from "./upstream.ts";
import type { WireLog } from "./wire-log.ts";

/** Versions with sessions whose messages are the same to a proxy; newest first. */
const AGENT_VERSIONS: readonly string[] = ["2025-11-25", "2025-06-18"];

/** Requests other than tool calls that may be under way at once, over all sessions. */
const MAX_OTHER_REQUESTS = 256;

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
  readonly serverRequests: ServerRequests;
  readonly wire: WireLog;
  readonly log: Log;
  /** The agents have said more than they may. */
  readonly onTooMuch: (message: string) => void;
}

/** A request of an agent, other than a tool's call, that a server is working on. */
interface OtherRequest {
  readonly peer: AgentPeer;
  readonly message: JsonRpcRequest;
  readonly upstream: Upstream;
  upstreamId: number;
}

/**
 * From the agents to the servers. Messages pass as they are but for ids, progress tokens and,
 * where servers are joined, names. What is pinned for the rollout (`initialize`, `tools/list`) is
 * answered here.
 */
export class Pump {
  readonly #parts: PumpParts;
  readonly #others = new Set<OtherRequest>();
  readonly #owners = new Map<string, GreetedServer>();
  #over: string | undefined;
  #said = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** From now on no request reaches a server any more; tool calls are refused elsewhere. */
  stop(reason: string): void {
    this.#over = reason;
  }

  /** The agent whose request this server works on, the newest first. */
  hearer(upstream: Upstream): Hearer | undefined {
    const call = this.#parts.calls.newest(upstream);
    const request = call ?? [...this.#others].findLast((other) => other.upstream === upstream);
    return request && { peer: request.peer, relatesTo: request.message.id };
  }

  /** Handles one message of an agent. @throws Fault `mcp/record-failed` */
  fromAgent(peer: AgentPeer, value: unknown, text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#said += bytes + VALUE_BYTES * valuesIn(value);
    if (this.#said > MAX_SAID_BYTES) {
      this.#refuseUnread(peer, value, bytes);
      return;
    }
    const frame = this.#parts.wire.write("in", peer.name, text);
    const read = checkMessage(value);
    if (read.kind === "request") {
      this.#request(peer, read.message, frame);
      return;
    }
    if (read.kind === "notification") {
      this.#notification(peer, read.message);
      return;
    }
    if (read.kind === "response") {
      this.#parts.serverRequests.answer(peer, read.message);
    } else {
      this.#parts.log.info(
        { peer: peer.name, reason: read.reason },
        "an agent's frame is no message",
      );
    }
  }

  /** Of what is said beyond the bound nothing is kept but that it was said. */
  #refuseUnread(peer: AgentPeer, value: unknown, bytes: number): void {
    const read = checkMessage(value);
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
    else this.#error(peer, id, RPC_ERROR.server, reason);
  }

  #request(peer: AgentPeer, message: JsonRpcRequest, frame: number): void {
    const { joined, calls } = this.#parts;
    switch (message.method) {
      case "initialize":
        this.#result(peer, message.id, this.#greeting(message));
        return;
      case "ping":
        this.#result(peer, message.id, {});
        return;
      case "tools/list":
        this.#result(peer, message.id, { tools: joined.surface.tools });
        return;
      case "tools/call":
        calls.accept(peer, message, frame);
        return;
      default:
        this.#forward(peer, message);
        return;
    }
  }

  #greeting({ params }: JsonRpcRequest): Readonly<Record<string, unknown>> {
    const { log, joined } = this.#parts;
    log.debug({ client: params?.["clientInfo"] }, "an agent opened a session");
    const asked = params?.["protocolVersion"];
    const known = typeof asked === "string" && AGENT_VERSIONS.includes(asked);
    const protocolVersion = known ? asked : AGENT_VERSIONS[0];
    return { ...joined.initializeResult, protocolVersion };
  }

  #forward(peer: AgentPeer, message: JsonRpcRequest): void {
    if (this.#over !== undefined) {
      this.#error(peer, message.id, RPC_ERROR.server, this.#over);
      return;
    }
    if (this.#others.size >= MAX_OTHER_REQUESTS) {
      const reason = `more than ${MAX_OTHER_REQUESTS} requests are under way`;
      this.#error(peer, message.id, RPC_ERROR.server, reason);
      return;
    }
    const { method, params } = message;
    const route = routeOf(method, params, this.#parts.servers, this.#owners);
    if (route.kind === "one") {
      this.#forwardOne(peer, message, route.server.upstream);
      return;
    }
    if (route.kind === "all") {
      this.#forwardAll(peer, message, route);
      return;
    }
    this.#error(peer, message.id, RPC_ERROR.methodNotFound, `Method not found: ${method}`);
  }

  #forwardOne(peer: AgentPeer, message: JsonRpcRequest, upstream: Upstream): void {
    const other: OtherRequest = { peer, message, upstream, upstreamId: 0 };
    this.#others.add(other);
    other.upstreamId = upstream.request(message, {
      answered: ({ result, error }) => {
        this.#others.delete(other);
        if (error === undefined) this.#result(peer, message.id, result);
        else
          this.#reply(peer, message.id, responseText(message.id, "error", JSON.stringify(error)));
      },
      lost: ({ reason }) => {
        this.#others.delete(other);
        const gone = `the server "${upstream.name}" is gone: ${reason}`;
        this.#error(peer, message.id, RPC_ERROR.server, gone);
      },
      progress: ({ params, ...rest }) => {
        const progressToken = progressTokenOf(message);
        if (progressToken === undefined) return;
        this.#toAgent(peer, { ...rest, params: { ...params, progressToken } }, message.id);
      },
    });
  }

  /** Asks several servers and answers once all have: with the joined list, or with the last answer. */
  #forwardAll(
    peer: AgentPeer,
    message: JsonRpcRequest,
    { servers, member }: Extract<Route, { kind: "all" }>,
  ): void {
    const { params, ...rest } = message;
    const lists: unknown[][] = servers.map(() => []);
    let left = servers.length;
    const done = () => {
      left -= 1;
      if (left > 0) return;
      this.#result(peer, message.id, member === undefined ? {} : { [member]: lists.flat() });
    };
    for (const [index, server] of servers.entries()) {
      const asked =
        member === undefined ? { ...rest, params: params ?? {} } : { ...rest, params: {} };
      server.upstream.request(asked, {
        answered: ({ result }) => {
          const list = member !== undefined && isObject(result) ? result[member] : undefined;
          if (member !== undefined) noteOwners(this.#owners, server, member, list);
          if (Array.isArray(list)) lists[index] = list;
          done();
        },
        lost: done,
      });
    }
  }

  #notification(peer: AgentPeer, message: JsonRpcNotification): void {
    if (message.method === "notifications/initialized") return;
    if (message.method === "notifications/cancelled") {
      this.#cancelled(peer, message);
      return;
    }
    if (this.#over !== undefined) return;
    if (message.method === "notifications/progress") {
      this.#parts.serverRequests.progress(peer, message);
      return;
    }
    for (const { upstream } of this.#parts.servers) upstream.send(message);
  }

  #cancelled(peer: AgentPeer, { params }: JsonRpcNotification): void {
    const id = params?.["requestId"];
    const said = params?.["reason"];
    const reason = typeof said === "string" ? said : "the agent cancelled";
    if (this.#parts.calls.cancel(peer, id, reason)) return;
    for (const other of this.#others) {
      if (other.peer !== peer || other.message.id !== id) continue;
      this.#others.delete(other);
      other.upstream.cancel(other.upstreamId, reason);
      if (isRequestId(id)) peer.drop(id);
    }
  }

  #result(peer: AgentPeer, id: RequestId, result: unknown): void {
    this.#reply(peer, id, responseText(id, "result", JSON.stringify(result)));
  }

  #error(peer: AgentPeer, id: RequestId, code: number, message: string): void {
    this.#reply(peer, id, errorText(id, code, message));
  }

  #reply(peer: AgentPeer, id: RequestId, text: string): void {
    this.#parts.wire.write("out", peer.name, text);
    peer.reply(id, text);
  }

  #toAgent(peer: AgentPeer, message: JsonRpcMessage, relatesTo: RequestId): void {
    const text = JSON.stringify(message);
    this.#parts.wire.write("out", peer.name, text);
    peer.send(text, relatesTo);
  }
}

/** How many values there are in a message, itself among them. It is not deep: that was checked. */
function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const member of Object.values(value)) count += valuesIn(member);
  return count;
}
