import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { faultOf } from "../support/engine.ts";
import { ME, NEVER, NOTE, openServiceBench, type ServiceBench, SOLVE } from "../support/service.ts";
import { ofNote } from "../support/small-task.ts";

describe("grading a bundle again", () => {
  let bench: ServiceBench;
  let bundle: Bundle;

  before(async () => {
    const slow =
      "def says(run):\n    import time\n    time.sleep(1.5 if run.context['variant'] == 2 else 0)";
    bench = await openServiceBench({ "grader.py": ofNote("grader.py", "def says(run):", slow) });
    await using service = await bench.open({ pool: { max: 0 } });
    const { id } = await service.request(NOTE, ME);
    await service.untilServing(id, ME, NEVER);
    await service.call(id, SOLVE, ME);
    const record = await service.finish(id, null, ME);
    bundle = await openBundle(join(bench.runtime.data.bundles, record.bundle ?? ""));
  });
  after(async () => {
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  it("is refused by the engine's words, and gives its place back", async () => {
    const images = { ...bench.runtime.images, grader: "cloche/grader:absent" };
    await using service = await bench.open({ grades: 1, pool: { max: 0 } }, { images });
    for (const _ of [1, 2])
      await faultOf(service.regrade(bundle, "recorded", NEVER), "engine/image-missing");
  });

  it("waits for its turn among the rollouts' grades", async () => {
    await using service = await bench.open({ grades: 1, pool: { max: 0 } });
    const { id } = await service.request({ ...NOTE, variant: 2 }, ME);
    await service.untilServing(id, ME, NEVER);
    const order: string[] = [];
    const finished = service.finish(id, null, ME).then(() => order.push("the slow rollout"));
    while ((await service.view(id, ME)).phase !== "captured") await sleep(5);
    await service.regrade(bundle, "recorded", NEVER);
    order.push("the quick bundle");
    await finished;
    assert.deepEqual(order, ["the slow rollout", "the quick bundle"]);
  });

  it("is counted with its calls of the engine, and not done for who has gone", async () => {
    const calls: string[] = [];
    let regrades = 0;
    const observer = {
      onEngineCall: (call: string) => void calls.push(call),
      onRegrade: () => void regrades++,
    };
    await using service = await bench.open({ grades: 1, pool: { max: 0 }, observer });
    const gone = new AbortController();
    const first = service.regrade(bundle, "recorded", NEVER);
    const second = service.regrade(bundle, "current", NEVER);
    const third = service.regrade(bundle, "recorded", gone.signal);
    gone.abort(new Error("gone"));
    await assert.rejects(third, /gone/);
    for (const grade of [await first, await second])
      assert.deepEqual(gradeBytes(grade), gradeBytes(bundle.grade ?? grade));
    assert.equal(regrades, 2);
    assert.equal(calls.filter((call) => call === "create").length, 2, calls.join());
    assert.equal(calls.filter((call) => call === "remove").length, 2, calls.join());
  });
});
