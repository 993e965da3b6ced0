import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";

export interface Visit {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The path that was answered last. */
  readonly path: string;
}

export interface VisitorOptions {
  /** Go on to where a redirect leads. Default: yes. */
  readonly follow?: boolean;
}

/** One browser without a screen: it keeps cookies and follows redirects. */
export class Visitor {
  readonly #port: number;
  readonly #host: string;
  cookie = "";

  constructor(port: number, host: string) {
    this.#port = port;
    this.#host = host;
  }

  async get(path: string, options: VisitorOptions = {}): Promise<Visit> {
    return await this.#visit("GET", path, undefined, options);
  }

  async post(
    path: string,
    fields: Readonly<Record<string, string | number>> = {},
    options: VisitorOptions = {},
  ): Promise<Visit> {
    const entries = Object.entries(fields).map(([name, value]) => [name, String(value)]);
    const body = new URLSearchParams(entries as [string, string][]).toString();
    return await this.#visit("POST", path, body, options);
  }

  async #visit(
    method: string,
    path: string,
    body: string | undefined,
    { follow = true }: VisitorOptions,
  ): Promise<Visit> {
    const visit = await send(this.#port, {
      ...{ method, path, body: body ?? "" },
      headers: {
        host: this.#host,
        ...(this.cookie !== "" && { cookie: this.cookie }),
        ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      },
    });
    const [cookie] = [visit.headers["set-cookie"] ?? []].flat();
    if (cookie !== undefined) this.cookie = cookie.split(";", 1)[0] ?? "";
    const { location } = visit.headers;
    if (!follow || typeof location !== "string") return visit;
    return await this.#visit("GET", location, undefined, { follow });
  }
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** One request on a connection of its own. */
export async function send(
  port: number,
  { method, path, body = "", headers }: Sent,
): Promise<Visit> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, text, path });
      });
    });
    sent.end(body);
  });
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
