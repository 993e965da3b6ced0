import type { Clock } from "../../base/clock.ts";
import { sha256 } from "../../base/hash.ts";
import { oneLine } from "../../base/json-text.ts";
import { mcpFault } from "../faults.ts";
import { isObject } from "../json-rpc.ts";
import type { AppendFile } from "./append-file.ts";

/** "in": from the peer to the proxy; "out": from the proxy to the peer. */
export type Direction = "in" | "out";

/** Before there is a file only servers' greetings are written; more than this is no greeting. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** A server may repeat a large file in every answer: whole, they would fill the disk. */
const MAX_FRAME_LETTERS = 512 * 1024;
const SHOWN_LETTERS = 1_000;

/**
 * Every frame of a rollout, both ways, in the order in which the proxy saw or sent it: one line
 * `{seq, direction, peer, at, message}` each, verbatim up to 512 Ki letters. `peer` is
 * `agent:<number>` or `server:<name>`. Frames cross the proxy rewritten, so a forwarded one is
 * there twice. Servers may be started before there is a rollout: their frames are held until there
 * is a file.
 */
export class WireLog {
  readonly #clock: Clock;
  #file: AppendFile | undefined;
  #held: string[] = [];
  #heldBytes = 0;
  #seq = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of the last frame written; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Writes what is held, and from now on everything, after frame `seq`. @throws Fault `mcp/record-failed` */
  attach(file: AppendFile, seq: number): void {
    this.#seq = seq;
    for (const rest of this.#held) {
      this.#seq += 1;
      file.append(`{"seq":${this.#seq}${rest}`);
    }
    this.#held = [];
    this.#file = file;
  }

  /**
   * Writes a frame and returns its number, from 1 without gaps. `json` is the frame as it crossed;
   * one over several lines is folded into one; of one that is too long stay its method and id, its
   * beginning and its hash. After the file is closed nothing is written and the last number comes back. @throws Fault `mcp/record-failed`
   */
  write(direction: Direction, peer: string, json: string): number {
    const file = this.#file;
    if (file !== undefined && !file.isOpen) return this.#seq;
    const message = json.length > MAX_FRAME_LETTERS ? shortened(json) : oneLine(json);
    const at = this.#clock.now().toISOString();
    const rest =
      `,"direction":"${direction}","peer":${JSON.stringify(peer)},` +
      `"at":"${at}","message":${message}}`;
    if (file === undefined) {
      this.#hold(rest);
      return 0;
    }
    const line = `{"seq":${this.#seq + 1}${rest}`;
    // Whatever leaves is written down first, and what came in with it.
    if (direction === "out") file.append(line);
    else file.hold(line);
    this.#seq += 1;
    return this.#seq;
  }

  /** Sees to it that what came in is written, and returns the last frame's number. @throws Fault `mcp/record-failed` */
  flush(): number {
    if (this.#file?.isOpen === true) this.#file.flush();
    return this.#seq;
  }

  #hold(rest: string): void {
    this.#heldBytes += rest.length;
    if (this.#heldBytes > MAX_HELD_BYTES) {
      throw mcpFault("record-failed", "a server wrote more than 64 MiB before its rollout began");
    }
    this.#held.push(rest);
  }
}

function shortened(json: string): string {
  const bytes = Buffer.byteLength(json);
  const head = json.slice(0, SHOWN_LETTERS).toWellFormed();
  const { jsonrpc, id, method, params } = JSON.parse(json) as Record<string, unknown>;
  const name = isObject(params) && typeof params["name"] === "string" ? params["name"] : undefined;
  const kept = { jsonrpc, id, method, ...(name === undefined ? {} : { params: { name } }) };
  return JSON.stringify({ ...kept, "cloche/left_out": { bytes, sha256: sha256(json), head } });
}
