import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Criterion } from "../../runtime/grading/grade.ts";
import { paidBy, rewardOf, untouchedDense } from "../../runtime/grading/reward.ts";

/** What is judged: `must` scores nothing on the untouched state, `mustNot` holds there. */
function must(score: number | null, changes: Partial<Criterion> = {}): Criterion {
  const declared = { name: "a", weight: 1, polarity: "must", cap: null, asks: null } as const;
  return { ...declared, score, baseline: 0, reason: "", error: null, ...changes };
}

function mustNot(score: number, changes: Partial<Criterion> = {}): Criterion {
  return must(score, { polarity: "must_not", baseline: 1, ...changes });
}

describe("the rewards of a grade", () => {
  it("are none at all if a criterion has no score", () => {
    assert.equal(rewardOf([must(1), must(null, { error: "raised" })]), null);
    assert.equal(paidBy("dense", null), null);
  });

  it("pay nothing for what was only left undone", () => {
    const idle = [must(0), mustNot(1, { weight: 9 }), must(0.9)];
    assert.deepEqual(rewardOf(idle)?.dense, 0.081818);
    assert.deepEqual(rewardOf([must(0), mustNot(1)]), { sparse: 0, dense: 0, gain: 0 });
  });

  it("do not take what held before for something that was done", () => {
    const held = [must(1, { baseline: 1 }), mustNot(1, { weight: 3 }), must(0)];
    assert.deepEqual(rewardOf(held), { sparse: 0, dense: 0.2, gain: 0 });
    const raisedThere = [must(1, { baseline: null }), mustNot(1, { weight: 3 })];
    assert.deepEqual(rewardOf(raisedThere), { sparse: 1, dense: 1, gain: 1 });
  });

  it("count what must not be by its weight once something holds that must be", () => {
    assert.equal(rewardOf([must(1), must(0), mustNot(1, { weight: 2 })])?.dense, 0.75);
    assert.equal(rewardOf([must(1), must(0), mustNot(0, { weight: 2 })])?.dense, 0.25);
    assert.equal(rewardOf([must(1), must(1), mustNot(0.5, { weight: 2 })])?.dense, 0.75);
  });

  it("are held down by a cap that fails, and to nothing by a gate", () => {
    assert.deepEqual(rewardOf([must(1), mustNot(0, { cap: 0 })]), { sparse: 0, dense: 0, gain: 0 });
    assert.equal(rewardOf([must(1), mustNot(0, { cap: 0.4 })])?.dense, 0.4);
    assert.equal(rewardOf([must(1), mustNot(0.5, { cap: 0.4 })])?.dense, 0.7);
    assert.equal(rewardOf([must(1), must(0), mustNot(0, { cap: 0.9 })])?.dense, 0.5);
    assert.deepEqual(rewardOf([must(1), mustNot(1, { cap: 0 })]), { sparse: 1, dense: 1, gain: 1 });
  });

  it("say how much was gained of what could be, and lost too", () => {
    const kept = { weight: 1, baseline: 1 } as const;
    assert.equal(rewardOf([must(1), must(0), must(1, kept), must(1, kept)])?.gain, 0.5);
    assert.equal(rewardOf([must(0), must(0), must(0, kept), must(1, kept)])?.gain, -0.5);
    assert.equal(rewardOf([must(1, kept)])?.gain, 0);
    assert.equal(rewardOf([must(0, kept)])?.gain, -1);
  });

  it("have no gain where the untouched state was never judged, as in older grades", () => {
    const { name, weight, score, reason, error } = must(0.5);
    assert.deepEqual(rewardOf([{ name, weight, score, reason, error }]), { sparse: 0, dense: 0.5 });
  });

  it("are finite, in their bounds, and 0 for the untouched state's gain, whatever is judged", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const one = fc.record({
      score: fc.oneof(share, fc.constantFrom(0, 1)),
      baseline: fc.oneof(share, fc.constantFrom(0, 1, null)),
      weight: fc.double({ min: 0.001, max: 1000, noNaN: true }),
      polarity: fc.constantFrom("must" as const, "must_not" as const),
      cap: fc.option(fc.double({ min: 0, max: 0.99, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), (some) => {
        const criteria = [must(1), ...some.map(({ cap, ...rest }) => limited(rest, cap))];
        const reward = rewardOf(criteria);
        assert.ok(reward?.gain !== undefined);
        const { sparse, dense, gain } = reward;
        assert.ok(dense >= 0 && dense <= 1 && gain >= -1 && gain <= 1);
        assert.ok(sparse === 0 || dense === 1);
        const idle = criteria.map((each) => ({ ...each, score: each.baseline ?? 0 }));
        const { dense: idled, gain: nothing } = rewardOf(idle) ?? {};
        assert.equal(idled, untouchedDense(criteria));
        assert.ok(Math.abs(nothing ?? 1) < 1e-5);
      }),
    );
  });
});

/** Only what must not be has a cap. */
function limited(changes: Partial<Criterion>, cap: number | null): Criterion {
  return must(0, { ...changes, cap: changes.polarity === "must_not" ? cap : null });
}
