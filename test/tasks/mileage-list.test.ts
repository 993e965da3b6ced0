import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { IS_SLOW, PROVEN } from "../support/slow.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TASK = "office/mileage-list";
const DENSE_AT_MOST: Readonly<Record<string, number>> = {
  empty_list: 0.4,
  forged_verdict: 0,
  newest_of_each: 0.5,
  remind_everybody: 0.3,
};

type Bare = Omit<RolloutSpec, "policy">;

describe("the task office/mileage-list", { concurrency: false }, () => {
  let runtime: TestRuntime;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
  });

  for (const variant of IS_SLOW ? [1, 7] : [7]) {
    it(`is solved by its solution in 25 or more calls, in variant ${variant}`, async () => {
      const record = await play(runtime, ROOT, TASK, named("oracle"), { variant });
      assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
      assert.ok(record.steps >= 25, `${record.steps} calls`);
      assert.ok(record.criteria?.every(({ asks }) => (asks ?? "") !== ""));
    });
  }

  it("pays nothing to a policy that does nothing", async () => {
    const record = await play(runtime, ROOT, TASK, nullPolicy);
    assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 }, reasons(record));
    assert.ok(record.criteria?.every(({ score, baseline }) => score === baseline));
  });

  for (const [cheat, most] of Object.entries(DENSE_AT_MOST)) {
    it(`sees through the cheat ${cheat}`, { skip: PROVEN }, async () => {
      const record = await play(runtime, ROOT, TASK, named(`cheat:${cheat}`));
      assert.equal(record.outcome, "graded", record.fault?.message);
      const { sparse, dense = 1 } = record.reward ?? {};
      assert.equal(sparse, 0);
      assert.ok(dense <= most, `dense ${dense}\n${reasons(record)}`);
    });
  }
});

function named(policy: string) {
  return (runtime: TestRuntime, { task }: Bare): Promise<Policy> => {
    const { engine, images, data, clock, process } = runtime;
    const labels = { owner: data.owner, process };
    return policyFor(policy, task, { engine, image: images.grader, labels, clock });
  };
}

function reasons({ criteria, fault }: RolloutRecord): string {
  const lines = criteria?.map(({ name, score, reason }) => `${score} ${name}: ${reason}`);
  return [fault?.message ?? "", ...(lines ?? [])].join("\n");
}
