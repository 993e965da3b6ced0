import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorText, type RequestId, RPC_ERROR } from "../json-rpc.ts";

/** A file of some size has to fit into one call's arguments. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads a JSON body. Returns undefined if there is none to go on with: then the response is
 * already answered (400, 413, 415), or the client is gone.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<string | undefined> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    answerError(response, 415, RPC_ERROR.server, "Content-Type has to be application/json");
    return undefined;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= MAX_BODY_BYTES) return;
    tooLarge(response);
    request.destroy();
  });
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (isUtf8(body)) return resolve(body.toString("utf8"));
    answerError(response, 400, RPC_ERROR.parse, "The body is not UTF-8");
    resolve(undefined);
  });
  for (const gone of ["error", "close"]) request.on(gone, () => resolve(undefined));
  return await promise;
}

/** Answers with a JSON-RPC error; without an `id` it belongs to no request. */
export function answerError(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
  { id = null, data }: { readonly id?: RequestId | null; readonly data?: unknown } = {},
): void {
  if (response.headersSent) return;
  const body = Buffer.from(errorText(id, code, message, data), "utf8");
  const headers = { "content-type": "application/json", "content-length": body.length };
  response.writeHead(status, headers).end(body);
}

function tooLarge(response: ServerResponse): void {
  response.setHeader("connection", "close");
  const message = `The body is larger than ${MAX_BODY_BYTES} bytes`;
  answerError(response, 413, RPC_ERROR.server, message);
}
