import type { Context, MiddlewareHandler } from "hono";
import { parseExact } from "../base/exact-json.ts";
import { messageOf } from "../base/fault.ts";
import { costOf, oneLine, withoutArguments } from "../base/json-text.ts";
import type { ApiEnv } from "./api-parts.ts";
import { apiFault } from "./faults.ts";

const MIB = 1024 * 1024;
const BODY_MAX = MIB;
/** A file of some size has to fit into one call's arguments; as through MCP. */
const TOOL_BODY_MAX = 64 * MIB;
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
  const said = decoded(bytes);
  const { text, body, leftOut } = taken(said === "" ? "{}" : said, TOOLS.test(path));
  c.set("body", body);
  c.set("leftOut", leftOut);
  // Hono awaits what lies here, although its type says that it is there at once.
  const cached = Promise.resolve(said === "" && !JSON_TYPE.test(type) ? "" : text);
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
    return oneLine(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw apiFault("bad-json", "the body is not UTF-8", { cause: error });
  }
}

/**
 * The body as JSON that everything behind this may parse and walk. Of calls of tools of which only the
 * arguments are at fault, those are left out: each is answered as the call that it is.
 */
function taken(text: string, hasArguments: boolean): Taken {
  const leftOut = costOf(text);
  const kept = leftOut !== undefined && hasArguments ? withoutArguments(text, 2) : text;
  const problem = kept === text ? leftOut : costOf(kept);
  if (problem !== undefined) throw apiFault("bad-json", `the body is not taken: ${problem}`);
  try {
    return { text: kept, body: parseExact(kept), leftOut };
  } catch (error) {
    const message = `the body is not JSON: ${messageOf(error).slice(0, 300)}`;
    throw apiFault("bad-json", message, { cause: error });
  }
}

interface Taken {
  readonly text: string;
  readonly body: unknown;
  readonly leftOut: string | undefined;
}
