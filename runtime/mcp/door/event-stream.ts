import type { ServerResponse } from "node:http";

const KEEP_ALIVE_MS = 15_000;
/** A reader this far behind counts as gone: what it does not read would fill our memory. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;

const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** A response that is a stream of server-sent events, kept alive by comments. */
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

  /** One message; with an id, the client can ask for what comes after it. */
  send(text: string, id?: string): void {
    this.#write(`event: message\n${id === undefined ? "" : `id: ${id}\n`}data: ${text}\n\n`);
  }

  /** An event without a message: from now on the client has an id to come back with. */
  prime(id: string, retryMs: number): void {
    this.#write(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`);
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
