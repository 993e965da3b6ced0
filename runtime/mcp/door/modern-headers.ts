import type { IncomingMessage } from "node:http";
import type { HeaderParam } from "../agent-peer.ts";
import { isObject, type JsonRpcRequest } from "../json-rpc.ts";

/** The param of a method that is also sent as `Mcp-Name`. */
const NAMED_BY: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

const BASE64_WRAPPED = /^=\?base64\?(.*)\?=$/s;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * What is wrong between the headers of a modern request and its body, or undefined. Headers repeat
 * what the body says, for those on the way that do not read it; who reads it has to compare.
 * Versions are compared before (`classifyInboundRequest`).
 */
export function headerProblem(
  request: IncomingMessage,
  message: JsonRpcRequest,
  params: readonly HeaderParam[],
): string | undefined {
  if (request.headers["mcp-protocol-version"] === undefined) {
    return "the header MCP-Protocol-Version is missing";
  }
  const method = headerOf(request, "mcp-method");
  if (method === undefined) return "the header Mcp-Method is missing";
  if (method !== message.method) return `Mcp-Method is not the body's "${message.method}"`;
  return nameProblem(request, message) ?? paramProblem(request, message, params);
}

function nameProblem(request: IncomingMessage, message: JsonRpcRequest): string | undefined {
  const member = NAMED_BY[message.method];
  const inBody = member === undefined ? undefined : message.params?.[member];
  if (typeof inBody !== "string") return undefined;
  const header = headerOf(request, "mcp-name");
  if (header === undefined) return `the header Mcp-Name is missing, the body has ${member}`;
  return decoded(header) === inBody ? undefined : `Mcp-Name is not the body's ${member}`;
}

function paramProblem(
  request: IncomingMessage,
  { params }: JsonRpcRequest,
  declared: readonly HeaderParam[],
): string | undefined {
  for (const { header, path } of declared) {
    let value: unknown = params?.["arguments"];
    for (const key of path) value = isObject(value) ? value[key] : undefined;
    if (value === undefined || value === null || typeof value === "object") continue;
    const sent = headerOf(request, header);
    if (sent === undefined)
      return `the header ${header} is missing, the body has ${path.join(".")}`;
    const text = decoded(sent);
    const isSame = typeof value === "number" ? Number(text) === value : text === String(value);
    if (text === undefined || !isSame) return `${header} is not the body's ${path.join(".")}`;
  }
  return undefined;
}

/**
 * The arguments of a tool that its schema wants in headers too: properties, at any depth, that say
 * `x-mcp-header`.
 */
export function headerParamsOf(inputSchema: unknown): readonly HeaderParam[] {
  const found: HeaderParam[] = [];
  collect(inputSchema, [], found);
  return found;
}

function collect(schema: unknown, path: readonly string[], found: HeaderParam[]): void {
  if (!isObject(schema) || path.length > 20) return;
  const name = schema["x-mcp-header"];
  if (typeof name === "string" && path.length > 0) {
    found.push({ header: `mcp-param-${name.toLowerCase()}`, path });
  }
  const { properties } = schema;
  if (!isObject(properties)) return;
  for (const [key, property] of Object.entries(properties)) {
    collect(property, [...path, key], found);
  }
}

/** A header's value; Node has trimmed it. */
function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** The value that a header carries; undefined if its Base64 is broken. */
function decoded(header: string): string | undefined {
  const wrapped = BASE64_WRAPPED.exec(header)?.[1];
  if (wrapped === undefined) return header;
  if (!BASE64.test(wrapped)) return undefined;
  return Buffer.from(wrapped, "base64").toString("utf8");
}
