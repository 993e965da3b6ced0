import { isObject } from "../json-rpc.ts";
import type { GreetedServer } from "./surface.ts";

/** Which capability of a server a method needs, by the part before its first "/". */
const CAPABILITY_OF: Readonly<Record<string, string>> = {
  resources: "resources",
  prompts: "prompts",
  completion: "completions",
  logging: "logging",
  tools: "tools",
};

/** Methods whose results are lists that can be joined: the member that holds the list. */
const LISTS: Readonly<Record<string, string>> = {
  "resources/list": "resources",
  "resources/templates/list": "resourceTemplates",
  "prompts/list": "prompts",
};

/** Where a request of an agent goes. */
export type Route =
  /** To the first that answers without an error; `params` are as that server is to see them. */
  | {
      readonly kind: "first";
      readonly servers: readonly [GreetedServer, ...GreetedServer[]];
      readonly params: Params;
    }
  /** To all; `member` names the list to join, or is undefined if any one answer stands for all. */
  | {
      readonly kind: "all";
      readonly servers: readonly GreetedServer[];
      readonly member: string | undefined;
    }
  | { readonly kind: "none" };

type Params = Readonly<Record<string, unknown>> | undefined;

/**
 * Finds the servers for requests other than tools' calls. With one server everything goes to it,
 * known or not. Of several, those that declare the method's capability are asked. Prompts have names
 * by the same rule as tools; a resource belongs to the server that listed it, or else to the first
 * that knows it when asked.
 */
export class Router {
  readonly #servers: readonly GreetedServer[];
  readonly #areNamed: boolean;
  readonly #owners = new Map<string, GreetedServer>();

  constructor(servers: readonly GreetedServer[]) {
    this.#servers = servers;
    const names = servers.flatMap(({ greeting }) => greeting.prompts);
    this.#areNamed = new Set(names).size < names.length;
    for (const server of servers) {
      for (const name of server.greeting.prompts) this.#own(this.#shown(server, name), server);
    }
  }

  routeOf(method: string, params: Params): Route {
    const [only] = this.#servers;
    if (only !== undefined && this.#servers.length === 1) {
      return { kind: "first", servers: [only], params };
    }
    const capability = CAPABILITY_OF[method.split("/", 1)[0] ?? ""];
    if (capability === undefined) return { kind: "none" };
    const able = this.#servers.filter(
      ({ greeting }) => greeting.capabilities[capability] !== undefined,
    );
    const member = LISTS[method];
    if (member !== undefined) return { kind: "all", servers: able, member };
    if (method === "logging/setLevel") return { kind: "all", servers: able, member: undefined };
    const [first, ...others] = able;
    if (first === undefined) return { kind: "none" };
    const owner = this.#ownerOf(method, params);
    if (owner === undefined) return { kind: "first", servers: [first, ...others], params };
    return { kind: "first", servers: [owner], params: this.#asItsOwn(owner, method, params) };
  }

  /** A page of a joined list as agents are shown it; remembers whose its items are. */
  shown(server: GreetedServer, member: string, page: unknown): readonly unknown[] {
    if (!Array.isArray(page)) return [];
    return page.map((item: unknown) => {
      if (!isObject(item)) return item;
      if (member === "resources") this.#owners.set(`resource ${item["uri"]}`, server);
      if (member === "resourceTemplates") {
        this.#owners.set(`resource ${item["uriTemplate"]}`, server);
      }
      if (member !== "prompts" || typeof item["name"] !== "string") return item;
      const name = this.#shown(server, item["name"]);
      this.#own(name, server);
      return { ...item, name };
    });
  }

  /** Tells who knows this resource that somebody, or nobody any more, wants to hear of changes. */
  watch(uri: string, wanted: boolean): void {
    const method = wanted ? "resources/subscribe" : "resources/unsubscribe";
    const route = this.routeOf(method, { uri });
    const able = route.kind === "none" ? [] : route.servers;
    for (const { upstream } of able) {
      const message = { jsonrpc: "2.0", method, params: { uri } } as const;
      upstream.request(message, { answered: () => {}, lost: () => {} });
    }
  }

  #own(prompt: string, server: GreetedServer): void {
    if (!this.#owners.has(`prompt ${prompt}`)) this.#owners.set(`prompt ${prompt}`, server);
  }

  #shown({ upstream }: GreetedServer, prompt: string): string {
    return this.#areNamed ? `${upstream.name}__${prompt}` : prompt;
  }

  #ownerOf(method: string, params: Params): GreetedServer | undefined {
    const ref = method === "completion/complete" ? params?.["ref"] : params;
    const named = isObject(ref) ? ref : {};
    const key = named["uri"] === undefined ? `prompt ${named["name"]}` : `resource ${named["uri"]}`;
    return this.#owners.get(key);
  }

  /** The same params with a prompt's name as its server knows it. */
  #asItsOwn(owner: GreetedServer, method: string, params: Params): Params {
    if (!this.#areNamed) return params;
    const strip = (value: Readonly<Record<string, unknown>>) => {
      const prefix = `${owner.upstream.name}__`;
      const { name } = value;
      const isOurs = typeof name === "string" && name.startsWith(prefix);
      return isOurs ? { ...value, name: name.slice(prefix.length) } : value;
    };
    if (method === "prompts/get") return strip(params ?? {});
    const ref = params?.["ref"];
    if (method !== "completion/complete" || !isObject(ref)) return params;
    return ref["type"] === "ref/prompt" ? { ...params, ref: strip(ref) } : params;
  }
}
