import type { Json } from "../../base/canonical-json.ts";

/** How a call ended. Only `ok` is a success; absence of a result is never one. */
export type StepOutcome =
  | "ok"
  | "tool_error"
  | "protocol_error"
  | "invalid_args"
  | "timeout"
  | "cancelled"
  | "upstream_lost"
  | "denied_budget"
  | "denied_policy"
  /** The process that recorded died while the call was under way: nobody knows what came of it. */
  | "interrupted";

/**
 * One call of a tool (`tools/call`) as the proxy saw it: a line of `steps.jsonl`. The agent can
 * neither omit nor forge one: the host writes it, before the reply leaves.
 */
export interface Step {
  /** From 1, in the order in which requests arrived, without gaps. Lines are in the order of ending. */
  readonly step: number;
  /** `<rollout>-<step>`, also in the result's `_meta` as `cloche/call_id`. */
  readonly callId: string;
  readonly server: string;
  /** The tool's name at its server. */
  readonly tool: string;
  /** The tool's name as the agent said it. */
  readonly exposedName: string;
  readonly arguments: Json;
  readonly outcome: StepOutcome;
  /** The result as it was sent (`content`, `structuredContent`, `isError`); null if there was none. */
  readonly result: Json;
  /** A JSON-RPC error, or what the proxy said instead; null otherwise. */
  readonly error: { readonly code: number; readonly message: string } | null;
  /** If the result was cut for the budget: bytes before and after. */
  readonly truncated: { readonly from: number; readonly to: number } | null;
  /** Where text was no text (half a surrogate pair, bytes that are not UTF-8), and U+FFFD stands. */
  readonly madeWellFormed?: readonly ("arguments" | "result" | "error")[];
  /** RFC 3339, when the request arrived. */
  readonly at: string;
  /** Milliseconds: waiting for a slot, at the server, in the proxy itself. */
  readonly queueMs: number;
  readonly upstreamMs: number;
  readonly proxyMs: number;
  /** Steps that were under way at some time during this one. */
  readonly overlaps: readonly number[];
  /** First and last frame of this call in `wire.jsonl`. */
  readonly wire: readonly [number, number];
  /** sha256 of the previous line's text (64 zeros for the first): the chain. */
  readonly previous: string;
}

/** Bounds on what an agent may ask for in one rollout. */
export interface Budget {
  /** Calls of tools. */
  readonly calls: number;
  /** From `serving` on, in milliseconds. */
  readonly wallMs: number;
  /** Of one call, from when its server is asked; then it is cancelled there. Default 300,000. */
  readonly callMs?: number;
  /** Bytes of one result, as JSON; a longer text is cut in the middle and says so. */
  readonly resultBytes: number;
  /** Calls at the same time; further ones wait. */
  readonly concurrentCalls: number;
}

/** What of a budget can be used up. */
export type BudgetPart = "calls" | "wall" | "bytes";

/** Why the agent's turn was over. Data, never a fault. */
export type Ending =
  | { readonly kind: "submitted"; readonly answer: string | null }
  | { readonly kind: "budget"; readonly which: BudgetPart }
  | { readonly kind: "cancelled" }
  | { readonly kind: "agent_gone" }
  /** The sandbox died of the agent's own doing (memory, kill) and calls became impossible. */
  | { readonly kind: "sandbox_died"; readonly outOfMemory: boolean };
