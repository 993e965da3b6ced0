import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TASK = "library/stocktake";

type Bare = Omit<RolloutSpec, "policy">;

// Nobody and its cheats are played where all tasks are proven.
describe("the task library/stocktake", { concurrency: false }, () => {
  let runtime: TestRuntime;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
  });

  it("is solved by its solution in a variant that is held out, in the browser and with files", async () => {
    const record = await play(runtime, ROOT, TASK, named("oracle"), { variant: 6 });
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
    assert.ok(record.steps >= 25, `${record.steps} calls`);
    assert.ok(record.criteria?.every(({ asks }) => (asks ?? "") !== ""));
  });
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
