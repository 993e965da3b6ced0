import { exactJson, parseExact } from "../../base/exact-json.ts";
import type { AgentDoor, AgentPeer } from "../agent-peer.ts";
import { isObject, readMessage } from "../json-rpc.ts";
import type { BudgetPart } from "../record/step.ts";
import { OWN_META } from "./tool-call.ts";

/** What a call came to. A protocol error is an answer as well: the agent may have named no tool. */
export type CalledTool =
  | {
      readonly result: Readonly<Record<string, unknown>>;
      /** What of the budget is used up, if that is why the call was not made. */
      readonly budgetUsed?: BudgetPart;
    }
  | { readonly error: { readonly code: number; readonly message: string } };

/**
 * Calls a tool through a door as an agent would, the `id`th time. Rejects with the signal's reason,
 * which cancels the call.
 */
export async function callDirectly(
  door: AgentDoor,
  id: number,
  params: { readonly name: string; readonly arguments: unknown },
  { signal, problem }: { readonly signal?: AbortSignal; readonly problem?: string } = {},
): Promise<CalledTool> {
  signal?.throwIfAborted();
  const caller = new DirectCaller(`agent:direct-${id}`);
  const connection = door.connect(caller);
  const read = readMessage(exactJson({ jsonrpc: "2.0", id, method: "tools/call", params }));
  if (read.kind === "refused") throw new Error(`a call cannot be made: ${read.reason}`);
  const onAbort = () => {
    connection.cancel(id, "the caller aborted the call");
    caller.fail(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    connection.receive(problem === undefined ? read : { ...read, problem });
    return await caller.answer;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** A result as it came over MCP. */
export function calledTool(value: unknown): CalledTool {
  const result = isObject(value) ? value : {};
  const meta = result["_meta"];
  const used = isObject(meta) ? meta[OWN_META.budgetUsed] : undefined;
  return used === undefined ? { result } : { result, budgetUsed: used as BudgetPart };
}

/** An agent of one call, in this process. It can be asked nothing. */
class DirectCaller implements AgentPeer {
  readonly name: string;
  readonly era = "legacy";
  readonly isAskable = false;
  readonly isListening = false;
  readonly capabilities: Readonly<Record<string, unknown>> = {};
  readonly logLevel = undefined;
  /** Rejects with what `fail` was given. */
  readonly answer: Promise<CalledTool>;
  readonly #resolve: (called: CalledTool) => void;
  readonly fail: (reason: unknown) => void;

  constructor(name: string) {
    const { promise, resolve, reject } = Promise.withResolvers<CalledTool>();
    this.name = name;
    this.answer = promise;
    this.#resolve = resolve;
    this.fail = reject;
    promise.catch(() => {});
  }

  reply(_id: unknown, text: string): void {
    const { result, error } = parseExact(text) as {
      readonly result?: unknown;
      readonly error?: { readonly code: number; readonly message: string };
    };
    if (error === undefined) this.#resolve(calledTool(result));
    else this.#resolve({ error });
  }

  send(): void {}

  drop(): void {}
}
