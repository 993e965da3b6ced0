import type { JsonRpcMessage } from "./link/server-link.ts";

export type RequestId = string | number;

/** JSON-RPC's error codes, and the one that servers may define for themselves. */
export const RPC_ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
  /** Of 2026-07-28: a header and the body say different things. */
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Deeper JSON is refused: it parses, but crashes whatever walks it by recursion. */
export const MAX_JSON_DEPTH = 100;

/** Each value costs memory, however short its text: more of them are refused. */
const MAX_JSON_VALUES = 500_000;
/** A shorter text cannot cost much. */
const UNLOOKED_LETTERS = 65_536;

export type ReadMessage =
  | { readonly kind: "request"; readonly message: JsonRpcRequest }
  | { readonly kind: "notification"; readonly message: JsonRpcNotification }
  | { readonly kind: "response"; readonly message: JsonRpcResponse }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string };

export interface JsonRpcRequest extends JsonRpcMessage {
  readonly id: RequestId;
  readonly method: string;
}

export interface JsonRpcNotification extends JsonRpcMessage {
  readonly method: string;
}

export interface JsonRpcResponse extends JsonRpcMessage {
  readonly id: RequestId | null;
}

/**
 * Reads one message. What is not one comes back as `refused`, with the code to answer with. What
 * would cost far more memory than its text is refused unparsed.
 */
export function readMessage(text: string): ReadMessage {
  const costly = text.length > UNLOOKED_LETTERS ? costOf(text) : undefined;
  if (costly !== undefined) return refused(costly);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "refused", code: RPC_ERROR.parse, reason: "this is not JSON" };
  }
  return checkMessage(value);
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Why this text is not even parsed. It need not be JSON; if it is, none of it is overlooked. */
function costOf(text: string): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === QUOTE) {
      at = endOfText(text, at);
    } else if (letter === OPEN_LIST || letter === OPEN_OBJECT) {
      depth += 1;
      values += 1;
      if (depth > MAX_JSON_DEPTH) return `it is nested deeper than ${MAX_JSON_DEPTH}`;
    } else if (letter === CLOSE_LIST || letter === CLOSE_OBJECT) {
      depth -= 1;
    } else if (letter === COMMA) {
      values += 1;
    }
    if (values > MAX_JSON_VALUES) return `it holds more than ${MAX_JSON_VALUES} values`;
  }
  return undefined;
}

/** Where the text that begins at this quote ends: at its own quote, or nowhere. */
function endOfText(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

/** As `readMessage`, for JSON that is parsed already. */
export function checkMessage(value: unknown): ReadMessage {
  const problem = problemOf(value, MAX_JSON_DEPTH);
  if (problem !== undefined) return refused(problem);
  if (Array.isArray(value)) return refused("batches are not part of this version of MCP");
  if (!isObject(value)) return refused("a message is an object");
  if (value["jsonrpc"] !== "2.0") return refused('"jsonrpc" is not "2.0"');
  if (value["params"] !== undefined && !isObject(value["params"])) {
    return refused('"params" is not an object');
  }
  return classify(value as unknown as JsonRpcMessage);
}

/** What kind of message this is. Looks at its own members only, so size does not matter. */
export function classify(message: JsonRpcMessage): ReadMessage {
  return message.method === undefined ? checkResponse(message) : checkCall(message);
}

/** `{"jsonrpc":"2.0","id":…,<member>:<text>}`, without parsing or copying what `text` holds. */
export function responseText(id: RequestId, member: "result" | "error", text: string): string {
  return `${responseHead(id, member)}${text}}`;
}

export function errorText(
  id: RequestId | null,
  code: number,
  message: string,
  data?: unknown,
): string {
  const error = { code, message, ...(data === undefined ? {} : { data }) };
  return JSON.stringify({ jsonrpc: "2.0", id, error });
}

/** The error's code if this response, written by us, is one; undefined for a result. */
export function errorCodeOf(text: string, id: RequestId): number | undefined {
  if (!text.startsWith(responseHead(id, "error"))) return undefined;
  return (JSON.parse(text) as { readonly error: { readonly code: number } }).error.code;
}

/** A response written by us, as the answer to another request. */
export function readdressed(text: string, from: RequestId, to: RequestId): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(to)}${text.slice(JSON.stringify(from).length + 22)}`;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value));
}

/** The token under which the sender of this request wants to hear of progress. */
export function progressTokenOf(message: JsonRpcMessage): RequestId | undefined {
  const meta = message.params?.["_meta"];
  const token = isObject(meta) ? meta["progressToken"] : undefined;
  return isRequestId(token) ? token : undefined;
}

/** The same params under another progress token; what else is in them stays as it is. */
export function withProgressToken(
  params: Readonly<Record<string, unknown>> | undefined,
  token: RequestId,
): Readonly<Record<string, unknown>> {
  const meta = params?.["_meta"];
  return { ...params, _meta: { ...(isObject(meta) ? meta : {}), progressToken: token } };
}

function responseHead(id: RequestId, member: "result" | "error"): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"${member}":`;
}

function checkCall(message: JsonRpcMessage): ReadMessage {
  if (typeof message.method !== "string") return refused('"method" is not a text');
  if (message.id === undefined) {
    return { kind: "notification", message: message as JsonRpcNotification };
  }
  if (!isRequestId(message.id)) return refused('"id" is neither a text nor a whole number');
  return { kind: "request", message: message as JsonRpcRequest };
}

function checkResponse(message: JsonRpcMessage): ReadMessage {
  const { id, result, error } = message;
  if (id !== null && !isRequestId(id)) return refused("it has neither a method nor a usable id");
  if ((result === undefined) === (error === undefined)) {
    return refused("a response has either a result or an error");
  }
  if (error !== undefined && !isRpcError(error)) {
    return refused("the error has no whole number as code or no text as message");
  }
  return { kind: "response", message: message as JsonRpcResponse };
}

function isRpcError(error: unknown): boolean {
  return (
    isObject(error) && Number.isSafeInteger(error["code"]) && typeof error["message"] === "string"
  );
}

function problemOf(value: unknown, depthLeft: number): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return "a number is too large";
  if (typeof value !== "object" || value === null) return undefined;
  if (depthLeft === 0) return `it is nested deeper than ${MAX_JSON_DEPTH}`;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    const problem = problemOf(member, depthLeft - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function refused(reason: string): ReadMessage {
  return { kind: "refused", code: RPC_ERROR.invalidRequest, reason };
}
