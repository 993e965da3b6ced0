import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Demand, shareOut } from "../../runtime/rollout/pool/demand.ts";

describe("the demand for sandboxes", () => {
  it("is nothing before anything was asked for, and after it is forgotten", () => {
    const demand = new Demand(10_000);
    assert.equal(demand.wanted(0), 0);
    demand.note(1_000);
    assert.equal(demand.wanted(11_000), 1);
    assert.equal(demand.wanted(11_001), 0);
    assert.equal(demand.lastMs(11_001), undefined);
  });

  it("is as large as the largest burst that is remembered", () => {
    const demand = new Demand(100_000);
    for (const atMs of [0, 10, 20, 30]) demand.note(atMs);
    for (const atMs of [10_000, 20_000, 30_000]) demand.note(atMs);
    assert.equal(demand.wanted(30_000), 4);
    assert.equal(demand.lastMs(30_000), 30_000);
    demand.note(40_000, 8);
    assert.equal(demand.wanted(40_000), 8);
    assert.equal(demand.wanted(140_001), 0);
  });
});

describe("sharing out places", () => {
  it("gives each one before any gets more, then the first what they want", () => {
    assert.deepEqual(shareOut([5, 2, 1], 0), [0, 0, 0]);
    assert.deepEqual(shareOut([5, 2, 1], 2), [1, 1, 0]);
    assert.deepEqual(shareOut([5, 2, 1], 5), [3, 1, 1]);
    assert.deepEqual(shareOut([5, 0, 2], 10), [5, 0, 2]);
  });

  it("gives nobody more than they want, and in all no more than there is, but all of that", () => {
    const requests = fc.array(fc.nat(20), { maxLength: 10 });
    fc.assert(
      fc.property(requests, fc.nat(60), (wanted, room) => {
        const shares = shareOut(wanted, room);
        const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);
        assert(shares.every((share, index) => share >= 0 && share <= (wanted[index] ?? 0)));
        assert.equal(sum(shares), Math.min(room, sum(wanted)));
      }),
    );
  });
});
