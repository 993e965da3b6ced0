import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { faultOf } from "../support/engine.ts";
import { ME, NEVER, NOTE, openServiceBench, type ServiceBench, SOLVE } from "../support/service.ts";

describe("a service that goes down", () => {
  let bench: ServiceBench;

  before(async () => {
    bench = await openServiceBench();
  });

  after(async () => {
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  it("accepts nothing more, but knows what it accepted before", async () => {
    await using service = await bench.open();
    const request = { ...NOTE, idempotencyKey: "before" };
    const { id } = await service.request(request, ME);
    const draining = service.drain(60_000, NEVER);
    await faultOf(service.request(NOTE, ME), "rollout/draining");
    await faultOf(service.requestGroup({ ...NOTE, n: 2 }, ME), "rollout/draining");
    assert.equal((await service.request(request, ME)).id, id);
    await service.cancel(id, ME);
    await draining;
  });

  it("waits for the rollouts under way, which go on as ever", async () => {
    await using service = await bench.open();
    const { id } = await service.request(NOTE, ME);
    await service.untilServing(id, ME, NEVER);
    let isDrained = false;
    const draining = service.drain(600_000, NEVER).then(() => {
      isDrained = true;
    });
    await service.call(id, SOLVE, ME);
    assert.equal(isDrained, false);
    const record = await service.finish(id, "done", ME);
    await draining;
    assert.deepEqual(record.ending, { kind: "submitted", answer: "done" });
    assert.equal(record.reward?.sparse, 1);
  });

  it("lets rollouts whose time is up be graded as they stand, also one that does not serve yet", async () => {
    await using service = await bench.open({ pool: { max: 0 } });
    const one = await service.request(NOTE, ME);
    await service.untilServing(one.id, ME, NEVER);
    await service.call(one.id, SOLVE, ME);
    const two = await service.request(NOTE, ME);
    await service.drain(0, NEVER);
    const records = await Promise.all([one, two].map(({ id }) => service.finish(id, null, ME)));
    assert.deepEqual(
      records.map(({ outcome, ending, reward }) => [outcome, ending?.kind, reward?.sparse]),
      [
        ["graded", "agent_gone", 1],
        ["graded", "agent_gone", 0],
      ],
    );
  });

  it("told to hurry cancels what is under way, and still each has its record", async () => {
    await using service = await bench.open();
    const { members } = await service.requestGroup({ ...NOTE, n: 3 }, ME);
    await service.untilServing(members[0]?.id ?? "", ME, NEVER);
    const hurry = new AbortController();
    const draining = service.drain(600_000, hurry.signal);
    hurry.abort();
    await draining;
    for (const { id } of members)
      assert.equal((await bench.runtime.records.get(id))?.outcome, "cancelled");
    await bench.runtime.assertNothingLeft();
  });

  it("closed without a drain leaves nothing in the engine, and those who wait are told", async () => {
    const service = await bench.open({ inFlight: 1, pool: { max: 2 } });
    const one = await service.request(NOTE, ME);
    const waiting = await service.request(NOTE, ME);
    await service.untilServing(one.id, ME, NEVER);
    const untilServing = service.untilServing(waiting.id, ME, NEVER);
    const events = Array.fromAsync(service.events(waiting.id, 0, ME, NEVER));
    await service[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    assert.equal((await untilServing).phase, "requested");
    assert.equal((await events).length, 1);
    assert.equal((await bench.runtime.records.get(one.id))?.outcome, "cancelled");
    assert.equal((await bench.runtime.records.get(waiting.id))?.phase, "requested");
    await bench.runtime.assertNothingLeft();
  });
});
