import type { ServerResponse } from "node:http";

/** After this a request without an answer is switched to a stream. */
const STREAM_AFTER_MS = 50;
const KEEP_ALIVE_MS = 15_000;
/** A reader this far behind counts as gone: what it does not read would fill our memory. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;

const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/**
 * The HTTP response to one request of an agent. It stays open in its form: an answer that comes
 * soon, with nothing before it, is plain JSON, which costs clients far less; as soon as something
 * else comes first, or after 50 ms, it becomes an event stream, so that headers reach the client
 * before it gives up waiting for them.
 */
export class HttpExchange {
  readonly #response: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  #timer: NodeJS.Timeout;
  #stream: EventStream | undefined;
  #isOver = false;

  /** `onGone` is called if the agent closes the connection before it has its answer. */
  constructor(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    onGone: () => void,
  ) {
    this.#response = response;
    this.#headers = headers;
    this.#timer = setTimeout(() => this.#open(), STREAM_AFTER_MS);
    response.on("close", () => {
      clearTimeout(this.#timer);
      if (!this.#isOver) onGone();
      this.#isOver = true;
    });
  }

  /** The answer: the last thing that is sent. */
  finish(text: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#stream !== undefined) {
      this.#stream.send(text);
      this.#stream.close();
      return;
    }
    const bytes = Buffer.from(text, "utf8");
    const length = { "content-type": "application/json", "content-length": bytes.length };
    this.#response.writeHead(200, { ...this.#headers, ...length });
    this.#response.end(bytes);
  }

  /** Something that belongs to the request but does not answer it. */
  send(text: string): void {
    if (!this.#isOver) this.#open().send(text);
  }

  /** Ends the exchange without an answer. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#open().close();
  }

  #open(): EventStream {
    clearTimeout(this.#timer);
    this.#stream ??= new EventStream(this.#response, this.#headers);
    return this.#stream;
  }
}

/** A stream of server-sent events, kept alive by comments. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #timer: NodeJS.Timeout;

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#response = response;
    response.writeHead(200, { ...headers, ...STREAM_HEADERS });
    response.flushHeaders();
    this.#timer = setInterval(() => this.#write(": keepalive\n\n"), KEEP_ALIVE_MS);
    this.#timer.unref();
    response.on("close", () => clearInterval(this.#timer));
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  send(text: string): void {
    this.#write(`event: message\ndata: ${text}\n\n`);
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.isOpen) this.#response.end();
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#response.destroy();
    else this.#response.write(text);
  }
}
