import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DeclaredCriterion } from "../../runtime/grading/grade.ts";
import { readVerdict } from "../../runtime/grading/verdict.ts";

const DECLARED = [
  { name: "made", weight: 2, polarity: "must", cap: null, asks: "Make it." },
  { name: "kept", weight: 1, polarity: "must_not", cap: 0.5, asks: null },
] as const satisfies readonly DeclaredCriterion[];
const SAID = DECLARED.map((one) => ({
  ...{ ...one, score: 1, baseline: 0, reason: "", error: null },
  unreadable: false,
}));
const [MADE, KEPT] = SAID;

describe("the verdict of a grader", () => {
  for (const [title, criteria, message] of [
    ["a score beyond 1", [MADE, { ...KEPT, score: 1.5 }], /expected number to be <=1/],
    ["a baseline that is no number", [MADE, { ...KEPT, baseline: "1" }], /expected number/],
    ["no baseline", [MADE, { ...KEPT, baseline: undefined }], /baseline/],
    ["a cap that caps nothing", [MADE, { ...KEPT, cap: 1 }], /expected number to be <1/],
    [
      "another polarity than declared",
      [MADE, { ...KEPT, polarity: "must" }],
      /2 it judged .*"polarity":"must",.* declares .*"must_not"/,
    ],
    [
      "another cap than declared",
      [MADE, { ...KEPT, cap: 0 }],
      /judged \{.*"cap":0,.* declares \{.*"cap":0.5/,
    ],
    ["another sentence than declared", [{ ...MADE, asks: "Do." }, KEPT], /but the grader declares/],
    [
      "another order than declared",
      [KEPT, MADE],
      /as criterion 1 it judged .*"kept".* declares .*"made"/,
    ],
    ["one criterion too few", [MADE], /as criterion 2 it judged none, but the grader/],
    ["a score and an error", [MADE, { ...KEPT, error: "raised" }], /a score and an error/],
    ["neither a score nor an error", [MADE, { ...KEPT, score: null }], /or neither/],
    [
      "a score and something unreadable",
      [MADE, { ...KEPT, unreadable: true }],
      /the score 1 and is unreadable/,
    ],
    ["a member that none has", [MADE, { ...KEPT, extra: 1 }], /Unrecognized key/],
  ] as const) {
    it(`is refused with ${title}`, () => {
      assert.throws(() => readVerdict({ criteria }, DECLARED), { message });
    });
  }

  it("is taken as it stands if it judges what was declared", () => {
    assert.deepEqual(readVerdict({ criteria: SAID }, DECLARED), SAID);
  });

  it("keeps the traceback of what the agent's work broke, beside its score of 0", () => {
    const broken = { ...MADE, score: 0, error: "ValueError: an odd cell", unreadable: true };
    assert.deepEqual(readVerdict({ criteria: [broken, KEPT] }, DECLARED), [broken, KEPT]);
  });

  it("may be on what was declared before there were polarities", () => {
    const older = DECLARED.map(({ name, weight }) => ({ name, weight }));
    const plain = SAID.map((one) => ({ ...one, polarity: "must", cap: null, asks: null }) as const);
    assert.deepEqual(readVerdict({ criteria: plain }, older), plain);
    assert.throws(
      () => readVerdict({ criteria: SAID }, older),
      /"asks":"Make it\.".* declares .*"asks":null/,
    );
  });
});
