import type { Socket } from "node:net";
import type { EgressLine } from "../../runtime/store/egress-lines.ts";

/** What the proxy says of a request; the host adds when it heard of it. */
export type EgressRecord = Omit<EgressLine, "at">;

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
