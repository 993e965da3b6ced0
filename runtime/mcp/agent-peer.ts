import type { RequestId, TakenMessage } from "./json-rpc.ts";
import type { Era } from "./versions.ts";

/**
 * An agent's end of one session, or of one stateless request, whatever transport it came over. The
 * proxy calls these; none of them throws or waits, and an agent that is gone makes them do nothing.
 */
export interface AgentPeer {
  /** In `wire.jsonl`: "agent:1". */
  readonly name: string;
  readonly era: Era;
  /** What the client said that it can do: once at `initialize`, or with the request. */
  capabilities: Readonly<Record<string, unknown>>;
  /** The least severe log message that it wants; undefined if it never said. */
  logLevel: string | undefined;
  /** Whether anybody is there who could answer a request of a server's. */
  readonly isAskable: boolean;
  /** Whether a message that belongs to none of its requests would reach the agent now. */
  readonly isListening: boolean;
  /** The answer to one of its requests, which is over with that. */
  reply(id: RequestId, text: string): void;
  /** A request or notification; with `relatesTo`, on the way on which that request's answer goes. */
  send(text: string, relatesTo: RequestId | undefined): void;
  /** The request gets no answer any more: the agent cancelled it. */
  drop(id: RequestId): void;
}

/** The proxy's end of the same session. */
export interface AgentConnection {
  /** One message of the agent. Messages of one agent come in its order. */
  receive(read: TakenMessage): void;
  /** The agent cancelled a request of its own without a message: it closed the request's stream. */
  cancel(id: RequestId, reason: string): void;
  /** The agent ended the session. Its calls under way run on to their end and are recorded. */
  close(): void;
}

/** What a transport needs of the proxy. */
export interface AgentDoor {
  readonly rolloutId: string;
  /** By the name that agents know: arguments of the tool that are also sent as HTTP headers. */
  readonly headerParams: ReadonlyMap<string, readonly HeaderParam[]>;
  connect(peer: AgentPeer): AgentConnection;
}

/** An argument of a tool whose schema names an HTTP header for it (`x-mcp-header`). */
export interface HeaderParam {
  /** Lower case, with its prefix: "mcp-param-region". */
  readonly header: string;
  /** Where the argument lies, from `arguments` on. */
  readonly path: readonly string[];
}
