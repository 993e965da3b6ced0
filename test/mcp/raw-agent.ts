import { request } from "node:http";

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The messages of the body, whether it was JSON or an event stream. */
  readonly messages: readonly Record<string, unknown>[];
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** An agent that speaks HTTP by hand and sees every byte that comes back. */
export class RawAgent {
  readonly url: string;
  readonly token: string;
  session: string | undefined;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  async initialize(capabilities: object = { sampling: {} }): Promise<RawReply> {
    const clientInfo = { name: "raw", version: "1" };
    const params = { protocolVersion: "2025-11-25", capabilities, clientInfo };
    const reply = await this.ask("initialize", params, 0);
    this.session = String(reply.headers["mcp-session-id"]);
    await this.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return reply;
  }

  ask(method: string, params: unknown, id: unknown, signal?: AbortSignal): Promise<RawReply> {
    return this.post({ jsonrpc: "2.0", id, method, params }, signal);
  }

  post(body: unknown, signal?: AbortSignal): Promise<RawReply> {
    return this.send({ method: "POST", body, ...(signal === undefined ? {} : { signal }) });
  }

  /** Sends what it is told; `headers` win over the usual ones, an empty one is left out. */
  send({ method = "POST", headers = {}, body, signal }: RawRequest): Promise<RawReply> {
    const all = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      authorization: `Bearer ${this.token}`,
      ...(this.session === undefined ? {} : { "mcp-session-id": this.session }),
      ...headers,
    };
    const used = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
    const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
    const options = { method, headers: used, agent: false, ...(signal && { signal }) };
    const outgoing = request(this.url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { statusCode = 0, headers: received } = response;
        resolve({ status: statusCode, headers: received, text, messages: messagesOf(text) });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
    return promise;
  }
}

function messagesOf(text: string): Record<string, unknown>[] {
  if (text.startsWith("{")) return [JSON.parse(text)];
  const data = text.split("\n").filter((line) => line.startsWith("data: {"));
  return data.map((line) => JSON.parse(line.slice("data: ".length)));
}
