import type { AgentPeer } from "../agent-peer.ts";
import { isRequestId, type JsonRpcRequest, progressTokenOf, RPC_ERROR } from "../json-rpc.ts";
import type { JsonRpcMessage } from "../link/server-link.ts";
import type { Upstream } from "../link/upstream.ts";
import { readLists } from "./joined-list.ts";
import type { Replies } from "./replies.ts";
import type { Route, Router } from "./routing.ts";
import type { GreetedServer } from "./surface.ts";
import { likelier, type Underway, withoutEnvelope } from "./underway.ts";

/** Requests other than tool calls that may be under way at once, over all agents. */
const MAX_OTHER_REQUESTS = 256;
/** What servers of older versions say of a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;

/** A request of an agent, other than a tool's call, that a server is working on. */
interface OtherRequest extends Underway {
  upstream: Upstream;
  upstreamId: number;
}

export interface OtherRequestParts {
  readonly router: Router;
  readonly replies: Replies;
  /** The last frame of the wire log. */
  readonly seq: () => number;
  /** The request is over. */
  readonly onOver: (underway: Underway) => void;
}

/** What agents ask of servers, tool calls apart: forwarded to whom it concerns, and answered. */
export class OtherRequests {
  readonly #parts: OtherRequestParts;
  readonly #underway = new Set<OtherRequest>();

  constructor(parts: OtherRequestParts) {
    this.#parts = parts;
  }

  forward(peer: AgentPeer, message: JsonRpcRequest): void {
    const { replies, router } = this.#parts;
    if (this.#underway.size >= MAX_OTHER_REQUESTS) {
      const reason = `more than ${MAX_OTHER_REQUESTS} requests are under way`;
      replies.error(peer, message.id, RPC_ERROR.server, reason);
      return;
    }
    const route = router.routeOf(message.method, message.params);
    if (route.kind === "none") {
      const unknown = `Method not found: ${message.method}`;
      replies.error(peer, message.id, RPC_ERROR.methodNotFound, unknown);
    } else if (route.kind === "all") {
      this.#askAll(peer, message, route);
    } else {
      const [{ upstream }] = route.servers;
      const since = this.#parts.seq();
      const request = { peer, message, upstream, upstreamId: 0, isParked: false, since };
      this.#underway.add(request);
      this.#askFirst(request, route);
    }
  }

  /** The request that this server most likely works on. */
  underwayAt(upstream: Upstream): Underway | undefined {
    const here = [...this.#underway].filter((request) => request.upstream === upstream);
    return here.reduce<Underway | undefined>(likelier, undefined);
  }

  cancel(peer: AgentPeer, id: unknown, reason: string): boolean {
    const isMeant = (other: OtherRequest) => other.peer === peer && other.message.id === id;
    const request = [...this.#underway].find(isMeant);
    if (request === undefined) return false;
    this.abandon(request, reason);
    if (isRequestId(id)) peer.drop(id);
    return true;
  }

  /** Gives a request up: its server is told, nobody is answered. */
  abandon(underway: Underway, reason: string): boolean {
    const request = underway as OtherRequest;
    if (!this.#underway.has(request)) return false;
    request.upstream.cancel(request.upstreamId, reason);
    this.#over(request);
    return true;
  }

  #askFirst(request: OtherRequest, route: Extract<Route, { kind: "first" }>): void {
    const [{ upstream }, ...others] = route.servers;
    const { params } = route;
    const { message } = request;
    const asked = { ...message, ...(params === undefined ? {} : { params }) };
    request.upstream = upstream;
    const [next, ...rest] = others;
    const goOn = () => {
      if (next === undefined || !this.#underway.has(request)) return false;
      this.#askFirst(request, { kind: "first", servers: [next, ...rest], params });
      return true;
    };
    const isModern = request.peer.era === "modern";
    request.upstreamId = upstream.request(isModern ? withoutEnvelope(asked) : asked, {
      answered: ({ result, error }) => {
        if (error !== undefined && goOn()) return;
        this.#over(request);
        this.#answer(request, result, error);
      },
      lost: ({ reason }) => {
        if (goOn()) return;
        this.#over(request);
        const gone = `the server "${upstream.name}" is gone: ${reason}`;
        const { peer, message } = request;
        this.#parts.replies.error(peer, message.id, RPC_ERROR.server, gone);
      },
      progress: ({ params: told, ...told_ }) => {
        const progressToken = progressTokenOf(request.message);
        if (progressToken === undefined) return;
        const translated = { ...told_, params: { ...told, progressToken } };
        this.#parts.replies.tell(request.peer, translated, request.message.id);
      },
    });
  }

  #answer(request: OtherRequest, result: unknown, error: JsonRpcMessage["error"]): void {
    const { peer, message } = request;
    const { id, method } = message;
    if (error === undefined) {
      this.#parts.replies.result(peer, id, method, result);
    } else if (peer.era === "modern" && error.code === RESOURCE_NOT_FOUND) {
      const data = error.data ?? { uri: message.params?.["uri"] };
      this.#parts.replies.error(peer, id, RPC_ERROR.invalidParams, error.message, data);
    } else {
      this.#parts.replies.verbatimError(peer, id, error);
    }
  }

  /** Answers once all servers have: with the joined list, or with nothing. */
  #askAll(
    peer: AgentPeer,
    message: JsonRpcRequest,
    { servers, member }: Extract<Route, { kind: "all" }>,
  ): void {
    const { replies, router } = this.#parts;
    const { id, method } = message;
    if (servers.length === 0) {
      replies.error(peer, id, RPC_ERROR.methodNotFound, `Method not found: ${method}`);
      return;
    }
    if (member !== undefined) {
      const take = (server: GreetedServer, result: Readonly<Record<string, unknown>>) =>
        router.shown(server, member, result[member]);
      readLists(servers, message, take, (items) => {
        replies.result(peer, id, method, { [member]: items });
      });
      return;
    }
    let left = servers.length;
    const done = () => {
      left -= 1;
      if (left === 0) replies.result(peer, id, method, {});
    };
    for (const { upstream } of servers) upstream.request(message, { answered: done, lost: done });
  }

  #over(request: OtherRequest): void {
    this.#underway.delete(request);
    this.#parts.onOver(request);
  }
}
