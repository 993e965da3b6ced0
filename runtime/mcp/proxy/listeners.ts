import { exactJson } from "../../base/exact-json.ts";
import type { AgentPeer } from "../agent-peer.ts";
import {
  isObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
} from "../json-rpc.ts";
import type { WireLog } from "../record/wire-log.ts";
import { META } from "../versions.ts";
import { resultFrame } from "./result-frame.ts";

/** What a modern listener may ask for, the capability that it takes, and what then comes. */
const KINDS: readonly (readonly [string, string, string])[] = [
  ["toolsListChanged", "tools", "notifications/tools/list_changed"],
  ["promptsListChanged", "prompts", "notifications/prompts/list_changed"],
  ["resourcesListChanged", "resources", "notifications/resources/list_changed"],
];
const UPDATED = "notifications/resources/updated";
const MAX_LISTENS = 1_000;

export interface ListenerParts {
  readonly wire: WireLog;
  /** As agents are shown them. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly peers: () => Iterable<AgentPeer>;
  /** Tells the owner of a resource that somebody, or nobody any more, wants to hear of it. */
  readonly watch: (uri: string, wanted: boolean) => void;
}

interface Listen {
  readonly peer: AgentPeer;
  readonly id: RequestId;
  readonly methods: ReadonlySet<string>;
  readonly uris: readonly string[];
}

/**
 * Who hears what servers tell of their own accord: modern agents on the streams of
 * `subscriptions/listen`, each message under the id of that stream; sessions on the stream that
 * they keep open, of a resource only if they subscribed to it.
 */
export class Listeners {
  readonly #parts: ListenerParts;
  readonly #listens = new Set<Listen>();
  readonly #watchers = new Map<string, Set<AgentPeer>>();

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Opens a stream. Returns what is wrong with the request, or undefined. */
  listen(peer: AgentPeer, { id, params }: JsonRpcRequest): string | undefined {
    const filter = params?.["notifications"];
    if (!isObject(filter)) return 'subscriptions/listen needs "notifications", an object';
    const uris = filter["resourceSubscriptions"] ?? [];
    if (!Array.isArray(uris) || uris.some((uri) => typeof uri !== "string")) {
      return '"resourceSubscriptions" is not a list of texts';
    }
    if (this.#listens.size >= MAX_LISTENS) return `more than ${MAX_LISTENS} streams are open`;
    const granted = KINDS.filter(([kind, capability]) => {
      return filter[kind] === true && this.#can(capability, "listChanged");
    });
    const watched: readonly string[] = this.#can("resources", "subscribe") ? uris : [];
    const notifications = {
      ...Object.fromEntries(granted.map(([kind]) => [kind, true])),
      ...(watched.length > 0 && { resourceSubscriptions: watched }),
    };
    const methods = new Set(granted.map(([, , method]) => method));
    const listen = { peer, id, methods, uris: watched };
    const method = "notifications/subscriptions/acknowledged";
    this.#tell(listen, { jsonrpc: "2.0", method, params: { notifications } });
    this.#listens.add(listen);
    if (granted.length + watched.length === 0) this.#end(listen);
    for (const uri of watched) this.watch(peer, uri);
    return undefined;
  }

  /** The agent closed the stream of this request. Returns whether it is one. */
  cancel(peer: AgentPeer, id: unknown): boolean {
    for (const listen of this.#listens) {
      if (listen.peer === peer && listen.id === id) return this.#listens.delete(listen);
    }
    return false;
  }

  watch(peer: AgentPeer, uri: string): void {
    const watchers = this.#watchers.get(uri) ?? new Set();
    this.#watchers.set(uri, watchers.add(peer));
    if (watchers.size === 1 && peer.era === "modern") this.#parts.watch(uri, true);
  }

  /** Returns whether others still want to hear of this resource. */
  unwatch(peer: AgentPeer, uri: string): boolean {
    const watchers = this.#watchers.get(uri);
    watchers?.delete(peer);
    if (watchers?.size === 0) this.#watchers.delete(uri);
    return (watchers?.size ?? 0) > 0;
  }

  /** The agent is gone: what only it wanted to hear of is no longer asked for. */
  forget(peer: AgentPeer): void {
    for (const listen of this.#listens) if (listen.peer === peer) this.#listens.delete(listen);
    for (const [uri, watchers] of this.#watchers) {
      if (watchers.has(peer) && !this.unwatch(peer, uri)) this.#parts.watch(uri, false);
    }
  }

  /** Hands a change on to all who asked for it. `nearby` works with the server that tells it. */
  spread(message: JsonRpcNotification, nearby: AgentPeer | undefined, id?: RequestId): void {
    const uri = message.method === UPDATED ? String(message.params?.["uri"]) : undefined;
    for (const listen of this.#listens) {
      const isMeant =
        uri === undefined ? listen.methods.has(message.method) : listen.uris.includes(uri);
      if (isMeant) this.#tell(listen, message);
    }
    const watchers = uri === undefined ? undefined : this.#watchers.get(uri);
    const text = exactJson(message);
    for (const peer of this.#parts.peers()) {
      if (peer.era === "modern" || (watchers !== undefined && !watchers.has(peer))) continue;
      if (!peer.isListening && peer !== nearby) continue;
      this.#parts.wire.write("out", peer.name, text);
      peer.send(text, peer.isListening ? undefined : id);
    }
  }

  /** Ends all streams in good order. */
  stop(): void {
    for (const listen of this.#listens) this.#end(listen);
  }

  #end(listen: Listen): void {
    this.#listens.delete(listen);
    const result = { _meta: { [META.subscriptionId]: listen.id } };
    const text = resultFrame("modern", listen.id, "subscriptions/listen", result);
    this.#parts.wire.write("out", listen.peer.name, text);
    listen.peer.reply(listen.id, text);
  }

  #tell({ peer, id }: Listen, message: JsonRpcNotification): void {
    const meta = message.params?.["_meta"];
    const _meta = { ...(isObject(meta) ? meta : {}), [META.subscriptionId]: id };
    const text = exactJson({ ...message, params: { ...message.params, _meta } });
    this.#parts.wire.write("out", peer.name, text);
    peer.send(text, id);
  }

  #can(capability: string, what: string): boolean {
    const declared = this.#parts.capabilities[capability];
    return isObject(declared) && declared[what] === true;
  }
}
