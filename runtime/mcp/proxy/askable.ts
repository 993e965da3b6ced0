import type { AgentPeer } from "../agent-peer.ts";
import { RPC_ERROR } from "../json-rpc.ts";
import type { JsonRpcMessage } from "../link/server-link.ts";

/** What a client has to be able to do to be asked this. */
export const NEEDS: ReadonlyMap<string, string> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/** Why this agent cannot be asked this by a server; undefined if it can. */
export function askingProblem(
  peer: AgentPeer | undefined,
  method: string,
): JsonRpcMessage["error"] {
  if (peer?.isAskable !== true) {
    return { code: RPC_ERROR.methodNotFound, message: `no client is there to answer ${method}` };
  }
  const needed = NEEDS.get(method);
  const isAble = needed === undefined || peer.capabilities[needed] !== undefined;
  return isAble ? undefined : lackOf(needed);
}

/** The error for a question that takes a capability which the client has not declared. */
export function lackOf(capability: string): NonNullable<JsonRpcMessage["error"]> {
  const message = `the client has not declared the capability "${capability}"`;
  const data = { requiredCapabilities: { [capability]: {} } };
  return { code: RPC_ERROR.missingCapability, message, data };
}
