import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameReader } from "../../runtime/mcp/terminal/frames.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { mutated, mutation, pieceSizes, pieces } from "./mutations.ts";

const NONCE = "0123456789abcdef";
const PREFIX = `\u001e${NONCE};`;

/** What our script says, what a command prints, and what a command prints to look like our script. */
const piece = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom(
    PREFIX,
    `\u001e${NONCE}`,
    "\u001e",
    "\0",
    ";",
    `${PREFIX}e;0\0`,
    "\u001eother;e;0\0",
  ),
  fc
    .tuple(fc.constantFrom("e", "c", "p"), fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }))
    .map(([kind, fields]) => `${PREFIX}${[kind, ...fields].join(";").replaceAll("\0", "")}\0`),
);

const input = fc.record({
  text: fc.array(piece, { maxLength: 8 }),
  bytes: fc.array(mutation, { maxLength: 2 }),
  sizes: fc.oneof(pieceSizes, fc.constantFrom([1], [2], [17, 1])),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

/** The terminal's stream: nothing is lost or made up, however it comes in pieces. */
export const framesTarget: FuzzTarget = {
  name: "frames",
  open: async (_folder, tally) => fc.asyncProperty(input, async (one) => check(one, tally)),
};

function check(one: Input, tally: Tally): void {
  const bytes = mutated(Buffer.from(one.text.join("")), one.bytes);
  const parts = read(pieces(bytes, one.sizes));
  assert.deepEqual(parts, read([bytes]));
  const frames = parts.filter(({ kind }) => kind === "frame").length;
  tally.add(frames > 0 ? "frames" : "output only");
  // Bytes of a frame that are not UTF-8 come back as others.
  const isText = bytes.equals(Buffer.from(bytes.toString("utf8")));
  const again = Buffer.concat(
    parts.map(({ kind, bytes: one }) =>
      kind === "frame" ? Buffer.concat([Buffer.from(PREFIX), one, Buffer.from([0])]) : one,
    ),
  );
  if (isText) assert.deepEqual(again, bytes);
  // A frame holds neither the begin of another nor an end: one command cannot swallow our word.
  for (const { kind, bytes: body } of parts) {
    if (kind === "frame") assert.ok(!body.includes(PREFIX) && !body.includes(0));
  }
}

interface Part {
  readonly kind: "frame" | "output";
  readonly bytes: Buffer;
}

/** In order; output that came in several pieces is one. */
function read(chunks: readonly Buffer[]): Part[] {
  const parts: Part[] = [];
  const reader = new FrameReader(NONCE, {
    output: (bytes) => {
      const last = parts.at(-1);
      const isMore = last?.kind === "output";
      const whole = Buffer.concat(isMore ? [last.bytes, bytes] : [bytes]);
      if (isMore) parts.pop();
      parts.push({ kind: "output", bytes: whole });
    },
    frame: ({ kind, fields }) =>
      parts.push({ kind: "frame", bytes: Buffer.from([kind, ...fields].join(";")) }),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return parts;
}
