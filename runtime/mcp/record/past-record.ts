import { closeSync, ftruncateSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../base/canonical-json.ts";
import { parseExact } from "../../base/exact-json.ts";
import { Fault, messageOf } from "../../base/fault.ts";
import { sha256 } from "../../base/hash.ts";
import { mcpFault } from "../faults.ts";
import { isObject } from "../json-rpc.ts";
import { META } from "../versions.ts";
import { type ChainEnd, FIRST_PREVIOUS } from "./step-log.ts";

/** A call whose step was never written. */
export interface UnfinishedCall {
  readonly step: number;
  readonly exposedName: string;
  readonly arguments: Json;
  readonly at: string;
  /** Its request in the wire log. */
  readonly frame: number;
}

/** What a process that died left of a rollout. */
export interface PastRecord {
  readonly lastFrame: number;
  readonly chain: ChainEnd;
  /** Calls of tools that arrived, whatever became of them. */
  readonly calls: number;
  readonly unfinished: readonly UnfinishedCall[];
}

interface Frame {
  readonly seq: number;
  readonly direction: string;
  readonly peer: string;
  readonly at: string;
  readonly message: unknown;
}

/**
 * Reads `steps.jsonl` and `wire.jsonl` of a folder, checks every hash and number, and cuts a last line
 * away that was torn. @throws Fault `mcp/record-broken`
 */
export function readPastRecord(folder: string): PastRecord {
  const { chain, firstFrames } = pastSteps(join(folder, "steps.jsonl"));
  const unfinished: UnfinishedCall[] = [];
  let lastFrame = 0;
  let calls = 0;
  for (const line of wholeLines(join(folder, "wire.jsonl"))) {
    const frame = parsed(line, "wire.jsonl", lastFrame) as Frame;
    if (frame?.seq !== lastFrame + 1) {
      throw broken("wire.jsonl", lastFrame, "its number is not the next");
    }
    lastFrame += 1;
    const call = callOf(frame);
    if (call === undefined) continue;
    calls += 1;
    if (!firstFrames.has(call.frame)) unfinished.push({ ...call, step: calls });
  }
  if (unfinished.length + chain.count !== calls) {
    throw mcpFault("record-broken", "steps.jsonl has steps whose requests wire.jsonl lacks");
  }
  return { lastFrame, chain, calls, unfinished };
}

/** Where the chain ends, and the wire log's numbers of the requests that have their step. */
function pastSteps(path: string) {
  let [count, hash] = [0, FIRST_PREVIOUS];
  const firstFrames = new Set<unknown>();
  for (const line of wholeLines(path)) {
    const step = parsed(line, "steps.jsonl", count);
    const { previous, wire } = isObject(step) ? step : {};
    if (previous !== hash) throw broken("steps.jsonl", count, "it does not follow the line before");
    if (Array.isArray(wire)) firstFrames.add(wire[0]);
    hash = sha256(line);
    count += 1;
  }
  return { chain: { count, hash }, firstFrames };
}

/** A new call of a tool; one that goes on with a parked call is none. */
function callOf({ direction, peer, message, seq, at }: Frame) {
  if (direction !== "in" || !peer.startsWith("agent:") || !isObject(message)) return undefined;
  const { method, params, id } = message;
  if (method !== "tools/call" || id === undefined) return undefined;
  const said = isObject(params) ? params : {};
  const meta = said["_meta"];
  const isModern = isObject(meta) && META.protocolVersion in meta;
  if (isModern && ("requestState" in said || hasBadResponses(said))) return undefined;
  const exposedName = typeof said["name"] === "string" ? said["name"] : "";
  const args = said["arguments"];
  return { exposedName, arguments: (args === undefined ? {} : args) as Json, at, frame: seq };
}

/** Such a call is refused before it counts (`Inquiries.resume`). */
function hasBadResponses(params: Readonly<Record<string, unknown>>): boolean {
  if (!("inputResponses" in params)) return false;
  const { inputResponses } = params;
  return !isObject(inputResponses) || !Object.values(inputResponses).every(isObject);
}

/**
 * The lines that have an end, one at a time: a record can be as large as a disk allows. What comes
 * after the last one is cut away, also in the file.
 */
function* wholeLines(path: string): Generator<string> {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r+");
    const pieces: Buffer[] = [];
    let whole = 0;
    for (let chunk = nextChunk(fd, 0), at = 0; chunk.length > 0; chunk = nextChunk(fd, at)) {
      let from = 0;
      for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
        pieces.push(chunk.subarray(from, end));
        from = end + 1;
        whole = at + from;
        yield Buffer.concat(pieces.splice(0)).toString("utf8");
      }
      pieces.push(chunk.subarray(from));
      at += chunk.length;
    }
    if (pieces.some(({ length }) => length > 0)) ftruncateSync(fd, whole);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const message = `cannot read ${path}: ${messageOf(error)}`;
    throw mcpFault("record-broken", message, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const LF = 0x0a;
const CHUNK_BYTES = 1024 * 1024;

function nextChunk(fd: number, at: number): Buffer {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  return chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, at));
}

function parsed(line: string, file: string, index: number): unknown {
  try {
    return parseExact(line);
  } catch (error) {
    throw broken(file, index, messageOf(error), error);
  }
}

function broken(file: string, index: number, what: string, cause?: unknown): Error {
  return mcpFault("record-broken", `line ${index + 1} of ${file} cannot be trusted: ${what}`, {
    cause,
  });
}
