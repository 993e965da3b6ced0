import type { Readable } from "node:stream";
import { isObject } from "../mcp/json-rpc.ts";
import { ANSWER_BYTES_MAX } from "./python-module.ts";

/**
 * What the grader's program prints: requests of its host are taken out as they come, the rest is
 * kept, of all together the beginning. Nothing but that program can write there.
 */
export class GraderOutput {
  /** Settles at the end of the output; never rejects. */
  readonly over: Promise<void>;
  #nonce: string | undefined;
  #rest: Buffer[] = [];
  #kept: Buffer[] = [];
  #room = ANSWER_BYTES_MAX;
  readonly #requests: unknown[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(stream: Readable) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    for (const over of ["end", "close", "error"]) stream.on(over, () => resolve());
    void promise.then(() => this.#wake.resolve());
  }

  /** Requests are known by it. */
  expect(nonce: string): void {
    this.#nonce = nonce;
  }

  /** The next request; undefined once the output is over and there is none. */
  async next(): Promise<unknown> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined) return request;
      const isOver = await Promise.race([this.over.then(() => true), this.#wake.promise]);
      if (isOver === true && this.#requests.length === 0) return undefined;
      this.#wake = Promise.withResolvers<void>();
    }
  }

  /** What was printed so far beside requests: its beginning. */
  bytes(): Buffer {
    return Buffer.concat([...this.#kept, ...this.#rest]);
  }

  #take(chunk: Buffer): void {
    let rest = chunk.subarray(0, this.#room);
    this.#room -= rest.length;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      this.#line(Buffer.concat([...this.#rest, rest.subarray(0, end + 1)]));
      this.#rest = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#rest.push(rest);
  }

  #line(line: Buffer): void {
    const request = this.#requestIn(line);
    if (request === undefined) {
      this.#kept.push(line);
      return;
    }
    this.#requests.push(request);
    this.#wake.resolve();
  }

  #requestIn(line: Buffer): unknown {
    if (this.#nonce === undefined || !line.includes('"execute"')) return undefined;
    try {
      const message: unknown = JSON.parse(line.toString("utf8"));
      if (!isObject(message) || message["nonce"] !== this.#nonce) return undefined;
      return message["execute"];
    } catch {
      return undefined;
    }
  }
}
