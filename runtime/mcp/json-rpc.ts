import { exactJson, isRawNumber, keepDigits, parseExact } from "../base/exact-json.ts";
import { costOf, oneLine, wellFormed, withoutArguments } from "../base/json-text.ts";
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

/** What a message is, by its own members. */
export type Classified =
  | { readonly kind: "request"; readonly message: JsonRpcRequest }
  | { readonly kind: "notification"; readonly message: JsonRpcNotification }
  | { readonly kind: "response"; readonly message: JsonRpcResponse }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string };

type Refused = Extract<Classified, { kind: "refused" }>;

/** A message, and the text of one line that it is. */
export type TakenMessage = Exclude<Classified, Refused> & {
  readonly text: string;
  /** Why this call of a tool must not be made; its arguments are left out of it. */
  readonly problem?: string;
};

export type ReadMessage = TakenMessage | Refused;

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
 * Reads one message from outside. What is not one comes back as `refused`, with the code to answer
 * with. What would cost far more memory than its text is refused unparsed; a call of a tool of which
 * only the arguments are at fault is taken without them, so that it is answered as a call. Halves of
 * surrogate pairs become U+FFFD: see `wasRepaired`. `exactJson` writes the message as it was said.
 */
export function readMessage(said: string): ReadMessage {
  const line = oneLine(said);
  const text = wellFormed(line);
  const problem = costOf(text);
  if (problem !== undefined) return readWithoutArguments(text, problem);
  const read = readChecked(text);
  if (read.kind !== "refused" && text !== line) markRepaired(read.message);
  return read;
}

/** Whether text that is part of this message was no text as it was said, and was replaced. */
export function wasRepaired(part: unknown): boolean {
  return typeof part === "object" && part !== null && repaired.has(part);
}

/** Remembers that text in this message was not as it was said. */
export function markRepaired({ params, result, error }: JsonRpcMessage): void {
  for (const part of [params, result, error]) {
    if (typeof part === "object" && part !== null) repaired.add(part);
  }
}

const repaired = new WeakSet<object>();

function readWithoutArguments(text: string, problem: string): ReadMessage {
  const rest = withoutArguments(text, 1);
  if (rest === text || costOf(rest) !== undefined) return refused(problem);
  const read = readChecked(rest);
  const isCall = read.kind === "request" && read.message.method === "tools/call";
  return isCall
    ? { ...read, problem: `The arguments were not taken: ${problem}` }
    : refused(problem);
}

function readChecked(text: string): ReadMessage {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    return { kind: "refused", code: RPC_ERROR.parse, reason: "this is not JSON" };
  }
  const read = checkMessage(value);
  if (read.kind === "refused") return read;
  const { params, result, error } = read.message;
  for (const part of [params, result, error]) {
    if (!isObject(part)) continue;
    keepDigits(part, READ_HERE);
    const meta = part["_meta"];
    if (isObject(meta)) keepDigits(meta, READ_HERE);
  }
  return { ...read, text };
}

/** Numbers that are read, and not only handed on. */
const READ_HERE: readonly string[] = ["id", "progressToken", "requestId", "code"];

function checkMessage(value: unknown): Classified {
  if (Array.isArray(value)) return refused("batches are not part of this version of MCP");
  if (!isObject(value)) return refused("a message is an object");
  if (value["jsonrpc"] !== "2.0") return refused('"jsonrpc" is not "2.0"');
  if (value["params"] !== undefined && !isObject(value["params"])) {
    return refused('"params" is not an object');
  }
  return classify(value as unknown as JsonRpcMessage);
}

/** What kind of message this is. Looks at its own members only, so size does not matter. */
export function classify(message: JsonRpcMessage): Classified {
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
  return exactJson({ jsonrpc: "2.0", id, error });
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
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value)
  );
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

function checkCall(message: JsonRpcMessage): Classified {
  if (typeof message.method !== "string") return refused('"method" is not a text');
  if (message.id === undefined) {
    return { kind: "notification", message: message as JsonRpcNotification };
  }
  if (!isRequestId(message.id)) return refused('"id" is neither a text nor a whole number');
  return { kind: "request", message: message as JsonRpcRequest };
}

function checkResponse(message: JsonRpcMessage): Classified {
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

function refused(reason: string): Refused {
  return { kind: "refused", code: RPC_ERROR.invalidRequest, reason };
}
