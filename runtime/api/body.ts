import type { Context, MiddlewareHandler } from "hono";
import { messageOf } from "../base/fault.ts";
import type { ApiEnv } from "./api-parts.ts";
import { apiFault } from "./faults.ts";

const MIB = 1024 * 1024;
const BODY_MAX = MIB;
/** A file of some size has to fit into one call's arguments; as through MCP. */
const TOOL_BODY_MAX = 64 * MIB;
const DEPTH_MAX = 100;
const STALL_MS = 30_000;

const TOOLS = /^\/v1\/rollouts\/[^/]+\/tools(\/[^/]+)?$/;
const JSON_TYPE = /^application\/json\s*(;|$)/i;
export const TAR_TYPE = /^application\/x-tar\s*(;|$)/i;

/**
 * Reads the JSON body of a request within bounds of size, depth and pauses, before anything else
 * looks at it. The archive of a grade upload is left to its endpoint, which reads it as a stream.
 * @throws the codes `api/body-too-large`, `api/slow-body`, `api/bad-json`, `api/unsupported-type`
 */
export const boundedBody: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { method, path } = c.req;
  if (method !== "POST" && method !== "PUT" && method !== "PATCH") return next();
  const type = c.req.header("content-type") ?? "";
  if (path === "/v1/grade" && TAR_TYPE.test(type)) return next();
  const bytes = await readBody(c, TOOLS.test(path) ? TOOL_BODY_MAX : BODY_MAX);
  if (bytes.length > 0 && !JSON_TYPE.test(type)) {
    throw apiFault("unsupported-type", `the body is of type "${type}"; send application/json`);
  }
  const text = decoded(bytes);
  if (text !== "") requireJson(text);
  // Hono awaits what lies here, although its type says that it is there at once.
  const cached = Promise.resolve(text === "" && JSON_TYPE.test(type) ? "{}" : text);
  c.req.bodyCache.text = cached as unknown as string;
  return next();
};

async function readBody(c: Context, max: number): Promise<Buffer> {
  const tooLarge = () =>
    apiFault("body-too-large", `the body is larger than ${max} bytes`, { detail: { max } });
  if (Number(c.req.header("content-length") ?? 0) > max) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of withoutStalls(c.req.raw.body)) {
    bytes += chunk.length;
    if (bytes > max) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** The chunks of a body. A pause of more than 30 s or a client that is gone ends it. */
export async function* withoutStalls(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stalled = () => apiFault("slow-body", `nothing of the body came for ${STALL_MS / 1000} s`);
  const timer = setTimeout(() => reject(stalled()), STALL_MS);
  try {
    return await Promise.race([reading.catch(failed), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function failed(error: unknown): never {
  throw apiFault("slow-body", `the body ended early: ${messageOf(error)}`, { cause: error });
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw apiFault("bad-json", "the body is not UTF-8", { cause: error });
  }
}

function requireJson(text: string): void {
  requireShallow(text);
  try {
    JSON.parse(text);
  } catch (error) {
    const message = `the body is not JSON: ${messageOf(error).slice(0, 300)}`;
    throw apiFault("bad-json", message, { cause: error });
  }
}

/** Every reader of JSON behind this one may recurse. */
function requireShallow(text: string): void {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isString = false;
    } else if (code === QUOTE) isString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > DEPTH_MAX) {
        throw apiFault("bad-json", `the body is nested deeper than ${DEPTH_MAX} levels`);
      }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
