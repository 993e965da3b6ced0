import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/hash.ts";
import type { AppendFile } from "./append-file.ts";

/** "in": from the peer to the proxy; "out": from the proxy to the peer. */
export type Direction = "in" | "out";

/** A server may repeat a large file in every answer: whole, they would fill the disk. */
const MAX_FRAME_LETTERS = 512 * 1024;
const SHOWN_LETTERS = 1_000;

/**
 * Every frame of a rollout, verbatim up to 512 Ki letters, both ways, in the order in which the proxy saw or sent it:
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
   * one over several lines is folded into one, of a longer one stay its beginning and its hash. After the file is closed nothing is written and
   * the last number comes back. @throws Fault `mcp/record-failed`
   */
  write(direction: Direction, peer: string, json: string): number {
    if (!this.#file.isOpen) return this.#seq;
    const seq = this.#seq + 1;
    const message = json.length > MAX_FRAME_LETTERS ? leftOut(json) : oneLine(json);
    const at = this.#clock.now().toISOString();
    this.#file.append(
      `{"seq":${seq},"direction":"${direction}","peer":${JSON.stringify(peer)},` +
        `"at":"${at}","message":${message}}`,
    );
    this.#seq = seq;
    return seq;
  }
}

function oneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replaceAll(/[\r\n]+/g, " ") : json;
}

function leftOut(json: string): string {
  const bytes = Buffer.byteLength(json);
  const head = json.slice(0, SHOWN_LETTERS).toWellFormed();
  return JSON.stringify({ "cloche/left_out": { bytes, sha256: sha256(json), head } });
}
