import { z } from "@hono/zod-openapi";
import { Fault, faultRecord, messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { CODES } from "./codes.ts";
import { apiFault } from "./faults.ts";
import { statusOf } from "./status.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** An RFC 9457 problem document with Cloche's code, blame and remedy. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly blame: Fault["blame"];
  readonly remedy: string;
  readonly requestId: string;
  readonly context?: Readonly<Record<string, unknown>> | undefined;
}

export const problemSchema: z.ZodType<Problem> = z
  .strictObject({
    type: z.string().describe("Where the code is explained: a path of this service."),
    title: z.string().describe("What the code means."),
    status: z.int(),
    detail: z.string().describe("What happened, to what, what came back, what to do."),
    instance: z.string().describe("The path that was asked for."),
    code: z.string().describe("Stable; for programs."),
    blame: z.enum(["caller", "task", "grader", "agent", "engine", "store"]),
    remedy: z.string(),
    requestId: z.string().describe("Also in the header x-request-id and in the service's log."),
    context: z.record(z.string(), z.unknown()).optional().describe("Facts for programs."),
  })
  .openapi("Problem");

const RETRY_AFTER_S = 5;

/** What is asked: for the document and the log. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
}

/**
 * Answers a failure. What is no Fault becomes `api/internal`, whose cause only the log shows. 429
 * and 503 carry Retry-After.
 */
export function problemResponse(error: unknown, asked: Asked, log: Log): Response {
  const fault = asInternal(error);
  const status = statusOf(fault);
  const { requestId } = asked;
  const line = { ...faultRecord(fault), ...asked, status };
  if (status >= 500) log.error(error instanceof Fault ? line : { ...line, stack: stackOf(error) });
  else log.debug(line);
  const headers = new Headers({ "content-type": PROBLEM_TYPE, "x-request-id": requestId });
  if (status === 429 || status === 503) headers.set("retry-after", String(retryAfter(fault)));
  if (status === 401) headers.set("www-authenticate", challenge(fault));
  const allow = fault.detail["allow"];
  if (status === 405 && typeof allow === "string") headers.set("allow", allow);
  if (status === 413 || status === 408) headers.set("connection", "close");
  return new Response(JSON.stringify(documentOf(fault, status, asked)), { status, headers });
}

function documentOf(fault: Fault, status: number, { path, requestId }: Asked): Problem {
  const { code, blame, message, detail } = fault;
  const kind = CODES.get(code);
  const hasContext = blame === "caller" && Object.keys(detail).length > 0;
  return {
    type: `/docs#${code}`,
    title: kind?.means ?? code,
    status,
    detail: message,
    instance: path,
    code,
    blame,
    remedy: kind?.remedy ?? "See docs/errors.md.",
    requestId,
    ...(hasContext && { context: detail }),
  };
}

function asInternal(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return apiFault("internal", "the request failed in a way that has no code of its own", {
    cause: error,
  });
}

/** Whole seconds, as clients expect them, and never none. */
function retryAfter({ detail }: Fault): number {
  const ms = detail["retryAfterMs"];
  return typeof ms === "number" ? Math.max(1, Math.ceil(ms / 1000)) : RETRY_AFTER_S;
}

function challenge({ detail }: Fault): string {
  return detail["presented"] === true ? 'Bearer error="invalid_token"' : "Bearer";
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
