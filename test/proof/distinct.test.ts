import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json } from "../../runtime/base/canonical-json.ts";
import { distinct } from "../../runtime/proof/distinct.ts";
import type { ProofEvidence } from "../../runtime/proof/evidence.ts";

const LINES = ["ADD 1 2", "ADD 2 2", "ADD 3 1", "DELETE 4", "DELETE 5"];
const OTHERS = ["ADD 6 2", "ADD 7 2", "ADD 8 1", "DELETE 9", "DELETE 10"];

describe("the rule that variants are distinct", () => {
  it("holds for variants that differ in what is given and in what is expected", () => {
    const { problems, notes } = ruleOn([{ lines: LINES }, { lines: OTHERS }], [2]);
    assert.deepEqual([problems, notes], [[], []]);
  });

  it("refuses variants that an agent can't tell apart, whatever is expected of them", () => {
    const { problems } = ruleOn([{ a: 1 }, { a: 2 }, { a: 3 }], [], ["x", "y", "x"]);
    assert.deepEqual(problems, [
      "variants 1, 3 are equal: instruction, files and state are the same",
    ]);
  });

  it("refuses two variants with the same answer, in training too", () => {
    const { problems } = ruleOn([{ a: 1, b: [2] }, { a: 2 }, { b: [2], a: 1 }]);
    assert.deepEqual(problems, ["the expected answer of variants 1, 3 is the same"]);
  });

  it("refuses a part of a held-out answer that is one for training, however deep it lies", () => {
    const answer = (number: number, lines: Json) => ({ number, of: { lines } });
    const { problems } = ruleOn([answer(1, LINES), answer(2, OTHERS), answer(3, LINES)], [3]);
    assert.deepEqual(problems, [
      "expected.of of held-out variant 3 is that of variant 1, too",
      "expected.of.lines of held-out variant 3 is that of variant 1, too",
    ]);
    const inTraining = ruleOn([answer(1, LINES), answer(2, LINES), answer(3, OTHERS)], [3]);
    assert.deepEqual(inTraining.problems, []);
  });

  it("takes what is the same everywhere for a constant, unless there are but two variants", () => {
    const answer = (number: number) => ({ number, rates: LINES });
    const three = ruleOn([1, 2, 3].map(answer), [3]);
    assert.deepEqual(three.problems, []);
    assert.match(three.notes.join(), /expected\.rates is the same in all variants/);
    assert.equal(ruleOn([1, 2].map(answer), [2]).problems.length, 1);
  });

  it("lets parts of fewer than five values come back, and answers that there are none of", () => {
    const room = { name: "Elm", email: "elm@x.test", seats: 4, floor: 2 };
    const rooms = ruleOn(
      [1, 2, 3].map((number) => ({ number, room: number === 2 ? { name: "Oak" } : room })),
      [3],
    );
    assert.deepEqual(rooms.problems, []);
    assert.deepEqual(ruleOn([{}, {}, null, []], [2]).problems, []);
  });

  it("notes what task.toml says that variants may share", () => {
    const alike = [{ what: "expected", why: "there are but two rooms" }];
    const { problems, notes } = ruleOn([{ a: 1 }, { a: 1 }], [2], undefined, alike);
    assert.deepEqual(problems, []);
    assert.match(notes.join(), /variants 1, 2 is the same: there are but two rooms/);
  });
});

/** The rule on variants 1, 2, … of which this is expected. */
function ruleOn(
  expected: readonly Json[],
  holdout: readonly number[] = [],
  given: readonly string[] = expected.map((_, at) => `${at}`),
  alike: ProofEvidence["settings"]["alike"] = [],
) {
  const compared = expected.map((each, at) => ({
    variant: at + 1,
    isHeldOut: holdout.includes(at + 1),
    given: given[at] ?? "",
    expected: each,
  }));
  return distinct({ compared, settings: { alike } } as unknown as ProofEvidence);
}
