import { Agent, request } from "node:http";

export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** HTTP by hand over connections that are kept, so that what is measured is the other side. */
export class HttpClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 });
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Rejects if no answer came, or one that says no. */
  ask(url: string, { method, headers = {}, body }: Question): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const all = { ...headers, ...(text === undefined ? {} : jsonHeaders(text)) };
    const options = { method, headers: all, agent: this.#agent, signal: this.#signal };
    const outgoing = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers: received } = response;
        const answer = { status, headers: received, text: Buffer.concat(chunks).toString("utf8") };
        if (status < 300) resolve(answer);
        else reject(new Error(`${method} ${url}: ${status} ${answer.text.slice(0, 500)}`));
      });
    });
    outgoing.on("error", (error) => reject(this.#signal.aborted ? this.#signal.reason : error));
    outgoing.end(text);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function jsonHeaders(text: string): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
  };
}
