import { isObject } from "./json-rpc.ts";
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
  | { readonly kind: "one"; readonly server: GreetedServer }
  /** To all; `member` names the list to join, or is undefined if any one answer stands for all. */
  | {
      readonly kind: "all";
      readonly servers: readonly GreetedServer[];
      readonly member: string | undefined;
    }
  | { readonly kind: "none" };

/**
 * Finds the server, or the servers, for a request other than a tool's call. With one server
 * everything goes to it, known or not. Of several, those that declare the method's capability are
 * asked; a resource or prompt belongs to the server that listed it last (`owners`).
 */
export function routeOf(
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  servers: readonly GreetedServer[],
  owners: ReadonlyMap<string, GreetedServer>,
): Route {
  const [only] = servers;
  if (only !== undefined && servers.length === 1) return { kind: "one", server: only };
  const capability = CAPABILITY_OF[method.split("/", 1)[0] ?? ""];
  if (capability === undefined) return { kind: "none" };
  const able = servers.filter(({ greeting }) => greeting.capabilities[capability] !== undefined);
  const [first] = able;
  if (first === undefined) return { kind: "none" };
  if (able.length === 1) return { kind: "one", server: first };
  const member = LISTS[method];
  if (member !== undefined) return { kind: "all", servers: able, member };
  if (method === "logging/setLevel") return { kind: "all", servers: able, member: undefined };
  const server = owners.get(ownerKey(method, params)) ?? first;
  return { kind: "one", server };
}

/** Remembers which server listed what, for `routeOf`. */
export function noteOwners(
  owners: Map<string, GreetedServer>,
  server: GreetedServer,
  member: string,
  list: unknown,
): void {
  if (!Array.isArray(list)) return;
  for (const item of list) {
    if (!isObject(item)) continue;
    if (member === "prompts") owners.set(`prompt ${item["name"]}`, server);
    if (member === "resources") owners.set(`resource ${item["uri"]}`, server);
  }
}

function ownerKey(method: string, params: Readonly<Record<string, unknown>> | undefined): string {
  const ref = method === "completion/complete" ? params?.["ref"] : params;
  const named = isObject(ref) ? ref : {};
  return named["uri"] === undefined ? `prompt ${named["name"]}` : `resource ${named["uri"]}`;
}
