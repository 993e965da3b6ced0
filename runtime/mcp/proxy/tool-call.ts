import type { Json } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { exactJson } from "../../base/exact-json.ts";
import { didYouMean } from "../../base/nearest.ts";
import { isObject, responseText, wasRepaired } from "../json-rpc.ts";
import type { Budget, BudgetPart, Step, StepOutcome } from "../record/step.ts";
import type { CallTimer } from "./call-timer.ts";
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
  | {
      readonly kind: "result";
      readonly result: ToolResult;
      readonly instead: CallError | null;
      readonly budgetUsed?: BudgetPart | undefined;
    }
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
  /** Text in what the agent asked was no text, and was replaced. */
  readonly isRepaired: boolean;
  /** Runs while its server works on it. */
  timer: CallTimer | undefined;
  state: "new" | "queued" | "sent" | "over";
  /** The request's id at the server. */
  upstreamId: number | undefined;
  queuedMs: number | undefined;
  sentMs: number | undefined;
  answeredMs: number | undefined;
}

/** A call that has just arrived, in this frame of the wire log. */
export function newCall(
  { peer, message }: Pick<ToolCall, "peer" | "message">,
  step: { readonly number: number; readonly callId: string },
  { frame, routes, clock }: Arrival,
): ToolCall {
  const name = message.params?.["name"];
  const exposedName = typeof name === "string" ? name : "";
  return {
    step: step.number,
    callId: step.callId,
    peer,
    message,
    exposedName,
    route: routes.get(exposedName),
    at: clock.now().toISOString(),
    arrivedMs: clock.monotonicMs(),
    firstFrame: frame,
    overlaps: new Set(),
    isParked: false,
    since: frame,
    isRepaired: wasRepaired(message.params),
    timer: undefined,
    state: "new",
    upstreamId: undefined,
    queuedMs: undefined,
    sentMs: undefined,
    answeredMs: undefined,
  };
}

interface Arrival {
  readonly frame: number;
  readonly routes: ReadonlyMap<string, RoutedTool>;
  readonly clock: Clock;
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
  readonly madeWellFormed: readonly WellFormedPart[];
}

type WellFormedPart = NonNullable<Step["madeWellFormed"]>[number];

/** Members of a result's `_meta` that only the proxy may write. */
export const OWN_META = {
  callId: "cloche/call_id",
  /** Which part of the budget is used up: "calls", "wall" or "bytes". */
  budgetUsed: "cloche/budget_used",
  /** Text of the server's was no text, and was replaced. */
  madeWellFormed: "cloche/made_well_formed",
} as const;

/** Names the call in the reply, makes it fit into the budget and writes it as JSON, once. */
export function readyReply(
  call: ToolCall,
  outcome: StepOutcome,
  reply: CallReply,
  resultBytes: number,
): ReadyReply {
  const said = reply.kind === "result" ? reply.result : reply.error;
  const isRepaired = reply.kind !== "none" && wasRepaired(said);
  const madeWellFormed: WellFormedPart[] = call.isRepaired ? ["arguments"] : [];
  if (isRepaired) madeWellFormed.push(reply.kind === "result" ? "result" : "error");
  const none = { result: null, resultJson: "null", truncated: null, madeWellFormed };
  if (reply.kind === "none") {
    return { outcome, frame: undefined, error: publicError(reply.error), ...none };
  }
  if (reply.kind === "error") {
    const { json, truncated } = cutError(reply.error, resultBytes);
    const frame = responseText(call.message.id, "error", json);
    return { outcome, frame, error: publicError(reply.error), ...none, truncated };
  }
  const _meta = {
    ...theirMeta(reply.result["_meta"]),
    [OWN_META.callId]: call.callId,
    ...(reply.budgetUsed !== undefined && { [OWN_META.budgetUsed]: reply.budgetUsed }),
    ...(isRepaired && { [OWN_META.madeWellFormed]: true }),
  };
  const { result, json, truncated } = cutResult({ ...reply.result, _meta }, resultBytes);
  const withheld = outcome === "ok" && result["isError"] === true;
  return {
    outcome: withheld ? "tool_error" : outcome,
    frame: resultFrame(call.peer.era, call.message.id, "tools/call", result, json),
    result: result as Json,
    resultJson: json,
    error: reply.instead === null ? null : publicError(reply.instead),
    truncated,
    madeWellFormed,
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
  const { outcome, result, error, truncated, madeWellFormed } = ready;
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
    ...(madeWellFormed.length > 0 && { madeWellFormed }),
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
  readonly budgetUsed?: BudgetPart | undefined;
}

/** What is wrong with a call; undefined if it can be made. `names` are those of all tools. */
export function callProblem(
  { message, exposedName, route }: ToolCall,
  names: Iterable<string>,
): string | undefined {
  if (typeof message.params?.["name"] !== "string") return 'tools/call needs "name", a text';
  const args = message.params["arguments"];
  if (args !== undefined && !isObject(args)) return '"arguments" of tools/call is not an object';
  if (route !== undefined) return undefined;
  return `Unknown tool: ${exposedName}${didYouMean(exposedName, names)}`;
}

/** Why calls past the budget are refused. */
export function overCalls({ calls }: Budget): Refusal {
  const message =
    `The budget of ${calls} calls is used up: this call was not made, and the rollout is over. ` +
    "Further calls are refused as well.";
  return { outcome: "denied_budget", message, budgetUsed: "calls" };
}

/** A tool error in the proxy's own words; `budgetUsed` if it is for what is used up. */
export function toolError(code: number, message: string, budgetUsed?: BudgetPart): CallReply {
  const result = { content: [{ type: "text", text: message }], isError: true };
  return { kind: "result", result, instead: { code, message }, budgetUsed };
}

function theirMeta(meta: unknown): Readonly<Record<string, unknown>> {
  const own: readonly string[] = Object.values(OWN_META);
  const members = isObject(meta) ? Object.entries(meta) : [];
  return Object.fromEntries(members.filter(([key]) => !own.includes(key)));
}

function cutError(
  error: CallError,
  maxBytes: number,
): { readonly json: string; readonly truncated: Step["truncated"] } {
  const json = exactJson(error);
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
