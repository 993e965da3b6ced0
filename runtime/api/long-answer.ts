import type { Context } from "hono";
import { pause } from "../base/deadline.ts";
import { exactJson } from "../base/exact-json.ts";
import { Fault, messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { ApiEnv } from "./api-parts.ts";

/** JSON allows white space before its first word. */
const SPACE = new TextEncoder().encode(" ");

export interface LongAnswer<T> {
  /** After so long without an answer its headers are sent, and as often a sign of life after that. */
  readonly keepAliveMs: number;
  readonly answer: Promise<T>;
  /** What is answered if it fails once the status has been sent. */
  readonly failed: (message: string) => T;
  readonly log: Log;
}

/**
 * Answers with JSON however long it takes, though clients and proxies give up on an answer that does
 * not begin: past `keepAliveMs` it begins with status 200 and white space. What comes or fails
 * before that has the status that it would have had.
 */
export async function longAnswer<T>(c: Context<ApiEnv>, long: LongAnswer<T>): Promise<Response> {
  const early = await within(long.keepAliveMs, long.answer);
  const type = { "content-type": "application/json" };
  if (early !== undefined) return c.newResponse(exactJson(early.value), 200, type);
  const headers = { ...type, "x-accel-buffering": "no" };
  return c.newResponse(lateBody(long, c.get("requestId")), 200, headers);
}

async function within<T>(ms: number, answer: Promise<T>): Promise<{ value: T } | undefined> {
  const answered = new AbortController();
  const inTime = answer.then((value) => ({ value })).finally(() => answered.abort());
  const late = pause(ms, answered.signal).then(
    () => undefined,
    () => inTime,
  );
  return await Promise.race([inTime, late]);
}

/** Who asked may go meanwhile: the work goes on without. */
function lateBody<T>(long: LongAnswer<T>, requestId: string): ReadableStream<Uint8Array> {
  const { keepAliveMs, answer, failed, log } = long;
  let timer: NodeJS.Timeout | undefined;
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(SPACE);
      timer = setInterval(() => controller.enqueue(SPACE), keepAliveMs);
      const end = (value: T) => {
        clearInterval(timer);
        controller.enqueue(new TextEncoder().encode(exactJson(value)));
        controller.close();
      };
      answer
        .catch((error) => {
          log.error({ requestId, error: messageOf(error) }, "a late answer failed");
          const hidden = `it failed: look for request ${requestId} in the service's log`;
          return failed(error instanceof Fault ? error.message : hidden);
        })
        .then(end)
        .catch(() => {}); // The stream was cancelled meanwhile.
    },
    cancel: () => clearInterval(timer),
  });
}
