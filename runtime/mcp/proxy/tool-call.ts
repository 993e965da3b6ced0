import type { Json } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { isObject, responseText } from "../json-rpc.ts";
import type { Budget, Step, StepOutcome } from "../record/step.ts";
import { cutResult } from "./result-cut.ts";
import { resultFrame } from "./result-frame.ts";
import type { RoutedTool } from "./surface.ts";
import type { Underway } from "./underway.ts";

export interface CallError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What the agent is answered. */
export type CallReply =
  /** `instead` is set if the proxy, not the server, speaks. */
  | { readonly kind: "result"; readonly result: ToolResult; readonly instead: CallError | null }
  | { readonly kind: "error"; readonly error: CallError }
  /** The agent cancelled: it hears nothing more. */
  | { readonly kind: "none"; readonly error: CallError };

export type ToolResult = Readonly<Record<string, unknown>>;

/** One `tools/call` from its arrival to its end: what becomes a step. */
export interface ToolCall extends Underway {
  readonly step: number;
  readonly callId: string;
  readonly exposedName: string;
  /** Undefined if no server has this tool. */
  readonly route: RoutedTool | undefined;
  readonly at: string;
  readonly arrivedMs: number;
  readonly firstFrame: number;
  readonly overlaps: Set<number>;
  state: "new" | "queued" | "sent" | "over";
  /** The request's id at the server. */
  upstreamId: number | undefined;
  queuedMs: number | undefined;
  sentMs: number | undefined;
  answeredMs: number | undefined;
}

/** A reply made ready to leave and to be recorded. */
export interface ReadyReply {
  readonly outcome: StepOutcome;
  /** The frame for the agent; undefined if it gets none. */
  readonly frame: string | undefined;
  readonly result: Json;
  readonly resultJson: string;
  readonly error: Step["error"];
  readonly truncated: Step["truncated"];
}

/** Names the call in the reply, makes it fit into the budget and writes it as JSON, once. */
export function readyReply(
  call: ToolCall,
  outcome: StepOutcome,
  reply: CallReply,
  resultBytes: number,
): ReadyReply {
  const none = { result: null, resultJson: "null", truncated: null };
  if (reply.kind === "none") {
    return { outcome, frame: undefined, error: publicError(reply.error), ...none };
  }
  if (reply.kind === "error") {
    const { json, truncated } = cutError(reply.error, resultBytes);
    const frame = responseText(call.message.id, "error", json);
    return { outcome, frame, error: publicError(reply.error), ...none, truncated };
  }
  const meta = reply.result["_meta"];
  const _meta = { ...(isObject(meta) ? meta : {}), "cloche/call_id": call.callId };
  const { result, json, truncated } = cutResult({ ...reply.result, _meta }, resultBytes);
  const withheld = outcome === "ok" && result["isError"] === true;
  return {
    outcome: withheld ? "tool_error" : outcome,
    frame: resultFrame(call.peer.era, call.message.id, "tools/call", result, json),
    result: result as Json,
    resultJson: json,
    error: reply.instead === null ? null : publicError(reply.instead),
    truncated,
  };
}

/** The step of a call that is over; `lastFrame` is the last frame that belongs to it. */
export function stepOf(
  call: ToolCall,
  ready: ReadyReply,
  lastFrame: number,
  clock: Clock,
): Omit<Step, "previous"> {
  const { step, callId, exposedName, route, at, arrivedMs, firstFrame, overlaps } = call;
  const { outcome, result, error, truncated } = ready;
  const endMs = clock.monotonicMs();
  const queueMs = call.queuedMs === undefined ? 0 : (call.sentMs ?? endMs) - call.queuedMs;
  const upstreamMs = call.sentMs === undefined ? 0 : (call.answeredMs ?? endMs) - call.sentMs;
  const args = call.message.params?.["arguments"];
  return {
    step,
    callId,
    server: route?.server.upstream.name ?? "",
    tool: route?.tool ?? exposedName,
    exposedName,
    arguments: (args === undefined ? {} : args) as Json,
    outcome,
    result,
    error,
    truncated,
    at,
    queueMs: rounded(queueMs),
    upstreamMs: rounded(upstreamMs),
    proxyMs: rounded(endMs - arrivedMs - queueMs - upstreamMs),
    overlaps: [...overlaps].sort((a, b) => a - b),
    wire: [firstFrame, lastFrame],
  };
}

/** Why calls are refused from some moment on. */
export interface Refusal {
  readonly outcome: "denied_budget" | "denied_policy";
  readonly message: string;
}

/** Why calls past the budget are refused. */
export function overCalls({ calls }: Budget): Refusal {
  const message =
    `The budget of ${calls} calls is used up: this call was not made, and the rollout is over. ` +
    "Further calls are refused as well.";
  return { outcome: "denied_budget", message };
}

/** A tool error in the proxy's own words. */
export function toolError(code: number, message: string): CallReply {
  const result = { content: [{ type: "text", text: message }], isError: true };
  return { kind: "result", result, instead: { code, message } };
}

function cutError(
  error: CallError,
  maxBytes: number,
): { readonly json: string; readonly truncated: Step["truncated"] } {
  const json = JSON.stringify(error);
  const from = Buffer.byteLength(json);
  if (from <= maxBytes) return { json, truncated: null };
  const message = `${error.message.slice(0, 200)} [… cut: a result may hold ${maxBytes} bytes]`;
  const short = JSON.stringify({ code: error.code, message: message.toWellFormed() });
  return { json: short, truncated: { from, to: Buffer.byteLength(short) } };
}

function publicError({ code, message }: CallError): NonNullable<Step["error"]> {
  return { code, message: message.slice(0, 10_000) };
}

function rounded(ms: number): number {
  return Math.max(0, Math.round(ms * 1_000) / 1_000);
}
