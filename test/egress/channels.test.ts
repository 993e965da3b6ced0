import assert from "node:assert/strict";
import { once } from "node:events";
import { type Duplex, PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type Channel, WINDOW } from "../../images/egress/channel.ts";
import { Channels } from "../../images/egress/channels.ts";
import { creditFrame, FRAME, type Frame, FrameReader, frame } from "../../images/egress/frames.ts";

test("what breaks the rules is refused, and nothing is held of it", () => {
  const big = Buffer.alloc(32 * 1024);
  const wrong: Readonly<Record<string, Buffer[]>> = {
    "an unknown kind": [Buffer.from([9, 0, 0, 0, 1, 0, 0, 0])],
    "a payload that is too long": [Buffer.from([2, 0, 0, 0, 1, 0, 0x80, 1])],
    "data without any": [Buffer.from([2, 0, 0, 0, 1, 0, 0, 0])],
    "an end with a payload": [Buffer.from([3, 0, 0, 0, 1, 0, 0, 1, 0])],
    "a credit of three bytes": [Buffer.from([5, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0])],
    "a channel that was never opened": [frame(FRAME.data, 7, Buffer.from("x"))],
    "a channel that is opened again": [frame(FRAME.open, 1)],
    "bytes after the end": [frame(FRAME.end, 1), frame(FRAME.data, 1, Buffer.from("x"))],
    "more room than there is": [creditFrame(1, 1)],
    "more than the window": Array.from({ length: 9 }, () => frame(FRAME.data, 1, big)),
  };
  for (const [what, frames] of Object.entries(wrong)) {
    const { far } = pair();
    far.push(frame(FRAME.open, 1));
    assert.throws(() => far.push(Buffer.concat(frames)), Error, what);
  }
  const { near } = pair();
  assert.throws(() => near.push(frame(FRAME.open, 1)), /opened/, "the other end opens none");
});

test("frames are the same however their bytes are cut", () => {
  const kinds = fc.constantFrom(FRAME.open, FRAME.end, FRAME.reset, FRAME.data);
  const one = fc.tuple(kinds, fc.nat(2 ** 31), fc.uint8Array({ minLength: 1, maxLength: 300 }));
  fc.assert(
    fc.property(fc.array(one), fc.array(fc.integer({ min: 1, max: 400 })), (said, cuts) => {
      const frames = said.map(([kind, channel, bytes]) => {
        return frame(kind, channel, kind === FRAME.data ? Buffer.from(bytes) : undefined);
      });
      const heard: Buffer[] = [];
      const reader = new FrameReader(({ kind, channel, payload }: Frame) => {
        heard.push(frame(kind, channel, payload));
      });
      let rest = Buffer.concat(frames);
      for (const cut of cuts) {
        reader.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      reader.push(rest);
      assert.deepEqual(Buffer.concat(heard), Buffer.concat(frames));
    }),
  );
});

test("a channel that nobody reads takes its window and no more, and holds up no other", async () => {
  const { near, accepted } = pair();
  const stuck = await opened(near);
  stuck.write(Buffer.alloc(4 * WINDOW));
  const other = await opened(near);
  other.end("hello");
  const [, second] = await channelsOf(accepted, 2);
  assert.equal(await textOf(second), "hello");
  const [first] = accepted;
  assert.ok((first?.readableLength ?? 0) <= WINDOW);
  let got = 0;
  first?.on("data", (bytes: Buffer) => {
    got += bytes.length;
  });
  stuck.end();
  await once(first as Channel, "end");
  assert.equal(got, 4 * WINDOW);
});

test("each side ends by itself; a break on one side is a break on the other", async () => {
  const { near, accepted } = pair();
  const one = await opened(near);
  one.end("asked");
  const [far] = await channelsOf(accepted, 1);
  assert.equal(await textOf(far), "asked");
  far?.end("answered");
  assert.equal(await textOf(one), "answered");
  await closed(far);
  assert.equal(one.isWhole, true);
  const two = await opened(near);
  const [, broken] = await channelsOf(accepted, 2);
  two.destroy();
  await closed(broken);
  assert.equal(broken?.isWhole, false);
  await Promise.all([closed(one), closed(two)]);
  assert.equal(near.open, 0);
});

test("one that is half closed, and one over which nothing goes, are ended on both sides", async () => {
  const { near, accepted } = pair({ idleMs: 200 });
  const keep = setInterval(() => {}, 50); // The timers of channels alone keep no process alive.
  const half = await opened(near);
  half.end("and then nothing");
  const silent = await opened(near);
  const [far] = await channelsOf(accepted, 2);
  far?.resume();
  await Promise.all([closed(half), closed(silent), ...accepted.map(closed)]);
  assert.equal(half.isWhole, false);
  clearInterval(keep);
});

test("there are as many as may be: one more is broken off, and a place that is free is given", async () => {
  const { near, accepted } = pair({ max: 2 });
  const [one, two] = [await opened(near), await opened(near)];
  assert.equal(await near.connect(), undefined);
  await channelsOf(accepted, 2);
  one.destroy();
  await Promise.all([closed(one), closed(accepted[0])]);
  assert.ok(await near.connect());
  two.destroy();
});

test("one more waits while much is on its way, and is not refused; it counts among as many as may be", async () => {
  const slow = new PassThrough({ highWaterMark: 1024 });
  const near = new Channels(slow, { max: 42 });
  const busy = await Promise.all(Array.from({ length: 40 }, () => opened(near)));
  for (const one of busy) one.write(Buffer.alloc(WINDOW));
  assert.ok(slow.writableLength > 1024 * 1024);
  const [late, later] = [near.connect(), near.connect()];
  assert.equal(await near.connect(), undefined);
  assert.equal(near.open, 40);
  slow.resume();
  assert.ok((await late) && (await later));
  near.close();
});

test("at the end of the way all channels are broken off", async () => {
  const { near, far, accepted } = pair();
  const one = await opened(near);
  await channelsOf(accepted, 1);
  near.close();
  far.close();
  await Promise.all([closed(one), closed(accepted[0])]);
  assert.equal(await near.connect(), undefined);
});

/** Two ends, the second of which takes what the first opens. */
function pair({ max = 10, idleMs }: { max?: number; idleMs?: number } = {}) {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const accepted: Channel[] = [];
  const near = new Channels(there, { max });
  const onOpen = (channel: Channel) => void accepted.push(channel);
  const far = new Channels(back, { max, onOpen, ...(idleMs === undefined ? {} : { idleMs }) });
  there.on("data", (bytes: Buffer) => far.push(bytes));
  back.on("data", (bytes: Buffer) => near.push(bytes));
  return { near, far, accepted };
}

async function opened(channels: Channels): Promise<Channel> {
  const channel = await channels.connect();
  assert.ok(channel);
  return channel;
}

async function channelsOf(accepted: readonly Channel[], count: number) {
  for (let turn = 0; accepted.length < count && turn < 200; turn++) await sleep(5);
  assert.equal(accepted.length, count);
  return accepted;
}

async function textOf(stream: Duplex | undefined): Promise<string> {
  return Buffer.concat(await (stream as Duplex).toArray()).toString();
}

async function closed(channel: Channel | undefined): Promise<void> {
  if (channel && !channel.closed) await once(channel, "close");
  await sleep(0); // It is closed a moment before it says so.
}
