import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../base/canonical-json.ts";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import { mcpFault } from "./faults.ts";
import { isObject } from "./json-rpc.ts";
import { type ChainEnd, FIRST_PREVIOUS } from "./step-log.ts";
import { META } from "./versions.ts";

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
  const stepLines = wholeLines(join(folder, "steps.jsonl"));
  const wireLines = wholeLines(join(folder, "wire.jsonl"));
  let hash = FIRST_PREVIOUS;
  const firstFrames = new Set<unknown>();
  for (const [index, line] of stepLines.entries()) {
    const step = parsed(line, "steps.jsonl", index);
    const { previous, wire } = isObject(step) ? step : {};
    if (previous !== hash) throw broken("steps.jsonl", index, "it does not follow the line before");
    if (Array.isArray(wire)) firstFrames.add(wire[0]);
    hash = sha256(line);
  }
  const calls = wireLines.flatMap((line, index) => {
    const frame = parsed(line, "wire.jsonl", index) as Frame;
    if (frame?.seq !== index + 1) throw broken("wire.jsonl", index, "its number is not the next");
    return callOf(frame);
  });
  const numbered = calls.map((call, index) => ({ ...call, step: index + 1 }));
  const unfinished = numbered.filter(({ frame }) => !firstFrames.has(frame));
  if (unfinished.length + stepLines.length !== calls.length) {
    throw mcpFault("record-broken", "steps.jsonl has steps whose requests wire.jsonl lacks");
  }
  const chain = { count: stepLines.length, hash };
  return { lastFrame: wireLines.length, chain, calls: calls.length, unfinished };
}

/** A new call of a tool; one that goes on with a parked call is none. */
function callOf({ direction, peer, message, seq, at }: Frame): Omit<UnfinishedCall, "step">[] {
  if (direction !== "in" || !peer.startsWith("agent:") || !isObject(message)) return [];
  const { method, params, id } = message;
  if (method !== "tools/call" || id === undefined) return [];
  const said = isObject(params) ? params : {};
  const meta = said["_meta"];
  const isModern = isObject(meta) && META.protocolVersion in meta;
  if (isModern && ("requestState" in said || hasBadResponses(said))) return [];
  const exposedName = typeof said["name"] === "string" ? said["name"] : "";
  const args = said["arguments"];
  return [{ exposedName, arguments: (args === undefined ? {} : args) as Json, at, frame: seq }];
}

/** Such a call is refused before it counts (`Inquiries.resume`). */
function hasBadResponses(params: Readonly<Record<string, unknown>>): boolean {
  if (!("inputResponses" in params)) return false;
  const { inputResponses } = params;
  return !isObject(inputResponses) || !Object.values(inputResponses).every(isObject);
}

/** The lines that have an end. What comes after the last one is cut away, also in the file. */
function wholeLines(path: string): readonly string[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) truncateSync(path, whole);
    bytes = bytes.subarray(0, whole);
  } catch (error) {
    const message = `cannot read ${path}: ${messageOf(error)}`;
    throw mcpFault("record-broken", message, { cause: error });
  }
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    lines.push(bytes.toString("utf8", from, end));
    from = end + 1;
  }
  return lines;
}

function parsed(line: string, file: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw broken(file, index, messageOf(error), error);
  }
}

function broken(file: string, index: number, what: string, cause?: unknown): Error {
  return mcpFault("record-broken", `line ${index + 1} of ${file} cannot be trusted: ${what}`, {
    cause,
  });
}
