import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import fc from "fast-check";
import { demultiplex, FrameSplitter } from "../../runtime/engine/docker/demultiplex.ts";

function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Cuts bytes at these places. */
function slices(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const frames = fc.array(
  fc.record({ stream: fc.constantFrom(1, 2), payload: fc.uint8Array({ maxLength: 300 }) }),
  { maxLength: 20 },
);

describe("Docker's joined stream", () => {
  it("comes apart the same however it is sliced", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 40 }), (all, cuts) => {
        const joined = Buffer.concat(all.map(({ stream, payload }) => frame(stream, payload)));
        const splitter = new FrameSplitter();
        const pieces = slices(joined, cuts).flatMap((slice) => [...splitter.push(slice)]);
        for (const stream of [1, 2]) {
          const of = <T extends { stream: number }>(list: readonly T[]) =>
            list.filter((one) => one.stream === stream);
          const expected = Buffer.concat(of(all).map(({ payload }) => payload));
          assert(Buffer.concat(of(pieces).map(({ bytes }) => bytes)).equals(expected));
        }
      }),
    );
  });

  it("ends both outputs where it is cut", async () => {
    const whole = Buffer.concat([frame(1, Buffer.from("out")), frame(2, Buffer.from("error"))]);
    for (let length = 0; length <= whole.length; length++) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const source = Readable.from([whole.subarray(0, length)], { objectMode: false });
      await demultiplex(source, stdout, stderr, new AbortController().signal);
      assert("out".startsWith((await buffer(stdout)).toString()));
      assert("error".startsWith((await buffer(stderr)).toString()));
    }
  });

  it("waits for a reader, until it is in a hurry or the reader is gone", async () => {
    const noise = frame(1, Buffer.alloc(1_000_000));
    for (const letGo of ["hurry", "destroy"]) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const hurry = new AbortController();
      const source = Readable.from([noise, frame(2, Buffer.from("after"))], { objectMode: false });
      const done = demultiplex(source, stdout, stderr, hurry.signal);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(stderr.readableLength, 0);
      if (letGo === "hurry") hurry.abort();
      else stdout.destroy();
      await done;
      assert.equal((await buffer(stderr)).toString(), "after");
    }
  });
});
