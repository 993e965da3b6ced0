import type { JsonRpcNotification, JsonRpcResponse } from "../json-rpc.ts";
import type { JsonRpcMessage, LinkClosed } from "./server-link.ts";

/** Who waits for the answer to one request at a server. Exactly one of the first two is called. */
export interface Waiter {
  answered(response: JsonRpcResponse): void;
  lost(closed: LinkClosed): void;
  /** Progress of this request, under the server's token. */
  progress?(message: JsonRpcNotification): void;
}

/**
 * The requests under way at one server. Ids and progress tokens that it sees are our own: sessions of
 * several agents share it and choose theirs freely.
 */
export class Awaited {
  readonly #waiters = new Map<number, Waiter>();
  /** A late answer to one of these is nobody's fault. */
  readonly #cancelled = new Set<number>();
  #nextId = 1;

  newId(): number {
    return this.#nextId++;
  }

  add(id: number, waiter: Waiter): void {
    this.#waiters.set(id, waiter);
  }

  /** Takes it out; whether it was there. */
  remove(id: number): boolean {
    return this.#waiters.delete(id);
  }

  /** The server may still answer this one, which was taken out. */
  expectLate(id: number): void {
    this.#cancelled.add(id);
  }

  /** Whether the server was asked this, and has not answered. */
  has(id: JsonRpcMessage["id"]): boolean {
    return this.#waiters.has(id as number) || this.#cancelled.has(id as number);
  }

  /** Takes out who waits for this answer; "late" if nobody does any more, undefined if nobody ever did. */
  answerTo({ id }: JsonRpcResponse): Waiter | "late" | undefined {
    const asked = id as number;
    const waiter = this.#waiters.get(asked);
    this.#waiters.delete(asked);
    return waiter ?? (this.#cancelled.delete(asked) ? "late" : undefined);
  }

  progressOf(message: JsonRpcNotification): Waiter | undefined {
    if (message.method !== "notifications/progress") return undefined;
    const token = message.params?.["progressToken"];
    return typeof token === "number" ? this.#waiters.get(token) : undefined;
  }

  takeAll(): Waiter[] {
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    return waiters;
  }
}
