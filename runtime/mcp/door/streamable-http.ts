import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../../base/log.ts";
import type { AgentDoor } from "../agent-peer.ts";
import { RPC_ERROR, readMessage, type TakenMessage } from "../json-rpc.ts";
import { LEGACY_VERSIONS, spokenVersion } from "../versions.ts";
import { answerError, readBody } from "./http-body.ts";
import { HttpSession } from "./http-session.ts";
import { looksModern, StatelessHttp } from "./stateless-http.ts";

const MAX_SESSIONS = 1_000;
const SESSION_NOT_FOUND = -32001;

/**
 * Streamable HTTP for one rollout: sessions (2025-11-25) here, what needs none (2026-07-28) in
 * `StatelessHttp`; which of the two is settled for each message. Whether the caller may speak at all is
 * decided before (endpoint.ts).
 */
export class StreamableHttp implements Disposable {
  readonly #door: AgentDoor;
  readonly #log: Log;
  readonly #sessions = new Map<string, HttpSession>();
  readonly #modern: StatelessHttp;
  #agents = 0;

  constructor(door: AgentDoor, log: Log) {
    this.#door = door;
    this.#log = log;
    this.#modern = new StatelessHttp(door, () => this.#nextAgent());
  }

  /** Answers one HTTP request, now or when the answer is there. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method } = request;
    if ((method === "GET" || method === "DELETE") && looksModern(request, undefined)) {
      response.setHeader("allow", "POST");
      answerError(response, 405, RPC_ERROR.server, "Without a session there is only POST");
      return;
    }
    switch (method) {
      case "POST":
        await this.#post(request, response);
        return;
      case "GET":
        this.#get(request, response);
        return;
      case "DELETE":
        this.#delete(request, response);
        return;
      default:
        response.setHeader("allow", "GET, POST, DELETE");
        answerError(response, 405, RPC_ERROR.server, "Method not allowed");
    }
  }

  /** Ends all sessions and requests. */
  [Symbol.dispose](): void {
    this.#modern[Symbol.dispose]();
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!accepts(request, "application/json") || !accepts(request, "text/event-stream")) {
      const both = "Accept has to name both application/json and text/event-stream";
      answerError(response, 406, RPC_ERROR.server, both);
      return;
    }
    const text = await readBody(request, response);
    if (text === undefined) return;
    const read = readMessage(text);
    if (read.kind === "refused") {
      answerError(response, 400, read.code, `Invalid message: ${read.reason}`);
    } else if (looksModern(request, read.message.params)) {
      this.#modern.take(request, response, read);
    } else {
      this.#take(request, response, read);
    }
  }

  #take(request: IncomingMessage, response: ServerResponse, read: TakenMessage): void {
    const opens = read.kind === "request" && read.message.method === "initialize";
    const session = opens
      ? this.#openSession(response, spokenVersion(read.message.params?.["protocolVersion"]))
      : this.#sessionOf(request, response);
    if (session === undefined) return;
    if (read.kind !== "request") {
      response.writeHead(202).end();
      session.tell(read);
    } else if (session.has(read.message.id)) {
      const taken = `A request with the id ${JSON.stringify(read.message.id)} is under way`;
      answerError(response, 400, RPC_ERROR.invalidRequest, taken);
    } else {
      session.request(read.message.id, read, response);
    }
  }

  #get(request: IncomingMessage, response: ServerResponse): void {
    if (!accepts(request, "text/event-stream")) {
      answerError(response, 406, RPC_ERROR.server, "Accept has to name text/event-stream");
      return;
    }
    const session = this.#sessionOf(request, response);
    const last = request.headers["last-event-id"];
    if (typeof last !== "string") session?.listen(response);
    else if (session?.resume(last, response) === false) {
      const gone = "Last-Event-ID names no event that a stream can be resumed from";
      answerError(response, 400, RPC_ERROR.server, gone);
    }
  }

  #delete(request: IncomingMessage, response: ServerResponse): void {
    const session = this.#sessionOf(request, response);
    if (session === undefined) return;
    this.#sessions.delete(session.id);
    session.close();
    response.writeHead(200, { "content-length": 0 }).end();
  }

  #openSession(response: ServerResponse, version: string): HttpSession | undefined {
    if (this.#sessions.size >= MAX_SESSIONS) this.#evict();
    if (this.#sessions.size >= MAX_SESSIONS) {
      answerError(response, 503, RPC_ERROR.server, `More than ${MAX_SESSIONS} sessions are busy`);
      return undefined;
    }
    const session = new HttpSession(randomUUID(), this.#nextAgent(), version, this.#door);
    this.#sessions.set(session.id, session);
    return session;
  }

  #nextAgent(): number {
    this.#agents += 1;
    return this.#agents;
  }

  /** Clients seldom end their sessions: the oldest that does nothing makes room. */
  #evict(): void {
    for (const session of this.#sessions.values()) {
      if (session.isBusy || session.isListening) continue;
      this.#sessions.delete(session.id);
      session.close();
      this.#log.debug({ session: session.name }, "an idle session was ended to make room");
      return;
    }
  }

  #sessionOf(request: IncomingMessage, response: ServerResponse): HttpSession | undefined {
    const id = request.headers["mcp-session-id"];
    if (typeof id !== "string") {
      answerError(response, 400, RPC_ERROR.server, "Mcp-Session-Id is missing");
      return undefined;
    }
    const session = this.#sessions.get(id);
    if (session === undefined) {
      answerError(response, 404, SESSION_NOT_FOUND, "Session not found");
      return undefined;
    }
    const version = request.headers["mcp-protocol-version"];
    if (version === undefined || LEGACY_VERSIONS.includes(String(version))) return session;
    const known = `Unsupported protocol version (supported: ${LEGACY_VERSIONS.join(", ")})`;
    answerError(response, 400, RPC_ERROR.server, known);
    return undefined;
  }
}

function accepts(request: IncomingMessage, type: string): boolean {
  const accept = request.headers.accept ?? "";
  return accept.includes(type) || accept.includes("*/*");
}
