import type { ServerResponse } from "node:http";
import type { ResumableStream } from "./event-store.ts";
import { EventStream } from "./event-stream.ts";

/** After this a request without an answer is switched to a stream. */
const STREAM_AFTER_MS = 50;

export interface ExchangeOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Opens the stream's memory, if the client can come back for what it missed. */
  readonly resumable?: (() => ResumableStream) | undefined;
  /** The status of a plain answer. Default 200. */
  readonly status?: (text: string) => number;
  /** The agent closed the connection before it had its answer. */
  readonly onGone: () => void;
}

/**
 * The HTTP response to one request of an agent. It stays open in its form: an answer that comes
 * soon, with nothing before it, is plain JSON, which costs clients far less; as soon as something
 * else comes first, or after 50 ms, it becomes an event stream, so that headers reach the client
 * before it gives up waiting for them.
 */
export class HttpExchange {
  readonly #response: ServerResponse;
  readonly #options: ExchangeOptions;
  #timer: NodeJS.Timeout;
  #stream: EventStream | ResumableStream | undefined;
  #isOver = false;

  constructor(response: ServerResponse, options: ExchangeOptions) {
    this.#response = response;
    this.#options = options;
    this.#timer = setTimeout(() => this.#open(), STREAM_AFTER_MS);
    response.on("close", () => this.#closed());
  }

  /** The answer: the last thing that is sent. */
  finish(text: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#stream !== undefined) {
      this.#stream.send(text);
      this.#end();
      return;
    }
    const bytes = Buffer.byteLength(text);
    const length = { "content-type": "application/json", "content-length": bytes };
    const { headers, status } = this.#options;
    this.#response.writeHead(status?.(text) ?? 200, { ...headers, ...length });
    this.#response.end(text); // As a text it leaves together with its head, in one write.
  }

  /** Something that belongs to the request but does not answer it. */
  send(text: string): void {
    if (!this.#isOver) this.#open().send(text);
  }

  /** Ends the exchange without an answer. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#open();
    this.#end();
  }

  #open(): EventStream | ResumableStream {
    clearTimeout(this.#timer);
    if (this.#stream !== undefined) return this.#stream;
    const output = new EventStream(this.#response, this.#options.headers);
    const resumable = this.#options.resumable?.();
    resumable?.begin(output);
    this.#stream = resumable ?? output;
    return this.#stream;
  }

  #end(): void {
    if (this.#stream instanceof EventStream) this.#stream.close();
    else this.#stream?.end();
  }

  /** A stream that can be resumed goes on without a reader: its answer waits to be fetched. */
  #closed(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    if (this.#stream !== undefined && !(this.#stream instanceof EventStream)) return;
    this.#isOver = true;
    this.#options.onGone();
  }
}
