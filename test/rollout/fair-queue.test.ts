import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FairQueue, type Turn } from "../../runtime/service/fair-queue.ts";
import { ME, NEVER, NOTE, OTHER, openServiceBench } from "../support/service.ts";

/** Work that goes on until it is told to end, and the order in which it got its places. */
function bench(concurrency: number) {
  const queue = new FairQueue(concurrency);
  const begun: string[] = [];
  const underWay: { readonly key: string; readonly end: () => void }[] = [];
  const add = (name: string, turn: Turn, signal = NEVER) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = async () => {
      begun.push(name);
      underWay.push({ key: turn.key, end: resolve });
      await promise;
    };
    queue.add(turn, work, signal);
  };
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  const endOne = async (index = 0) => {
    underWay.splice(index, 1)[0]?.end();
    await settled();
  };
  const endAll = async () => {
    await settled();
    while (underWay.length > 0) await endOne();
    return begun;
  };
  return { queue, begun, underWay, add, settled, endOne, endAll };
}

describe("a queue that is fair between keys", () => {
  it("gives nobody a place that left while it waited, and loses no place by it", async () => {
    const { add, begun, endAll, endOne, settled } = bench(1);
    const gone = new AbortController();
    add("a1", { key: "a" });
    for (const name of ["a2", "a3"]) add(name, { key: "a" }, gone.signal);
    add("b1", { key: "b", rank: "resumed" }, gone.signal);
    add("a4", { key: "a" });
    await settled();
    gone.abort();
    await endOne();
    assert.deepEqual(begun, ["a1", "a4"]);
    add("c1", { key: "c" });
    assert.deepEqual(await endAll(), ["a1", "a4", "c1"]);
  });

  it("gives places back of work that fails", async () => {
    const queue = new FairQueue(1);
    const ran: string[] = [];
    const failing = new AbortController();
    queue.add(
      { key: "a" },
      async () => {
        failing.abort(); // What it rejects with is nobody's business then.
        throw new Error("no");
      },
      failing.signal,
    );
    queue.add({ key: "a" }, async () => void ran.push("a"), NEVER);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(ran, ["a"]);
  });

  it("lets a key that asks for one go before the rest of another's thousand", async () => {
    const { add, begun, endAll, endOne, settled } = bench(4);
    for (let n = 1; n <= 1000; n++) add(`a${n}`, { key: "a" });
    add("b1", { key: "b" });
    await settled();
    await endOne();
    assert.deepEqual(begun, ["a1", "a2", "a3", "a4", "b1"]);
    for (let n = 2; n <= 4; n++) add(`b${n}`, { key: "b" });
    await endOne();
    assert.equal(begun.at(-1), "b2", "b has one place, a has three");
    const all = await endAll();
    assert.equal(all.length, 1004);
    assert(all.indexOf("b4") < 16, String(all.indexOf("b4")));
  });

  it("takes turns, within a key in the order of asking but for what is urgent", async () => {
    const { add, endAll } = bench(1);
    for (const name of ["a1", "a2", "a3"]) add(name, { key: "a" });
    add("b1", { key: "b" });
    add("a4", { key: "a", rank: "urgent" });
    add("b2", { key: "b" });
    assert.deepEqual(await endAll(), ["a1", "b1", "a4", "b2", "a2", "a3"]);
  });

  it("lets those go first that have a sandbox already", async () => {
    const { add, endAll } = bench(1);
    add("a1", { key: "a" });
    add("a2", { key: "a", rank: "urgent" });
    add("b1", { key: "b" });
    for (const name of ["c1", "c2"]) add(name, { key: "c", rank: "resumed" });
    assert.deepEqual(await endAll(), ["a1", "c1", "c2", "b1", "a2"]);
  });

  it("never gives a place to a key that has two more than another that waits", async () => {
    const act = fc.oneof(
      { arbitrary: fc.constantFrom("a", "b", "c"), weight: 2 },
      { arbitrary: fc.nat(50), weight: 1 },
    );
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(act, { maxLength: 60 }),
      async (concurrency, acts) => {
        const { add, begun, underWay, settled, endOne, endAll } = bench(concurrency);
        const asked: string[] = [];
        for (const act of acts) {
          const before = begun.length;
          const places = (key: string) => underWay.filter((one) => one.key === key).length;
          if (typeof act === "string") {
            add(act, { key: act });
            asked.push(act);
            await settled();
          } else if (underWay.length > 0) await endOne(act % underWay.length);
          assert(underWay.length <= concurrency);
          const waiting = [...asked];
          for (const name of begun) waiting.splice(waiting.indexOf(name), 1);
          if (underWay.length < concurrency) assert.deepEqual(waiting, []);
          for (const name of begun.slice(before)) {
            for (const other of waiting) assert(places(name) - places(other) < 2);
          }
        }
        assert.equal((await endAll()).length, asked.length);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it("is what rollouts of a service wait in", async () => {
    await using rollouts = await openServiceBench();
    const service = await rollouts.open({ inFlight: 1, pool: { max: 0 } });
    const { members } = await service.requestGroup({ ...NOTE, n: 4 }, ME);
    const { id } = await service.request(NOTE, OTHER);
    const [first, ...rest] = members.map((member) => member.id);
    await service.untilServing(first ?? "", ME, NEVER);
    await service.cancel(first ?? "", ME);
    assert.equal((await service.untilServing(id, OTHER, NEVER)).phase, "serving");
    for (const one of rest) assert.equal((await service.view(one, ME)).phase, "requested");
    await service.cancel(id, OTHER);
    for (const one of rest) await service.cancel(one, ME);
  });
});
