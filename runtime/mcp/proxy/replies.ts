import { exactJson } from "../../base/exact-json.ts";
import type { AgentPeer } from "../agent-peer.ts";
import { errorText, type RequestId, responseText } from "../json-rpc.ts";
import type { JsonRpcMessage } from "../link/server-link.ts";
import type { WireLog } from "../record/wire-log.ts";
import { resultFrame } from "./result-frame.ts";

/** What leaves for agents, tool calls apart: on record first. Each may throw `mcp/record-failed`. */
export class Replies {
  readonly #wire: WireLog;

  constructor(wire: WireLog) {
    this.#wire = wire;
  }

  /** `json` is the result as JSON, if the caller has it. */
  result(peer: AgentPeer, id: RequestId, method: string, result: unknown, json?: string): void {
    this.#reply(peer, id, resultFrame(peer.era, id, method, result, json));
  }

  error(peer: AgentPeer, id: RequestId, code: number, message: string, data?: unknown): void {
    this.#reply(peer, id, errorText(id, code, message, data));
  }

  /** A server's error, with all that it says. */
  verbatimError(peer: AgentPeer, id: RequestId, error: object): void {
    this.#reply(peer, id, responseText(id, "error", exactJson(error)));
  }

  /** What belongs to a request but does not answer it. */
  tell(peer: AgentPeer, message: JsonRpcMessage, relatesTo: RequestId | undefined): void {
    const text = exactJson(message);
    this.#wire.write("out", peer.name, text);
    peer.send(text, relatesTo);
  }

  #reply(peer: AgentPeer, id: RequestId, text: string): void {
    this.#wire.write("out", peer.name, text);
    peer.reply(id, text);
  }
}
