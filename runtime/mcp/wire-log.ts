import type { Clock } from "../base/clock.ts";
import type { AppendFile } from "./append-file.ts";

/** "in": from the peer to the proxy; "out": from the proxy to the peer. */
export type Direction = "in" | "out";

/**
 * Every frame of a rollout, verbatim, both ways, in the order in which the proxy saw or sent it:
 * one line `{seq, direction, peer, at, message}` each. `peer` is `agent:<session>` or
 * `server:<name>`. Frames cross the proxy rewritten, so a forwarded one is there twice.
 */
export class WireLog {
  readonly #file: AppendFile;
  readonly #clock: Clock;
  #seq = 0;

  constructor(file: AppendFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** The number of the last frame written; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Writes a frame and returns its number, from 1 without gaps. `json` is the frame as it crossed;
   * one over several lines is folded into one. After the file is closed nothing is written and
   * the last number comes back. @throws Fault `mcp/record-failed`
   */
  write(direction: Direction, peer: string, json: string): number {
    if (!this.#file.isOpen) return this.#seq;
    const seq = this.#seq + 1;
    const isFolded = json.includes("\n") || json.includes("\r");
    const message = isFolded ? json.replaceAll(/[\r\n]+/g, " ") : json;
    const at = this.#clock.now().toISOString();
    this.#file.append(
      `{"seq":${seq},"direction":"${direction}","peer":${JSON.stringify(peer)},` +
        `"at":"${at}","message":${message}}`,
    );
    this.#seq = seq;
    return seq;
  }
}
