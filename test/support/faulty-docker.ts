import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, Transform } from "node:stream";

/** What happens to one request instead of being passed on. */
export type DockerMischief =
  /** Nothing: the request reaches Docker and its answer the caller. */
  | "pass"
  /** The request is read and never answered. */
  | "hang"
  /** The request reaches Docker, its answer nobody. */
  | "swallow"
  /** The connection is closed without a word. */
  | "cut"
  /** Docker's answer breaks off after so many bytes of its body. */
  | { readonly cutAfter: number }
  /** Docker's answer stalls after so many bytes of its body. */
  | { readonly stallAfter: number }
  /** Docker's answer ends after so many bytes of its body, with every sign of success. */
  | { readonly endAfter: number }
  /** The request waits so long before it is passed on. */
  | { readonly delayMs: number }
  | { readonly status: number; readonly message: string }
  /** The request, changed. */
  | { readonly ask: (json: Record<string, unknown>) => unknown }
  /** Docker's answer, changed. */
  | { readonly change: (json: Record<string, unknown>) => unknown };

export type Mischief = (method: string, path: string) => DockerMischief;

/** A unix socket in front of the real Docker, for what a healthy engine never shows. */
export class FaultyDocker implements AsyncDisposable {
  readonly address: string;
  /** Decides on every request; replace it at will. */
  mischief: Mischief = () => "pass";
  /** What programs print is lost on its way, and nobody is told. */
  losesWords = false;
  /** "GET /containers/json", with ids taken out, of all requests so far. */
  readonly seen = new Set<string>();
  readonly #docker: string;
  readonly #folder: string;
  readonly #server = createServer((incoming, outgoing) => this.#answer(incoming, outgoing));
  readonly #sockets = new Set<Duplex>();
  readonly #old = new WeakSet<Duplex>();

  /** `docker`: where the real one listens, "unix:///…". */
  static async open(docker = "unix:///var/run/docker.sock"): Promise<FaultyDocker> {
    const folder = await mkdtemp(join(tmpdir(), "faulty-docker-"));
    const proxy = new FaultyDocker(folder, docker.replace("unix://", ""));
    await proxy.listen();
    return proxy;
  }

  private constructor(folder: string, docker: string) {
    this.#folder = folder;
    this.#docker = docker;
    this.address = `unix://${join(folder, "d.sock")}`;
    this.#server.on("connection", (socket) => this.#keep(socket));
    this.#server.on("upgrade", (incoming, socket, head) => this.#upgrade(incoming, socket, head));
  }

  /** From now on every request on a connection that is there already is cut. */
  ageConnections(): void {
    for (const socket of this.#sockets) this.#old.add(socket);
  }

  /** Connections break off, those of programs' streams too: every one, or those that `which` takes. */
  cut(which: () => boolean = () => true): void {
    for (const socket of this.#sockets) if (which()) socket.destroy();
  }

  /** Connections are refused from now on, until `listen`; those that are there go on. */
  async refuse(): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    await rm(join(this.#folder, "d.sock"), { force: true });
  }

  /** Takes connections (again). */
  async listen(): Promise<void> {
    await once(this.#server.listen(join(this.#folder, "d.sock")), "listening");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #decide({ method = "", url = "", socket }: IncomingMessage): DockerMischief {
    const path = url.split("?")[0] ?? "";
    this.seen.add(
      `${method} ${path.replace(/\/(containers|exec|volumes|images)\/(?!json|create)[^/]+(\/[^/]+:[^/]+)?/, "/$1/ID")}`,
    );
    return this.#old.has(socket) ? "cut" : this.mischief(method, path);
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const mischief = this.#decide(incoming);
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    if (mischief === "hang") return void incoming.resume();
    if (mischief === "cut") return void incoming.socket.destroy();
    if (typeof mischief === "object" && "delayMs" in mischief) {
      incoming.pause();
      return void setTimeout(() => this.#pass(incoming, outgoing, "pass"), mischief.delayMs);
    }
    if (typeof mischief === "object" && "status" in mischief) {
      incoming.resume();
      outgoing.writeHead(mischief.status, { "content-type": "application/json" });
      return void outgoing.end(JSON.stringify({ message: mischief.message }));
    }
    if (typeof mischief === "object" && "ask" in mischief) {
      return void this.#askAnew(incoming, outgoing, mischief.ask);
    }
    this.#pass(incoming, outgoing, mischief);
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, mischief: DockerMischief): void {
    if (incoming.socket.destroyed) return; // While it was delayed.
    const onward = request(this.#onward(incoming), (answer) => {
      void passOn(answer, outgoing, mischief).catch(() => outgoing.destroy());
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.on("close", () => {
      if (!incoming.complete) onward.destroy();
    });
    outgoing.on("close", () => {
      if (mischief !== "swallow") onward.destroy();
    });
    incoming.pipe(onward);
  }

  async #askAnew(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    change: (json: Record<string, unknown>) => unknown,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = JSON.stringify(change(JSON.parse(Buffer.concat(chunks).toString())));
    const headers = { ...incoming.headers, "content-length": Buffer.byteLength(body) };
    const onward = request({ ...this.#onward(incoming), headers }, (answer) => {
      void passOn(answer, outgoing, "pass").catch(() => outgoing.destroy());
    });
    onward.on("error", () => outgoing.destroy());
    onward.end(body);
  }

  #onward({ method, url, headers }: IncomingMessage): RequestOptions {
    return { socketPath: this.#docker, method, path: url, headers, agent: false } as RequestOptions;
  }

  /** An exec's connection: the request is written out again, then bytes pass both ways. */
  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const mischief = this.#decide(incoming);
    this.#keep(socket);
    if (typeof mischief === "object" && "delayMs" in mischief) {
      return void setTimeout(() => this.#join(incoming, socket, head), mischief.delayMs);
    }
    if (mischief === "hang") return;
    if (mischief !== "pass" && mischief !== "swallow") return void socket.destroy();
    this.#join(incoming, socket, head, mischief);
  }

  #join(
    incoming: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    mischief: "pass" | "swallow" = "pass",
  ): void {
    if (socket.destroyed) return; // While it was delayed.
    const onward: Socket = connect({ path: this.#docker, allowHalfOpen: true });
    this.#keep(onward);
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let n = 0; n < incoming.rawHeaders.length; n += 2) {
      lines.push(`${incoming.rawHeaders[n]}: ${incoming.rawHeaders[n + 1]}`);
    }
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    socket.pipe(onward);
    if (mischief === "swallow") onward.resume();
    else onward.pipe(this.#heard()).pipe(socket);
    socket.once("close", () => onward.destroy());
    onward.once("close", () => {
      if (!onward.readableEnded) socket.destroy();
    });
  }

  #heard(): Transform {
    return new Transform({
      transform: (chunk, _, done) => (this.losesWords ? done() : done(null, chunk)),
    });
  }
}

async function passOn(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  mischief: DockerMischief,
): Promise<void> {
  if (mischief === "swallow") return void answer.resume();
  const { statusCode = 500, headers } = answer;
  if (typeof mischief === "object" && "change" in mischief) {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const body = JSON.stringify(mischief.change(JSON.parse(Buffer.concat(chunks).toString())));
    outgoing.writeHead(statusCode, { "content-type": "application/json" });
    return void outgoing.end(body);
  }
  outgoing.writeHead(statusCode, headers);
  if (mischief === "pass") return void answer.pipe(outgoing);
  await passSome(answer, outgoing, mischief as Some);
}

interface Some {
  readonly cutAfter?: number;
  readonly stallAfter?: number;
  readonly endAfter?: number;
}

async function passSome(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  { cutAfter, stallAfter, endAfter }: Some,
): Promise<void> {
  let left = cutAfter ?? stallAfter ?? endAfter ?? 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    await new Promise((resolve) => outgoing.write(chunk.subarray(0, left), resolve));
    left -= chunk.length;
    if (left > 0) continue;
    if (cutAfter !== undefined) outgoing.destroy();
    if (endAfter === undefined) return;
    break;
  }
  outgoing.end();
}
