import type { AgentPeer } from "../agent-peer.ts";
import { isObject, type JsonRpcRequest } from "../json-rpc.ts";
import { META } from "../versions.ts";

/** A request of an agent that a server works on. Who waits for it changes when it is resumed. */
export interface Underway {
  peer: AgentPeer;
  message: JsonRpcRequest;
  /** Nobody waits for it: the agent was asked for input and has not come back yet. */
  isParked: boolean;
  /** The last frame of the wire log before it was sent, or resumed: a greater one is newer. */
  since: number;
}

/** The one that a server most likely speaks of: what is waited for before what is not, then newer. */
export function likelier(one: Underway | undefined, other: Underway | undefined) {
  if (one === undefined || other === undefined) return one ?? other;
  if (one.isParked !== other.isParked) return one.isParked ? other : one;
  return one.since > other.since ? one : other;
}

/** Members of `_meta` that tell of the way between agent and proxy, and of nothing beyond. */
const OF_THIS_HOP: readonly string[] = [
  META.protocolVersion,
  META.clientInfo,
  META.clientCapabilities,
  META.logLevel,
];

/** A modern request as a server with a session is to see it. */
export function withoutEnvelope(message: JsonRpcRequest): JsonRpcRequest {
  const meta = message.params?.["_meta"];
  if (!isObject(meta)) return message;
  const kept = Object.entries(meta).filter(([key]) => !OF_THIS_HOP.includes(key));
  const { _meta, ...rest } = message.params ?? {};
  const params = kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
  return { ...message, params };
}
