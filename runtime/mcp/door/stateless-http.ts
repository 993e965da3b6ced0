import type { IncomingMessage, ServerResponse } from "node:http";
import { classifyInboundRequest } from "@modelcontextprotocol/server";
import type { AgentConnection, AgentDoor, AgentPeer } from "../agent-peer.ts";
import {
  errorCodeOf,
  isObject,
  type RequestId,
  RPC_ERROR,
  type TakenMessage,
} from "../json-rpc.ts";
import { LEGACY_VERSIONS, META, MODERN_VERSION } from "../versions.ts";
import { answerError } from "./http-body.ts";
import { HttpExchange } from "./http-exchange.ts";
import { headerProblem } from "./modern-headers.ts";

/**
 * Whether a message is to be read as one of 2026-07-28: it says so itself, or a header says so. What
 * is right and wrong about it is settled by `StatelessHttp`.
 */
export function looksModern(request: IncomingMessage, params: unknown): boolean {
  const meta = isObject(params) ? params["_meta"] : undefined;
  if (isObject(meta) && Object.hasOwn(meta, META.protocolVersion)) return true;
  const version = request.headers["mcp-protocol-version"];
  return version !== undefined && !isLegacyVersion(version);
}

/**
 * Streamable HTTP of 2026-07-28 for one rollout: no sessions, each request stands for itself, and
 * closing its response cancels it.
 */
export class StatelessHttp implements Disposable {
  readonly #door: AgentDoor;
  readonly #nextAgent: () => number;
  readonly #open = new Set<StatelessAgent>();

  /** `nextAgent` numbers the rollout's agents. */
  constructor(door: AgentDoor, nextAgent: () => number) {
    this.#door = door;
    this.#nextAgent = nextAgent;
  }

  /** Takes a message that looks modern. */
  take(request: IncomingMessage, response: ServerResponse, read: TakenMessage): void {
    const id = read.kind === "request" ? read.message.id : null;
    const problem = problemOf(request, read, this.#door);
    if (problem !== undefined) {
      answerError(response, 400, problem.code, problem.message, { id, data: problem.data });
      return;
    }
    const agent = new StatelessAgent(this.#nextAgent(), read, this.#door);
    if (read.kind !== "request") {
      response.writeHead(202).end();
      agent.tell(read);
      return;
    }
    this.#open.add(agent);
    agent.request(read.message.id, read, response, () => this.#open.delete(agent));
  }

  /** Ends all requests without an answer. */
  [Symbol.dispose](): void {
    for (const agent of this.#open) agent.end();
    this.#open.clear();
  }
}

interface Problem {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Era and versions are the SDK's to judge; it leaves names and presence of headers to its caller. */
function problemOf(
  request: IncomingMessage,
  read: TakenMessage,
  door: AgentDoor,
): Problem | undefined {
  const version = request.headers["mcp-protocol-version"];
  const method = request.headers["mcp-method"];
  const verdict = classifyInboundRequest({
    httpMethod: "POST",
    body: read.message,
    ...(typeof version === "string" && { protocolVersionHeader: version }),
    ...(typeof method === "string" && { mcpMethodHeader: method }),
  });
  if (verdict.kind === "reject") return verdict;
  if (verdict.kind === "legacy") return unsupported(version);
  const revision = verdict.classification.revision;
  if (revision !== MODERN_VERSION) return unsupported(revision);
  if (read.kind !== "request") return undefined;
  const tool = read.message.method === "tools/call" ? read.message.params?.["name"] : undefined;
  const params = door.headerParams.get(String(tool)) ?? [];
  const mismatch = headerProblem(request, read.message, params);
  return mismatch === undefined
    ? undefined
    : { code: RPC_ERROR.headerMismatch, message: `Headers and body disagree: ${mismatch}` };
}

function unsupported(requested: unknown): Problem {
  const message = `Unsupported protocol version (without a session: ${MODERN_VERSION})`;
  const data = { supported: [MODERN_VERSION], ...(requested !== undefined && { requested }) };
  return { code: RPC_ERROR.unsupportedVersion, message, data };
}

function isLegacyVersion(version: unknown): boolean {
  return typeof version === "string" && (LEGACY_VERSIONS.includes(version) || version < "2025");
}

/** The sender of one stateless message. */
class StatelessAgent implements AgentPeer {
  readonly name: string;
  readonly era = "modern";
  readonly isAskable = true;
  readonly isListening = false;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly logLevel: string | undefined;
  readonly #connection: AgentConnection;
  #exchange: HttpExchange | undefined;
  #onOver: () => void = () => {};

  constructor(number: number, { message }: TakenMessage, door: AgentDoor) {
    this.name = `agent:${number}`;
    const meta = message.params?.["_meta"];
    const said = isObject(meta) ? meta : {};
    const capabilities = said[META.clientCapabilities];
    const level = said[META.logLevel];
    this.capabilities = isObject(capabilities) ? capabilities : {};
    this.logLevel = typeof level === "string" ? level : undefined;
    this.#connection = door.connect(this);
  }

  request(id: RequestId, read: TakenMessage, response: ServerResponse, onOver: () => void): void {
    this.#onOver = onOver;
    this.#exchange = new HttpExchange(response, {
      headers: {},
      status: (answer) => statusOf(errorCodeOf(answer, id)),
      onGone: () => {
        this.#connection.cancel(id, "the client closed the response");
        this.#over();
      },
    });
    this.#connection.receive(read);
  }

  tell(read: TakenMessage): void {
    this.#connection.receive(read);
    this.#connection.close();
  }

  reply(_id: RequestId, text: string): void {
    this.#exchange?.finish(text);
    this.#over();
  }

  send(text: string): void {
    this.#exchange?.send(text);
  }

  drop(): void {
    this.#exchange?.drop();
    this.#over();
  }

  end(): void {
    this.#exchange?.drop();
  }

  #over(): void {
    this.#exchange = undefined;
    this.#connection.close();
    this.#onOver();
  }
}

function statusOf(code: number | undefined): number {
  if (code === RPC_ERROR.methodNotFound) return 404;
  return code === RPC_ERROR.missingCapability ? 400 : 200;
}
