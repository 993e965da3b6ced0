import type { ServerResponse } from "node:http";
import type { AgentConnection, AgentDoor, AgentPeer } from "./agent-peer.ts";
import { EventStream, HttpExchange } from "./http-exchange.ts";
import type { RequestId } from "./json-rpc.ts";

/** Streams for what belongs to no request; a client needs one, and a second while it reconnects. */
const MAX_STREAMS = 4;

/** One session of Streamable HTTP: an agent that came in by `initialize`. */
export class HttpSession implements AgentPeer {
  readonly id: string;
  readonly name: string;
  readonly #connection: AgentConnection;
  readonly #exchanges = new Map<RequestId, HttpExchange>();
  #streams: EventStream[] = [];

  /** `number` counts the sessions of the rollout, from 1. */
  constructor(id: string, number: number, door: AgentDoor) {
    this.id = id;
    this.name = `agent:${number}`;
    this.#connection = door.connect(this);
  }

  get isListening(): boolean {
    return this.#streams.some(({ isOpen }) => isOpen);
  }

  get isBusy(): boolean {
    return this.#exchanges.size > 0;
  }

  /** Whether a request with this id is under way: then another one may not have it. */
  has(id: RequestId): boolean {
    return this.#exchanges.has(id);
  }

  /** A request, answered on this response whenever its answer comes. */
  request(id: RequestId, value: unknown, text: string, response: ServerResponse): void {
    const headers = { "mcp-session-id": this.id };
    // A client that goes away has not cancelled: the call runs on, only its answer has no reader.
    const gone = () => void this.#exchanges.delete(id);
    this.#exchanges.set(id, new HttpExchange(response, headers, gone));
    this.#connection.receive(value, text);
  }

  /** A notification or a response of the agent. */
  tell(value: unknown, text: string): void {
    this.#connection.receive(value, text);
  }

  /** Opens a stream for messages that belong to no request. */
  listen(response: ServerResponse): void {
    const open = this.#streams.filter(({ isOpen }) => isOpen);
    if (open.length >= MAX_STREAMS) open.shift()?.close();
    const stream = new EventStream(response, { "mcp-session-id": this.id });
    this.#streams = [...open, stream];
  }

  reply(id: RequestId, text: string): void {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    exchange?.finish(text);
  }

  send(text: string, relatesTo: RequestId | undefined): void {
    const exchange = relatesTo === undefined ? undefined : this.#exchanges.get(relatesTo);
    if (exchange !== undefined) exchange.send(text);
    else this.#streams.findLast(({ isOpen }) => isOpen)?.send(text);
  }

  drop(id: RequestId): void {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    exchange?.drop();
  }

  /** Ends the session; its calls under way run on at the servers and are recorded. */
  close(): void {
    this.#connection.close();
    for (const exchange of this.#exchanges.values()) exchange.drop();
    this.#exchanges.clear();
    for (const stream of this.#streams) stream.close();
  }
}
