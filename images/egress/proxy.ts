import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type AllowedHost, allowedHost, hostName } from "../../runtime/base/host-name.ts";
import { type AddressCheck, type AddressRules, addressCheck } from "./address.ts";
import { type EgressRecord, Note, Refused, textOf } from "./record.ts";

export interface EgressOptions {
  /** As `allowedHost` reads them. */
  readonly hosts: readonly string[];
  readonly rules?: AddressRules;
  /** All addresses of a name. It is asked once; what it says is where the connection goes. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly onRecord: (record: EgressRecord) => void;
  /** Default 128 at once, 10,000 in all, 256 MiB each way in all, 60 s without a byte. */
  readonly limits?: Partial<EgressLimits>;
}

export interface EgressLimits {
  readonly connections: number;
  readonly requests: number;
  readonly bytes: number;
  readonly idleMs: number;
}

const LIMITS: EgressLimits = {
  connections: 128,
  requests: 10_000,
  bytes: 256 * 1024 * 1024,
  idleMs: 60_000,
};
const HEAD_BYTES_MAX = 16 * 1024;

/** Headers that are between two neighbours, or for the proxy alone. */
const NOT_PASSED = [
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
].concat(["trailer", "transfer-encoding", "upgrade", "host"]);

interface Target extends AllowedHost {
  readonly address: string;
}

/**
 * An HTTP proxy (CONNECT, and requests with a whole URL) that reaches the hosts of a list and nothing
 * else. It resolves names itself, refuses a name of whose addresses any may not be reached, and
 * connects to the very address that it has checked. Redirects are for the client to follow: each is
 * a request of its own.
 */
export class EgressProxy {
  readonly #options: EgressOptions;
  readonly #limits: EgressLimits;
  readonly #allowed: readonly AllowedHost[];
  readonly #check: AddressCheck;
  readonly #server: Server;
  readonly #clients = new Set<Duplex>();
  #requests = 0;
  #bytes = { in: 0, out: 0 };

  /** @throws Error for a host that is none */
  constructor(options: EgressOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#allowed = options.hosts.map((entry) => {
      const allowed = allowedHost(entry);
      if (allowed === undefined) throw new Error(`"${entry}" is no host name with a port`);
      return allowed;
    });
    this.#check = addressCheck(options.rules);
    this.#server = createServer({ maxHeaderSize: HEAD_BYTES_MAX });
    this.#server.on("request", (message, response) => {
      void this.#forward(message, response);
    });
    this.#server.on("connect", (message: IncomingMessage, client: Duplex, head: Buffer) => {
      void this.#tunnel(message, client, head);
    });
  }

  /** Serves one connection of a client until either side ends it. */
  serve(client: Duplex): void {
    if (this.#clients.size >= this.#limits.connections) {
      client.destroy();
      return;
    }
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    client.on("error", () => client.destroy());
    this.#server.emit("connection", client);
  }

  async #tunnel(message: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const note = this.#note("CONNECT", message.url ?? "");
    try {
      const target = await this.#targetOf(message.url ?? "", note);
      const upstream = await this.#connected(target, note);
      if (client.destroyed) upstream.destroy();
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) upstream.write(head);
      this.#join(client, upstream, note);
    } catch (error) {
      note.end(error);
      client.end(`HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n${textOf(error)}\n`);
    }
  }

  async #forward(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(message.url ?? "");
    const note = this.#note(message.method ?? "", url?.host ?? message.url ?? "");
    try {
      if (url?.protocol !== "http:" || url.username !== "" || url.password !== "") {
        throw new Refused("refused", "only http://host/… is forwarded; CONNECT for the rest");
      }
      const target = await this.#targetOf(`${url.hostname}:${url.port || 80}`, note);
      const upstream = await this.#connected(target, note);
      const { socket } = message;
      const leave = () => upstream.destroy();
      upstream.on("close", () => {
        socket.off("close", leave);
        note.end(undefined, upstream);
      });
      // Whoever asked may go before the answer is over.
      socket.once("close", leave);
      if (socket.destroyed) leave();
      const answer = await this.#exchange(message, url, upstream, note);
      response.writeHead(answer.statusCode ?? 502, passed(answer.headers));
      answer.on("data", (chunk: Buffer) => this.#count("in", chunk, upstream, note));
      answer.pipe(response);
      answer.on("close", () => {
        if (!answer.complete) response.destroy();
      });
    } catch (error) {
      note.end(error);
      if (response.headersSent) return void response.destroy();
      response.writeHead(error instanceof Refused ? 403 : 502, { connection: "close" });
      response.end(`${textOf(error)}\n`);
    }
  }

  async #exchange(
    message: IncomingMessage,
    url: URL,
    upstream: Socket,
    note: Note,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { ...passed(message.headers), host: url.host, connection: "close" };
    const path = `${url.pathname}${url.search}`;
    const sent = request({
      method: message.method ?? "GET",
      ...{ path, headers, createConnection: () => upstream },
    });
    sent.on("response", resolve);
    sent.on("error", reject);
    message.on("data", (chunk: Buffer) => this.#count("out", chunk, upstream, note));
    message.pipe(sent);
    return await promise;
  }

  async #targetOf(authority: string, note: Note): Promise<Target> {
    this.#requireRoom();
    const [, text = "", digits = ""] = /^([^:@/]+):([0-9]{1,5})$/.exec(authority) ?? [];
    const host = hostName(text);
    if (host === undefined) throw new Refused("refused", "no host name: addresses are not reached");
    const port = Number(digits);
    note.aim(host, port);
    if (!this.#allowed.some((one) => one.host === host && one.port === port)) {
      throw new Refused("refused", `${host}:${port} is not on the task's list`);
    }
    const addresses = await this.#options.resolve(host).catch((error: unknown) => {
      throw new Refused("failed", `${host} was not found: ${textOf(error)}`);
    });
    const [address] = addresses;
    if (address === undefined) throw new Refused("failed", `${host} has no address`);
    for (const one of addresses) {
      const why = this.#check(one);
      if (why !== undefined) throw new Refused("refused", `${host} leads to ${one}, which ${why}`);
    }
    return { host, port, address };
  }

  #requireRoom(): void {
    const { requests, bytes } = this.#limits;
    if (this.#requests > requests) throw new Refused("refused", `more than ${requests} requests`);
    if (this.#bytes.in < bytes && this.#bytes.out < bytes) return;
    throw new Refused("refused", `more than ${bytes} bytes`);
  }

  async #connected({ host, port, address }: Target, note: Note): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const socket = connect({ host: address, port });
    socket.setTimeout(this.#limits.idleMs, () => socket.destroy(new Error("no byte for too long")));
    socket.on("error", (error) => {
      reject(new Refused("failed", `${host}:${port} was not reached: ${error.message}`));
    });
    socket.on("connect", () => resolve(socket));
    note.sentTo(address);
    return await promise;
  }

  #join(client: Duplex, upstream: Socket, note: Note): void {
    upstream.on("data", (chunk: Buffer) => this.#count("in", chunk, upstream, note));
    client.on("data", (chunk: Buffer) => this.#count("out", chunk, upstream, note));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      client.end();
      note.end(undefined, upstream);
    });
  }

  /** All that goes one way, over all requests, is bounded. */
  #count(way: "in" | "out", { length }: Buffer, upstream: Socket, note: Note): void {
    this.#bytes[way] += length;
    const { bytes } = this.#limits;
    if (this.#bytes[way] <= bytes) return;
    note.end(new Refused("failed", `more than ${bytes} bytes`), upstream);
    upstream.destroy();
  }

  #note(method: string, asked: string): Note {
    this.#requests += 1;
    return new Note(this.#requests, method, asked, this.#options.onRecord);
  }
}

function passed(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED.includes(name)));
}
