import type { Socket } from "node:net";

/**
 * One request of the agent to the outside, whatever became of it. One that is sent somewhere has
 * two: before the first byte leaves, and when it is over.
 */
export interface EgressRecord {
  /** From 1, in the order in which requests came. */
  readonly request: number;
  readonly method: string;
  /** As it was asked for, at most 300 letters. */
  readonly host: string;
  readonly port: number | null;
  /** Where it was sent; null if it was sent nowhere. */
  readonly address: string | null;
  readonly outcome: "begun" | "allowed" | "refused" | "failed";
  /** Why it was refused, or how it failed; null otherwise. */
  readonly reason: string | null;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

/** A request that is not carried out, and what its sender is told. */
export class Refused extends Error {
  readonly outcome: "refused" | "failed";

  constructor(outcome: "refused" | "failed", message: string) {
    super(message);
    this.outcome = outcome;
  }
}

type OnRecord = (record: EgressRecord) => void;

const HOST_LETTERS = 300;

/** What becomes the records of one request. */
export class Note {
  readonly #request: number;
  readonly #method: string;
  readonly #onRecord: OnRecord;
  #host: string;
  #port: number | null = null;
  #address: string | null = null;
  #isOver = false;

  constructor(number: number, method: string, asked: string, on: OnRecord) {
    this.#request = number;
    this.#method = method.slice(0, 32);
    this.#host = asked.slice(0, HOST_LETTERS);
    this.#onRecord = on;
  }

  aim(host: string, port: number): void {
    this.#host = host;
    this.#port = port;
  }

  sentTo(address: string): void {
    this.#address = address;
    this.#say("begun", null);
  }

  end(error: unknown, upstream?: Socket): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const failed = error instanceof Refused ? error.outcome : "failed";
    const isAllowed = error === undefined;
    this.#say(isAllowed ? "allowed" : failed, isAllowed ? null : textOf(error), upstream);
  }

  #say(outcome: EgressRecord["outcome"], reason: string | null, upstream?: Socket): void {
    this.#onRecord({
      request: this.#request,
      method: this.#method,
      host: this.#host,
      port: this.#port,
      address: this.#address,
      ...{ outcome, reason },
      bytesOut: upstream?.bytesWritten ?? 0,
      bytesIn: upstream?.bytesRead ?? 0,
    });
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
