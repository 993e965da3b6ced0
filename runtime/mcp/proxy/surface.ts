import { canonicalJson } from "../../base/canonical-json.ts";
import { sha256 } from "../../base/hash.ts";
import type { HeaderParam } from "../agent-peer.ts";
import { headerParamsOf } from "../door/modern-headers.ts";
import { mcpFault } from "../faults.ts";
import { isObject } from "../json-rpc.ts";
import { type Greeting, SERVER_PROTOCOL_VERSION, type ToolInfo } from "../link/handshake.ts";
import type { Upstream } from "../link/upstream.ts";

/** A server that was greeted. */
export interface GreetedServer {
  readonly upstream: Upstream;
  readonly greeting: Greeting;
}

/** Where a tool that the agent sees is found. */
export interface RoutedTool {
  readonly server: GreetedServer;
  /** The tool's name at its server. */
  readonly tool: string;
}

/** The tools as an agent is shown them: the same for every session of the rollout, to its end. */
export interface ToolSurface {
  /** Of the canonical JSON of `tools`. A changed description changes what a policy was given. */
  readonly sha256: string;
  /** In the order of the servers, then in each server's own. */
  readonly tools: readonly ToolInfo[];
}

export interface JoinedServers {
  readonly surface: ToolSurface;
  /** By exposed name. */
  readonly routes: ReadonlyMap<string, RoutedTool>;
  /** What `initialize` is answered with, but for the protocol version. */
  readonly initializeResult: Readonly<Record<string, unknown>>;
  /** By exposed name: arguments that are also sent as HTTP headers. */
  readonly headerParams: ReadonlyMap<string, readonly HeaderParam[]>;
}

const MAX_JOINED_NAME = 64;

/**
 * Makes one server of several. Tools keep their names if no two are the same, else all of them
 * become `<server>__<tool>`. @throws Fault `mcp/tool-name-collision`
 */
export function joinServers(servers: readonly GreetedServer[]): JoinedServers {
  const names = servers.flatMap(({ greeting }) => greeting.tools.map(({ name }) => name));
  const collide = new Set(names).size < names.length;
  const routes = new Map<string, RoutedTool>();
  const tools: ToolInfo[] = [];
  for (const server of servers) {
    for (const tool of server.greeting.tools) {
      const name = collide ? `${server.upstream.name}__${tool.name}` : tool.name;
      if (collide) checkJoinedName(name, routes);
      routes.set(name, { server, tool: tool.name });
      tools.push(collide ? { ...tool, name } : tool);
    }
  }
  const surface = { sha256: sha256(canonicalJson(tools)), tools };
  const headerParams = new Map(
    tools.map((tool) => [tool.name, headerParamsOf(tool["inputSchema"])] as const),
  );
  return { surface, routes, initializeResult: pinned(joinGreetings(servers)), headerParams };
}

/** The surface never changes under an agent's eyes, so nothing is promised about changes. */
function pinned(
  initializeResult: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { capabilities } = initializeResult;
  if (!isObject(capabilities) || !isObject(capabilities["tools"])) return initializeResult;
  const { listChanged, ...tools } = capabilities["tools"];
  return { ...initializeResult, capabilities: { ...capabilities, tools } };
}

function checkJoinedName(name: string, routes: ReadonlyMap<string, RoutedTool>): void {
  if (routes.has(name)) {
    throw mcpFault("tool-name-collision", `two tools would both be named "${name}"`);
  }
  if (name.length > MAX_JOINED_NAME) {
    const message = `the joined name "${name}" is longer than ${MAX_JOINED_NAME} letters`;
    throw mcpFault("tool-name-collision", message);
  }
}

/** One server's greeting passes as it is; of several, capabilities and instructions are merged. */
function joinGreetings(servers: readonly GreetedServer[]): Readonly<Record<string, unknown>> {
  const [first] = servers;
  if (first !== undefined && servers.length === 1) return first.greeting.initializeResult;
  const capabilities: Record<string, unknown> = {};
  const instructions: string[] = [];
  for (const { upstream, greeting } of servers) {
    for (const [name, value] of Object.entries(greeting.capabilities)) {
      capabilities[name] = mergeCapability(capabilities[name], value);
    }
    const said = greeting.initializeResult["instructions"];
    if (typeof said === "string" && said !== "") instructions.push(`## ${upstream.name}\n${said}`);
  }
  const serverInfo = { name: "cloche", version: "0.1.0" };
  const joined = { protocolVersion: SERVER_PROTOCOL_VERSION, capabilities, serverInfo };
  return instructions.length === 0
    ? joined
    : { ...joined, instructions: instructions.join("\n\n") };
}

function mergeCapability(one: unknown, other: unknown): unknown {
  const areObjects = [one, other].every((value) => typeof value === "object" && value !== null);
  return areObjects ? { ...(one as object), ...(other as object) } : (other ?? one);
}
