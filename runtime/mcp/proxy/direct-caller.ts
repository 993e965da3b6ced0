import type { AgentDoor, AgentPeer } from "../agent-peer.ts";
import { isObject } from "../json-rpc.ts";

/** What a call came to. A protocol error is an answer as well: the agent may have named no tool. */
export type CalledTool =
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly code: number; readonly message: string } };

/**
 * Calls a tool through a door as an agent would, the `id`th time. Rejects with the signal's reason,
 * which cancels the call.
 */
export async function callDirectly(
  door: AgentDoor,
  id: number,
  params: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
  signal?: AbortSignal,
): Promise<CalledTool> {
  signal?.throwIfAborted();
  const caller = new DirectCaller(`agent:direct-${id}`);
  const connection = door.connect(caller);
  const message = { jsonrpc: "2.0", id, method: "tools/call", params };
  const onAbort = () => {
    connection.cancel(id, "the caller aborted the call");
    caller.fail(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    connection.receive(message, JSON.stringify(message));
    return await caller.answer;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** An agent of one call, in this process. It can be asked nothing. */
class DirectCaller implements AgentPeer {
  readonly name: string;
  readonly era = "legacy";
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
    const { result, error } = JSON.parse(text) as {
      readonly result?: unknown;
      readonly error?: { readonly code: number; readonly message: string };
    };
    this.#resolve(error === undefined ? { result: isObject(result) ? result : {} } : { error });
  }

  send(): void {}

  drop(): void {}
}
