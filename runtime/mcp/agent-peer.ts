import type { RequestId } from "./json-rpc.ts";

/**
 * An agent's end of one session, whatever transport it came over. The proxy calls these; none of
 * them throws or waits, and an agent that is gone makes them do nothing.
 */
export interface AgentPeer {
  /** In `wire.jsonl`: "agent:1". */
  readonly name: string;
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
  /** One message of the agent; `text` is what it sent. Messages of one agent come in its order. */
  receive(message: unknown, text: string): void;
  /** The agent ended the session. Its calls under way run on to their end and are recorded. */
  close(): void;
}

/** What a transport needs of the proxy. */
export interface AgentDoor {
  readonly rolloutId: string;
  connect(peer: AgentPeer): AgentConnection;
}
