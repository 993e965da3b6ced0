import { readFile } from "node:fs/promises";
import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { messageOf } from "../base/fault.ts";

/**
 * A line of `egress.jsonl`: one request of the agent to the outside. One that was sent somewhere has
 * two, with the same number: `begun` before its first byte left, and what came of it. Without the
 * second its end was not seen: the process that recorded it died.
 */
export interface EgressLine {
  /** From 1, in the order in which requests came. */
  readonly request: number;
  /** RFC 3339, when the host heard of it. */
  readonly at: string;
  readonly method: string;
  readonly host: string;
  readonly port: number | null;
  /** Where it was sent; null if it was sent nowhere. */
  readonly address: string | null;
  readonly outcome: "begun" | "allowed" | "refused" | "failed";
  readonly reason: string | null;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

/** Requests that are recorded, and so let through; each is at most two lines. */
export const EGRESS_REQUESTS_MAX = 10_000;
const LINES_MAX = 2 * EGRESS_REQUESTS_MAX + 1;
export const EGRESS_BYTES_MAX = 64 * 1024 * 1024;

const bytes = z.int().nonnegative();

export const egressLineSchema: z.ZodType<EgressLine> = z.strictObject({
  request: z.int().positive(),
  at: z.iso.datetime({ offset: true }),
  method: z.string().max(32),
  host: z.string().max(300),
  port: z.int().min(0).max(99_999).nullable(),
  address: z.union([z.ipv4(), z.ipv6()]).nullable(),
  outcome: z.enum(["begun", "allowed", "refused", "failed"]),
  reason: z.string().max(1_000).nullable(),
  bytesOut: bytes,
  bytesIn: bytes,
});

/** @throws Error that says which line is none, or that there are too many */
export function parseEgressLines(text: string): EgressLine[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("its last line has no end");
  const lines = text.split("\n").slice(0, -1);
  if (lines.length > LINES_MAX) throw new Error(`it has more than ${LINES_MAX} lines`);
  return lines.map((line, index) => {
    try {
      return egressLineSchema.parse(JSON.parse(line));
    } catch (error) {
      throw new Error(`line ${index + 1} is no request: ${messageOf(error)}`, { cause: error });
    }
  });
}

/**
 * The lines of a file that this host writes; none if it is not there. What was being written when
 * its process died is left out.
 */
export async function readEgressLines(file: string): Promise<EgressLine[]> {
  try {
    const text = await readFile(file, "utf8");
    return parseEgressLines(text.slice(0, text.lastIndexOf("\n") + 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
}

/** The file's content. */
export function egressBytes(lines: readonly EgressLine[]): Buffer {
  return Buffer.from(lines.map((line) => `${canonicalJson(line)}\n`).join(""));
}
