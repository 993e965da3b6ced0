import { exactJson } from "../../base/exact-json.ts";
import { secret } from "../../base/id.ts";
import type { AgentPeer } from "../agent-peer.ts";
import {
  errorText,
  isObject,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
  RPC_ERROR,
  readdressed,
  responseText,
} from "../json-rpc.ts";
import type { Upstream } from "../link/upstream.ts";
import type { WireLog } from "../record/wire-log.ts";
import { lackOf, NEEDS } from "./askable.ts";
import type { Underway } from "./underway.ts";

export interface InquiryParts {
  readonly wire: WireLog;
  /** A request stopped being waited for: it holds no slot any more. */
  readonly onParked: () => void;
  /** Too many are parked: this one, the oldest, is given up. */
  readonly onAbandoned: (underway: Underway) => void;
  /** The record broke while an agent was to be asked. */
  readonly onFailure: (error: unknown) => void;
}

interface Question {
  readonly upstream: Upstream;
  readonly message: JsonRpcRequest;
}

interface Inquiry {
  readonly underway: Underway;
  readonly open: Map<string, Question>;
  timer: NodeJS.Timeout | undefined;
  /** What the agent has to come back with; undefined while somebody waits for the request. */
  state: string | undefined;
}

/** Servers often ask several things at once; this long the first waits for the others. */
const GATHER_MS = 10;
const MAX_PARKED = 64;
const INPUT_KEY = "cloche/input_key";

/** Methods that may be answered by asking for input. */
const MAY_ASK: readonly string[] = ["tools/call", "prompts/get", "resources/read"];

/**
 * What servers ask during a request of a modern agent (sampling, elicitation, roots). Nothing can be
 * asked of such an agent while it waits; so its request is answered with `input_required` and parked,
 * the server still at work on it, until the agent repeats it with the answers and the `requestState`
 * that it was given. The state is a secret of one round: anything else is refused.
 */
export class Inquiries {
  readonly #parts: InquiryParts;
  readonly #byRequest = new Map<Underway, Inquiry>();
  readonly #parked = new Map<string, Inquiry>();
  readonly #given = new WeakMap<JsonRpcRequest, Readonly<Record<string, unknown>>>();

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** A server asks something while it works on this request. */
  ask(underway: Underway, upstream: Upstream, message: JsonRpcRequest): void {
    const needed = NEEDS.get(message.method);
    if (needed === undefined || !MAY_ASK.includes(underway.message.method)) {
      refuse(upstream, message, RPC_ERROR.methodNotFound, `Method not found: ${message.method}`);
      return;
    }
    if (!underway.isParked && underway.peer.capabilities[needed] === undefined) {
      const { code, message: text, data } = lackOf(needed);
      refuse(upstream, message, code, text, data);
      return;
    }
    const inquiry = this.#inquiryOf(underway);
    const key = freeKey(message, inquiry.open);
    const given = this.#given.get(underway.message)?.[key];
    if (isObject(given)) {
      upstream.send({ jsonrpc: "2.0", id: message.id, result: given });
      return;
    }
    inquiry.open.set(key, { upstream, message });
    if (inquiry.state !== undefined) return;
    inquiry.timer ??= setTimeout(() => {
      try {
        this.#flush(inquiry);
      } catch (error) {
        this.#parts.onFailure(error);
      }
    }, GATHER_MS);
  }

  /** A server no longer needs what it asked. Returns whether it had asked that here. */
  withdraw(upstream: Upstream, id: unknown): boolean {
    for (const { open } of this.#byRequest.values()) {
      for (const [key, question] of open) {
        if (question.upstream === upstream && question.message.id === id) return open.delete(key);
      }
    }
    return false;
  }

  /**
   * Takes a modern request that brings answers. Returns the request to make of it, if it is a new
   * one; undefined if it goes on with a parked one or was refused, and has been dealt with.
   */
  resume(peer: AgentPeer, message: JsonRpcRequest): JsonRpcRequest | undefined {
    const { params = {} } = message;
    const { inputResponses, requestState, ...rest } = params;
    if (!("inputResponses" in params) && !("requestState" in params)) return message;
    const problem = responsesProblem(inputResponses);
    if (problem !== undefined) {
      this.#reply(peer, message.id, errorText(message.id, RPC_ERROR.invalidParams, problem));
      return undefined;
    }
    const responses = isObject(inputResponses) ? inputResponses : {};
    if (requestState === undefined) {
      const fresh = { ...message, params: rest };
      this.#given.set(fresh, responses);
      return fresh;
    }
    const inquiry = this.#parked.get(String(requestState));
    if (inquiry === undefined || !isSame(inquiry.underway.message, message)) {
      const unknown = "requestState is not one that this request was answered with";
      this.#reply(peer, message.id, errorText(message.id, RPC_ERROR.invalidParams, unknown));
      return undefined;
    }
    this.#goOn(inquiry, peer, message, responses);
    return undefined;
  }

  /** The request is over. An answer that nobody waits for is kept until the agent comes back. */
  over(underway: Underway): void {
    const inquiry = this.#byRequest.get(underway);
    if (inquiry === undefined) return;
    clearTimeout(inquiry.timer);
    inquiry.open.clear();
    this.#byRequest.delete(underway);
  }

  #inquiryOf(underway: Underway): Inquiry {
    const known = this.#byRequest.get(underway);
    if (known !== undefined) return known;
    const inquiry = { underway, open: new Map(), timer: undefined, state: undefined };
    this.#byRequest.set(underway, inquiry);
    return inquiry;
  }

  /** Answers the agent with what its server wants to know, and parks the request. */
  #flush(inquiry: Inquiry): void {
    inquiry.timer = undefined;
    const { underway, open } = inquiry;
    if (open.size === 0) return;
    const { peer, message } = underway;
    const state = secret();
    const inputRequests = Object.fromEntries(
      [...open].map(([key, question]) => [key, embedded(question.message)]),
    );
    const result = { resultType: "input_required", inputRequests, requestState: state };
    inquiry.state = state;
    this.#parked.set(state, inquiry);
    underway.isParked = true;
    underway.peer = new AbsentPeer(peer, message.id);
    this.#reply(peer, message.id, responseText(message.id, "result", exactJson(result)));
    this.#parts.onParked();
    this.#evict();
  }

  #goOn(
    inquiry: Inquiry,
    peer: AgentPeer,
    message: JsonRpcRequest,
    responses: Readonly<Record<string, unknown>>,
  ): void {
    const { underway, open } = inquiry;
    const absent = underway.peer;
    this.#parked.delete(inquiry.state ?? "");
    inquiry.state = undefined;
    if (absent instanceof AbsentPeer && absent.held !== undefined) {
      this.#reply(peer, message.id, readdressed(absent.held, absent.id, message.id));
      return;
    }
    const { params } = underway.message;
    underway.message = { ...message, params: { ...params, _meta: message.params?.["_meta"] } };
    underway.peer = peer;
    underway.isParked = false;
    underway.since = this.#parts.wire.seq;
    for (const [key, { upstream, message: asked }] of [...open]) {
      if (!isObject(responses[key])) continue;
      open.delete(key);
      upstream.send({ jsonrpc: "2.0", id: asked.id, result: responses[key] });
    }
    if (open.size > 0) this.#flush(inquiry);
  }

  #evict(): void {
    for (const [state, { underway }] of this.#parked) {
      if (this.#parked.size <= MAX_PARKED) return;
      this.#parked.delete(state);
      this.#parts.onAbandoned(underway);
    }
  }

  #reply(peer: AgentPeer, id: RequestId, text: string): void {
    this.#parts.wire.write("out", peer.name, text);
    peer.reply(id, text);
  }
}

/** Stands for an agent that was asked for input: keeps an answer that comes in the meantime. */
class AbsentPeer implements AgentPeer {
  readonly name: string;
  readonly era = "modern";
  readonly isAskable = true;
  readonly isListening = false;
  readonly capabilities: AgentPeer["capabilities"];
  readonly logLevel: string | undefined;
  readonly id: RequestId;
  held: string | undefined;

  constructor({ name, capabilities, logLevel }: AgentPeer, id: RequestId) {
    this.name = name;
    this.capabilities = capabilities;
    this.logLevel = logLevel;
    this.id = id;
  }

  reply(_id: RequestId, text: string): void {
    this.held = text;
  }

  send(): void {}

  drop(): void {}
}

/**
 * The name under which the agent is to answer. A server that wants it to be a certain one says so in
 * the request's `_meta`, as `cloche/input_key`.
 */
function freeKey(message: JsonRpcRequest, taken: ReadonlyMap<string, unknown>): string {
  const meta = message.params?.["_meta"];
  const asked = isObject(meta) ? meta[INPUT_KEY] : undefined;
  if (typeof asked === "string" && !taken.has(asked)) return asked;
  const kind = NEEDS.get(message.method) ?? "input";
  for (let number = 1; ; number++) {
    const key = `${kind}_${number}`;
    if (!taken.has(key)) return key;
  }
}

/** The question without what only meant something between server and proxy. */
function embedded({ method, params = {} }: JsonRpcRequest): object {
  const { _meta, ...rest } = params;
  const meta = isObject(_meta) ? Object.entries(_meta) : [];
  const kept = meta.filter(([key]) => key !== "progressToken" && key !== INPUT_KEY);
  return {
    method,
    params: kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) },
  };
}

function responsesProblem(responses: unknown): string | undefined {
  if (responses === undefined) return undefined;
  if (!isObject(responses)) return "inputResponses is not an object";
  const wrong = Object.keys(responses).find((key) => !isObject(responses[key]));
  return wrong === undefined ? undefined : `inputResponses.${wrong} is not an object`;
}

function isSame(before: JsonRpcRequest, now: JsonRpcRequest): boolean {
  const named = ["name", "uri"];
  return (
    before.method === now.method &&
    named.every((member) => before.params?.[member] === now.params?.[member])
  );
}

function refuse(
  upstream: Upstream,
  { id }: JsonRpcRequest,
  code: number,
  message: string,
  data?: unknown,
): void {
  const error = { code, message, ...(data === undefined ? {} : { data }) };
  upstream.send({ jsonrpc: "2.0", id, error } as JsonRpcResponse);
}
