import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { serverSent } from "../../runtime/api/client/event-stream.ts";

/** The messages of a stream whose bytes come in pieces cut at these places. */
async function read(bytes: Uint8Array, cuts: readonly number[] = []) {
  const at = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  const body = ReadableStream.from(pieces) as ReadableStream<Uint8Array>;
  return await Array.fromAsync(serverSent(body));
}

describe("a stream of server-sent events", () => {
  it("is read as the standard says", async () => {
    const text =
      ": hello\n\nid: 1\nevent: a\ndata: x\ndata:y\n\ndata\n\nid: 2\n\ndata:  z\n\ndata: cut";
    assert.deepEqual(await read(Buffer.from(text)), [
      { id: "1", event: "a", data: "x\ny" },
      { id: "1", event: "message", data: "" },
      { id: "2", event: "message", data: " z" },
    ]);
  });

  it("reads the same however its bytes are cut and its lines are ended", async () => {
    const data = fc.string({ unit: "grapheme" }).map((text) => JSON.stringify({ text }));
    const ending = fc.constantFrom("\n", "\r\n");
    await fc.assert(
      fc.asyncProperty(
        fc.array(data, { maxLength: 5 }),
        ending,
        fc.array(fc.nat(2_000), { maxLength: 20 }),
        async (texts, end, cuts) => {
          const frames = texts.map((text, index) => `id: ${index}${end}data: ${text}${end}${end}`);
          const messages = await read(Buffer.from(frames.join("")), cuts);
          assert.deepEqual(
            messages.map((message) => message.data),
            texts,
          );
        },
      ),
    );
  });
});
