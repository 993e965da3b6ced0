import type { ServerResponse } from "node:http";
import type { AgentConnection, AgentDoor, AgentPeer } from "../agent-peer.ts";
import type { RequestId, TakenMessage } from "../json-rpc.ts";
import { EventStore, type ResumableStream } from "./event-store.ts";
import { EventStream } from "./event-stream.ts";
import { HttpExchange } from "./http-exchange.ts";

/** Streams for what belongs to no request; a client needs one, and a second while it reconnects. */
const MAX_STREAMS = 4;
/** Older clients take the empty event at the start of a stream for broken JSON. */
const RESUMABLE_SINCE = "2025-11-25";

/** One session of Streamable HTTP: an agent that came in by `initialize`. */
export class HttpSession implements AgentPeer {
  readonly id: string;
  readonly name: string;
  readonly era = "legacy";
  readonly isAskable = true;
  capabilities: Readonly<Record<string, unknown>> = {};
  logLevel: string | undefined;
  readonly #connection: AgentConnection;
  readonly #exchanges = new Map<RequestId, HttpExchange>();
  readonly #events: EventStore | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  #streams: (EventStream | ResumableStream)[] = [];

  /** `number` counts the rollout's agents, from 1; `version` is the one that is spoken. */
  constructor(id: string, number: number, version: string, door: AgentDoor) {
    this.id = id;
    this.name = `agent:${number}`;
    this.#headers = { "mcp-session-id": id };
    this.#events = version >= RESUMABLE_SINCE ? new EventStore() : undefined;
    this.#connection = door.connect(this);
  }

  get isListening(): boolean {
    return this.#streams.some(isRead);
  }

  get isBusy(): boolean {
    return this.#exchanges.size > 0;
  }

  /** Whether a request with this id is under way: then another one may not have it. */
  has(id: RequestId): boolean {
    return this.#exchanges.has(id);
  }

  /** A request, answered on this response whenever its answer comes. */
  request(id: RequestId, read: TakenMessage, response: ServerResponse): void {
    const events = this.#events;
    const exchange = new HttpExchange(response, {
      headers: this.#headers,
      resumable: events && (() => events.open()),
      // A client that goes away has not cancelled: the call runs on, only its answer has no reader.
      onGone: () => void this.#exchanges.delete(id),
    });
    this.#exchanges.set(id, exchange);
    this.#connection.receive(read);
  }

  /** A notification or a response of the agent. */
  tell(read: TakenMessage): void {
    this.#connection.receive(read);
  }

  /** Opens a stream for messages that belong to no request. */
  listen(response: ServerResponse): void {
    this.#streams = this.#streams.filter((stream) => isRead(stream) || stream === this.#last());
    if (this.#streams.length >= MAX_STREAMS) end(this.#streams.shift());
    const output = new EventStream(response, this.#headers);
    const resumable = this.#events?.open();
    resumable?.begin(output);
    this.#streams.push(resumable ?? output);
  }

  /** Goes on with a stream that broke. Returns false if what comes after that event is not known. */
  resume(lastEventId: string, response: ServerResponse): boolean {
    const output = () => new EventStream(response, this.#headers);
    return this.#events?.resume(lastEventId, output) ?? false;
  }

  reply(id: RequestId, text: string): void {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    exchange?.finish(text);
  }

  send(text: string, relatesTo: RequestId | undefined): void {
    const exchange = relatesTo === undefined ? undefined : this.#exchanges.get(relatesTo);
    if (exchange !== undefined) exchange.send(text);
    else (this.#streams.findLast(isRead) ?? this.#last())?.send(text);
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
    for (const stream of this.#streams) end(stream);
    this.#events?.close();
  }

  /** Kept though nobody reads it: its client may come back for what it missed. */
  #last(): EventStream | ResumableStream | undefined {
    return this.#streams.at(-1);
  }
}

function isRead(stream: EventStream | ResumableStream): boolean {
  return stream instanceof EventStream ? stream.isOpen : stream.isRead;
}

function end(stream: EventStream | ResumableStream | undefined): void {
  if (stream instanceof EventStream) stream.close();
  else stream?.end();
}
