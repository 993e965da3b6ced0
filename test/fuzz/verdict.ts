import assert from "node:assert/strict";
import fc from "fast-check";
import { Fault } from "../../runtime/base/fault.ts";
import { gradingFault } from "../../runtime/grading/faults.ts";
import type { DeclaredCriterion } from "../../runtime/grading/grade.ts";
import { readAnswer } from "../../runtime/grading/python-module.ts";
import { rewardOf } from "../../runtime/grading/reward.ts";
import { readVerdict } from "../../runtime/grading/verdict.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { jsonMutated, jsonMutation } from "./json-mutations.ts";
import { mutated, mutation, seldom } from "./mutations.ts";

const NONCE = "0123456789abcdef0123456789abcdef";

const one = fc.record({
  name: fc.string({ minLength: 1, maxLength: 10 }),
  weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0.1, 0.25, 1000)),
  polarity: fc.constantFrom<"must" | "must_not">("must", "must_not"),
  cap: seldom(fc.double({ min: 0, max: 0.99, noNaN: true }), 4),
  asks: seldom(fc.string({ minLength: 1, maxLength: 10 }), 2),
});

/** As the library lets them be declared: one at least is a must, and only a must_not has a cap. */
const declared = fc
  .uniqueArray(one, { selector: ({ name }) => name, minLength: 1, maxLength: 5 })
  .map((all) =>
    all.map((each, index) => {
      if (index === 0) return { ...each, polarity: "must" as const, cap: null };
      return each.polarity === "must" ? { ...each, cap: null } : each;
    }),
  );

const judgements = fc.array(
  fc.record({
    score: fc.oneof(
      fc.constantFrom<number | null>(0, 1, 1, 0.5, null),
      fc.double({ min: 0, max: 1 }),
    ),
    baseline: fc.oneof(fc.constantFrom<number | null>(0, 1, null), fc.double({ min: 0, max: 1 })),
    reason: fc.string({ maxLength: 8 }),
    broken: fc.boolean(),
  }),
  { minLength: 5, maxLength: 5 },
);

const input = fc.record({
  declared,
  judgements,
  json: fc.array(jsonMutation, { maxLength: 2 }),
  bytes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
  ),
  random: seldom(fc.uint8Array({ maxLength: 200 }), 40),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

/** What a grader prints, from its bytes to a reward. */
export const verdictTarget: FuzzTarget = {
  name: "verdict",
  open: async (_folder, tally) => fc.asyncProperty(input, async (one) => check(one, tally)),
};

function check(one: Input, tally: Tally): void {
  const criteria = one.declared.map((declaration, index) => {
    const { score = 1, baseline = 0, reason = "", broken = false } = one.judgements[index] ?? {};
    const unreadable = broken && score === 0;
    const error = score === null || unreadable ? "it raised" : null;
    return { ...declaration, score, baseline, reason, error, unreadable };
  });
  const answer = jsonMutated({ nonce: NONCE, criteria }, one.json);
  const line = Buffer.from(`${JSON.stringify(answer) ?? ""}\n`);
  const stdout = one.random ? Buffer.from(one.random) : mutated(line, one.bytes);
  let judged: ReturnType<typeof readVerdict>;
  try {
    judged = judge(stdout, one.declared);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    assert.match(error.code, /^grading\/(?:bad-verdict|no-verdict)$/);
    tally.add(error.code);
    return;
  }
  tally.add("accepted");
  assertHonest(judged, one.declared);
}

function judge(stdout: Buffer, declared: readonly DeclaredCriterion[]) {
  const printed = { stdout, stderr: Buffer.alloc(0), exitCode: 0, timedOut: false };
  const onSilence = (_kind: string, message: string) => gradingFault("no-verdict", message);
  const { answer } = readAnswer(printed, NONCE, { timeoutMs: 1, onSilence });
  return readVerdict(answer, declared);
}

/** Exactly the declared criteria; numbers in range; the reward is what they make, and nothing else. */
function assertHonest(
  judged: ReturnType<typeof readVerdict>,
  declared: readonly DeclaredCriterion[],
): void {
  assert.deepEqual(
    judged.map(
      ({ score: _s, baseline: _b, reason: _r, error: _e, unreadable: _u, ...rest }) => rest,
    ),
    declared.map((each) => ({ ...each })),
  );
  for (const { score, error, unreadable } of judged) {
    if (unreadable) assert.equal(score, 0);
    else assert.equal(score === null, error !== null);
    if (score !== null) assert.ok(Number.isFinite(score) && score >= 0 && score <= 1);
  }
  const reward = rewardOf(judged);
  const scores = judged.map(({ score }) => score);
  assert.equal(reward === null, scores.includes(null));
  if (reward === null) return;
  assert.equal(
    reward.sparse === 1,
    scores.every((score) => score === 1),
  );
  assert.ok(Number.isFinite(reward.dense) && reward.dense >= 0 && reward.dense <= 1);
  assert.ok(Math.abs(reward.dense - densely(judged)) <= 1e-6);
}

/** The same by another way: what counts at all, then the lowest cap of what failed. */
function densely(judged: ReturnType<typeof readVerdict>): number {
  const musts = judged.filter(({ polarity }) => polarity === "must");
  const begun = musts.some(({ score, baseline }) => score === 1 && baseline !== 1);
  const counted = judged.filter(({ cap }) => cap === null);
  const total = counted.reduce((sum, { weight }) => sum + weight, 0);
  const held = begun ? counted : musts;
  const earned = held.reduce((sum, { weight, score }) => sum + weight * (score ?? 0), 0);
  const caps = judged.flatMap(({ cap, score }) =>
    typeof cap === "number" ? [1 - (1 - (score ?? 0)) * (1 - cap)] : [],
  );
  return Math.min(earned / total, ...caps);
}
