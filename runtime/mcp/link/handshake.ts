import type { Json } from "../../base/canonical-json.ts";
import { withDeadline } from "../../base/deadline.ts";
import type { Fault } from "../../base/fault.ts";
import { engineFault } from "../../engine/faults.ts";
import { mcpFault } from "../faults.ts";
import { isObject } from "../json-rpc.ts";
import { offered, type ServerSpec } from "../server-spec.ts";
import type { LinkClosed } from "./server-link.ts";
import { toolProblem } from "./tool-problem.ts";
import type { Conversation } from "./upstream.ts";

/** The version that the proxy speaks with servers; they may answer with an older one. */
export const SERVER_PROTOCOL_VERSION = "2025-11-25";

/** A tool as its server describes it; only the name is ours to read. */
export interface ToolInfo {
  readonly name: string;
  readonly [member: string]: Json;
}

/** What a server said of itself when it was greeted; asked once, then pinned for the rollout. */
export interface Greeting {
  readonly initializeResult: Readonly<Record<string, unknown>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly tools: readonly ToolInfo[];
  /** Names of its prompts, if it is one of several servers: there they may have to be told apart. */
  readonly prompts: readonly string[];
}

export interface GreetOptions {
  /** Fixed by the task, since servers show other tools to other clients. */
  readonly capabilities: Readonly<Record<string, Json>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** One of several servers. */
  readonly isJoined: boolean;
}

const MAX_TOOL_PAGES = 100;
const MAX_TOOLS = 1_000;
/** Of one tool and of all, as JSON: agents are shown them whole, and every bundle holds them. */
const MAX_TOOL_BYTES = 128 * 1024;
const MAX_TOOLS_BYTES = 2 * 1024 * 1024;
const MAX_GREETING_BYTES = 256 * 1024;
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const COMMAND_SHOWN = 400;
const STDERR_SHOWN = 2_000;

/**
 * Initializes a server and reads its tools. Rejects with `mcp/server-start-failed`,
 * `mcp/server-not-speaking-mcp`, `mcp/tools-refused`, `engine/program-lost` or the signal's reason.
 */
export async function greet(
  upstream: Conversation,
  spec: ServerSpec,
  options: GreetOptions,
): Promise<Greeting> {
  const { timeoutMs, signal } = options;
  const late = () => {
    const what = `${nameOf(spec)} did not complete the MCP handshake within ${timeoutMs} ms`;
    return mcpFault("server-not-speaking-mcp", `${what}${stderrOf(upstream)}`);
  };
  return await withDeadline(timeoutMs, signal, late, () => exchange(upstream, spec, options));
}

/** The server and its command, for messages. */
export function nameOf(spec: ServerSpec): string {
  if (spec.kind !== "stdio") return `MCP server "${spec.name}"`;
  const command = spec.argv.join(" ");
  const shown = command.length <= COMMAND_SHOWN ? command : `${command.slice(0, COMMAND_SHOWN)}…`;
  return `MCP server "${spec.name}" (${shown})`;
}

async function exchange(
  upstream: Conversation,
  spec: ServerSpec,
  { capabilities, isJoined }: GreetOptions,
): Promise<Greeting> {
  const clientInfo = { name: "cloche", version: "0.1.0" };
  const params = { protocolVersion: SERVER_PROTOCOL_VERSION, capabilities, clientInfo };
  const initializeResult = await ask(upstream, spec, "initialize", params);
  if (typeof initializeResult["protocolVersion"] !== "string") {
    throw notMcp(upstream, spec, 'answered "initialize" without a protocolVersion');
  }
  if (sizeOf(initializeResult) > MAX_GREETING_BYTES) {
    throw notMcp(upstream, spec, `answered "initialize" with over ${MAX_GREETING_BYTES} bytes`);
  }
  upstream.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const theirs = initializeResult["capabilities"];
  const has = (capability: string) => isObject(theirs) && theirs[capability] !== undefined;
  return {
    initializeResult,
    capabilities: isObject(theirs) ? theirs : {},
    tools: offered(spec, has("tools") ? await readTools(upstream, spec) : []),
    prompts: isJoined && has("prompts") ? await readPrompts(upstream, spec) : [],
  };
}

async function readTools(upstream: Conversation, spec: ServerSpec): Promise<readonly ToolInfo[]> {
  const tools: ToolInfo[] = [];
  const names = new Set<string>();
  let bytes = 0;
  let params: Record<string, unknown> = {};
  for (let page = 0; page < MAX_TOOL_PAGES; page++) {
    const listed = await ask(upstream, spec, "tools/list", params);
    if (!Array.isArray(listed["tools"])) throw notMcp(upstream, spec, 'lists no "tools"');
    for (const tool of listed["tools"]) {
      tools.push(checkedTool(tool, spec, names));
      bytes += sizeOf(tool);
    }
    if (bytes > MAX_TOOLS_BYTES) {
      throw refused(spec, `describes its tools in more than ${MAX_TOOLS_BYTES} bytes`);
    }
    const cursor = listed["nextCursor"];
    if (typeof cursor !== "string") return wellDescribed(tools, spec);
    params = { cursor };
  }
  throw refused(spec, `lists its tools on more than ${MAX_TOOL_PAGES} pages`);
}

async function readPrompts(upstream: Conversation, spec: ServerSpec): Promise<readonly string[]> {
  const names: string[] = [];
  let params: Record<string, unknown> = {};
  for (let page = 0; page < MAX_TOOL_PAGES; page++) {
    const { prompts, nextCursor: cursor } = await ask(upstream, spec, "prompts/list", params);
    for (const prompt of Array.isArray(prompts) ? prompts : []) {
      if (isObject(prompt) && typeof prompt["name"] === "string") names.push(prompt["name"]);
    }
    if (typeof cursor !== "string") break;
    params = { cursor };
  }
  return names;
}

function checkedTool(tool: unknown, spec: ServerSpec, before: Set<string>): ToolInfo {
  const name = isObject(tool) ? tool["name"] : undefined;
  if (typeof name !== "string" || !TOOL_NAME.test(name)) {
    const shown = JSON.stringify(name)?.slice(0, 100);
    throw refused(spec, `has a tool named ${shown}; a name is 1 to 128 of A-Z a-z 0-9 _ . -`);
  }
  if (before.has(name)) throw refused(spec, `lists "${name}" twice`);
  if (before.size >= MAX_TOOLS) throw refused(spec, `lists more than ${MAX_TOOLS} tools`);
  const bytes = sizeOf(tool);
  if (bytes > MAX_TOOL_BYTES) {
    throw refused(spec, `describes "${name}" in ${bytes} bytes; ${MAX_TOOL_BYTES} are allowed`);
  }
  before.add(name);
  return tool as ToolInfo;
}

function wellDescribed(tools: readonly ToolInfo[], spec: ServerSpec): readonly ToolInfo[] {
  for (const tool of tools) {
    const problem = toolProblem(tool);
    if (problem === undefined) continue;
    throw refused(spec, `describes the tool "${tool.name}" not as MCP has it: ${problem}`);
  }
  return tools;
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Sends one request and waits for its result. */
function ask(
  upstream: Conversation,
  spec: ServerSpec,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  upstream.request(
    { jsonrpc: "2.0", method, params },
    {
      answered: ({ result, error }) => {
        if (isObject(result)) return resolve(result);
        const said = error === undefined ? "no object" : `error ${error.code}: ${error.message}`;
        reject(notMcp(upstream, spec, `answered "${method}" with ${said}`));
      },
      lost: (closed) => reject(startFailed(upstream, spec, closed)),
    },
  );
  return promise;
}

function startFailed(upstream: Conversation, spec: ServerSpec, closed: LinkClosed): Fault {
  if (closed.isLoss) {
    return engineFault("program-lost", `${nameOf(spec)} was lost before it answered`);
  }
  if (closed.exitCode === null) return notMcp(upstream, spec, `was lost: ${closed.reason}`);
  const message = `${nameOf(spec)} did not start: ${closed.reason}${stderrOf(upstream)}`;
  return mcpFault("server-start-failed", message, { detail: { server: spec.name } });
}

function notMcp(upstream: Conversation, spec: ServerSpec, what: string): Fault {
  const message = `${nameOf(spec)} ${what}${stderrOf(upstream)}`;
  return mcpFault("server-not-speaking-mcp", message, { detail: { server: spec.name } });
}

function refused(spec: ServerSpec, what: string): Fault {
  return mcpFault("tools-refused", `${nameOf(spec)} ${what}`, { detail: { server: spec.name } });
}

function stderrOf(upstream: Conversation): string {
  const tail = upstream.stderrTail.trim().slice(-STDERR_SHOWN);
  return tail === "" ? "; it wrote nothing to stderr" : `; it wrote to stderr:\n${tail}`;
}
