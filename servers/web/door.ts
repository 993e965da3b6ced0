import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Web } from "./web.ts";

const BODY_BYTES = 1024 * 1024;
const HEADER_BYTES = 16 * 1024;
const CONNECTIONS = 256;

/** What a visitor may take: nothing that is slow, large or many holds the process up. */
const LIMITS = {
  maxHeaderSize: HEADER_BYTES,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const;

/**
 * The door through which browsers come: HTTP on loopback, answered by `web`. Listens at once and
 * reads nothing until it is asked. Where the port cannot be had it says so on stderr, and
 * `listening` says it too: the tools of the surface work without it.
 */
export class Door {
  readonly #server: Server;
  /** Resolves to what went wrong, or to nothing once it listens. */
  readonly listening: Promise<string | undefined>;

  constructor(port: number, web: () => Promise<Web>) {
    this.#server = createServer(LIMITS, (request, response) => {
      answer(request, response, web).catch((error: unknown) => {
        process.stderr.write(`web: ${error instanceof Error ? error.stack : String(error)}\n`);
        if (response.headersSent) response.destroy();
        else plain(response, 500, "Something went wrong.");
      });
    });
    this.#server.maxConnections = CONNECTIONS;
    this.#server.setTimeout(30_000);
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const large = error.code === "HPE_HEADER_OVERFLOW";
      const status = large ? "431 Request Header Fields Too Large" : "400 Bad Request";
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      else socket.destroy();
    });
    this.listening = new Promise((resolve) => {
      this.#server.once("error", (error) => {
        process.stderr.write(`web: no site can be visited: ${error.message}\n`);
        resolve(error.message);
      });
      this.#server.listen(port, "127.0.0.1", () => resolve(undefined));
    });
    // The process ends with its MCP clients, not with its visitors.
    this.#server.unref();
    this.#server.on("connection", (socket) => socket.unref());
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  web: () => Promise<Web>,
): Promise<void> {
  const { method = "GET", headers } = request;
  const host = hostOf(headers.host);
  if (host === undefined) return plain(response, 400, "The request names no host.");
  if (!["GET", "HEAD", "POST"].includes(method)) {
    response.setHeader("allow", "GET, HEAD, POST");
    return plain(response, 405, `${method} is not used here.`);
  }
  const body = method === "POST" ? await bodyOf(request) : undefined;
  if (body === "large") {
    response.setHeader("connection", "close");
    return plain(response, 413, "What was sent is too large.");
  }
  if (body === "broken") return void response.destroy();
  const target = request.url?.startsWith("/") ? request.url : "/";
  const sent = new Request(`http://${host}${target.replace(/^\/+/, "/")}`, {
    method,
    headers: [...kept(headers)],
    ...(body !== undefined && { body: new Uint8Array(body) }),
  });
  const answered = await (await web()).fetch(sent);
  response.statusCode = answered.status;
  for (const [name, value] of answered.headers) {
    if (name !== "set-cookie") response.setHeader(name, value);
  }
  const cookies = answered.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  finish(response, Buffer.from(await answered.arrayBuffer()), method === "HEAD");
}

/** The name alone, without port; undefined for what is no name. */
function hostOf(header: string | undefined): string | undefined {
  const name = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\.?(?::\d{1,5})?$/i.exec(
    header ?? "",
  )?.[1];
  if (name === undefined || !URL.canParse(`http://${name}/`)) return undefined;
  return name.toLowerCase();
}

function* kept(headers: IncomingMessage["headers"]): Generator<[string, string]> {
  for (const name of ["cookie", "content-type", "accept", "user-agent", "referer"]) {
    const value = headers[name];
    if (typeof value === "string") yield [name, value];
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | "large" | "broken"> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES) return "large";
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_BYTES) return "large";
      chunks.push(chunk);
    }
  } catch {
    return "broken"; // The visitor left in the middle of it.
  }
  return Buffer.concat(chunks);
}

function plain(response: ServerResponse, status: number, sentence: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=UTF-8");
  finish(response, Buffer.from(`${sentence}\n`), false);
}

function finish(response: ServerResponse, body: Buffer, bare: boolean): void {
  // Node would say the machine's time; there is one clock here.
  response.sendDate = false;
  response.setHeader("date", new Date().toUTCString());
  if (response.statusCode !== 204) response.setHeader("content-length", body.length);
  response.end(bare ? undefined : body);
}
