import assert from "node:assert/strict";
import fc from "fast-check";
import { exactJson } from "../../runtime/base/exact-json.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { MAX_JSON_DEPTH } from "../../runtime/base/json-text.ts";
import {
  errorCodeOf,
  errorText,
  progressTokenOf,
  type ReadMessage,
  readdressed,
  readMessage,
  responseText,
  withProgressToken,
} from "../../runtime/mcp/json-rpc.ts";
import { LineSplitter, LineTooLong } from "../../runtime/mcp/link/json-lines.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { jsonMutated, jsonMutation, oddValues } from "./json-mutations.ts";
import { mutated, mutation, pieceSizes, pieces, seldom } from "./mutations.ts";

const LINE_BYTES = 2048;
const LONG_LINE_BYTES = 3000;

const id = fc.oneof(fc.integer(), fc.string({ maxLength: 6 }), fc.constantFrom<unknown>(null, 1.5));
const method = fc.constantFrom("tools/call", "tools/list", "notifications/progress", "ping");

const message = fc.oneof(
  fc.record({ id, method, params: fc.dictionary(fc.string({ maxLength: 4 }), oddValues) }),
  fc.record({ method, params: fc.record({ _meta: fc.record({ progressToken: id }) }) }),
  fc.record({ id, result: oddValues }),
  fc.record({ id, error: fc.record({ code: fc.integer(), message: fc.string() }) }),
);

const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(message, fc.array(jsonMutation, { maxLength: 2 })).map(asLine) },
  { weight: 1, arbitrary: fc.integer({ min: 90, max: 1600 }).map(nested) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20, unit: "binary" }) },
);

const input = fc.record({
  lines: fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", "\n\n", "")), {
    maxLength: 4,
  }),
  bytes: fc.array(mutation, { maxLength: 2 }),
  random: seldom(fc.uint8Array({ maxLength: 300 }), 40),
  sizes: pieceSizes,
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

/** What a server or an agent sends, from its bytes to messages. */
export const jsonRpcTarget: FuzzTarget = {
  name: "json-rpc",
  open: async (_folder, tally) => fc.asyncProperty(input, async (one) => check(one, tally)),
};

function asLine([value, mutations]: [object, Parameters<typeof jsonMutated>[1]]): string {
  return JSON.stringify(jsonMutated({ jsonrpc: "2.0", ...value }, mutations)) ?? "";
}

function nested(depth: number): string {
  return `{"jsonrpc":"2.0","id":1,"result":${"[".repeat(depth)}${"]".repeat(depth)}}`;
}

function check(one: Input, tally: Tally): void {
  const written = Buffer.from(one.lines.map(([text, end]) => `${text}${end}`).join(""));
  const bytes = one.random ? Buffer.from(one.random) : mutated(written, one.bytes);
  const wanted = wholeLines(bytes);
  const came = split(pieces(bytes, one.sizes));
  assert.deepEqual(came, wanted);
  if (wanted.long.length > 0) tally.add("line not kept");
  if (wanted.tooLong) tally.add("line too long");
  for (const text of came.lines) {
    const read = readMessage(text);
    tally.add(read.kind);
    if (read.kind !== "refused") assertUsable(read);
  }
}

interface Split {
  readonly lines: string[];
  /** How many lines were before it, its bytes, its hash. */
  readonly long: string[];
  readonly tooLong: boolean;
}

/** The lines however the stream was cut. */
function split(chunks: readonly Buffer[]): Split {
  const lines: string[] = [];
  const long: string[] = [];
  const splitter = new LineSplitter(
    { lineBytes: LINE_BYTES, longLineBytes: LONG_LINE_BYTES },
    (text) => lines.push(text),
    ({ bytes, sha256 }) => long.push(`${lines.length}: ${bytes} ${sha256}`),
  );
  try {
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return { lines, long, tooLong: false };
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    return { lines, long, tooLong: true };
  }
}

/** The same, found in the whole at once. */
function wholeLines(bytes: Buffer): Split {
  const lines: string[] = [];
  const long: string[] = [];
  for (let from = 0, first = true; from < bytes.length; first = false) {
    const found = bytes.indexOf(10, from);
    const end = found < 0 ? bytes.length : found;
    if (end - from > LONG_LINE_BYTES) return { lines, long, tooLong: true };
    if (end - from > LINE_BYTES) {
      long.push(`${lines.length}: ${end - from} ${sha256(bytes.subarray(from, end))}`);
      from = end + 1;
      continue;
    }
    let text = bytes.subarray(from, end).toString("utf8");
    if (first) text = text.replace(/^\uFEFF/, "");
    text = text.replace(/\r$/, "");
    if (text !== "") lines.push(text);
    from = end + 1;
  }
  return { lines, long, tooLong: false };
}

/** Whatever is accepted can be walked, written as one line, and read as the same again. */
function assertUsable(read: Exclude<ReadMessage, { readonly kind: "refused" }>): void {
  const { message } = read;
  const text = exactJson(message);
  assert.ok(!/[\n\r]/.test(text));
  assert.equal(text, read.text.trim()); // As it was said, to the letter.
  const again = readMessage(text);
  assert.ok(again.kind === read.kind);
  assert.equal(exactJson(again.message), text);
  assert.equal(exactJson({ ...again.message }), exactJson({ ...message }));
  assert.ok(depthOf(message) <= MAX_JSON_DEPTH);
  assert.deepEqual(Object.getPrototypeOf(message), Object.prototype);
  if (read.kind === "notification") return;
  const { id } = read.message;
  if (id === null) return;
  const answer = errorText(id, -32_000, text);
  assert.equal(errorCodeOf(answer, id), -32_000);
  assert.deepEqual(JSON.parse(readdressed(answer, id, "other")).id, "other");
  assert.ok(JSON.parse(responseText(id, "result", text)).id === id); // 0 for -0.
  if (read.kind !== "request") return;
  const token = progressTokenOf({ ...read.message, params: withProgressToken(message.params, 7) });
  assert.equal(token, 7);
}

function depthOf(value: unknown): number {
  if (typeof value === "number") assert.ok(Number.isFinite(value));
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((most, one) => Math.max(most, depthOf(one)), 0);
}
