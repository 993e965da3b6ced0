import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { RolloutService, RolloutView } from "../../runtime/service/service.ts";
import { faultOf } from "../support/engine.ts";
import {
  eventsOf,
  ME,
  NEVER,
  NOTE,
  OTHER,
  openServiceBench,
  type ServiceBench,
  SOLVE,
} from "../support/service.ts";

describe("asking a service for rollouts", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    bench = await openServiceBench();
    service = await bench.open({ inFlight: 4, maxQueued: 8 });
  });

  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  const serving = async (request = {}): Promise<RolloutView> => {
    const { id } = await service.request({ ...NOTE, ...request }, ME);
    return await service.untilServing(id, ME, NEVER);
  };

  const count = async () => (await bench.runtime.records.list({ limit: 1000 })).records.length;

  it("knows no rollout that was never asked for, nor one of another key: the two look the same", async () => {
    const { id } = await serving();
    const ways: ((id: string) => Promise<unknown>)[] = [
      (one) => service.view(one, OTHER),
      (one) => service.untilServing(one, OTHER, NEVER),
      (one) => service.tools(one, OTHER),
      (one) => service.call(one, SOLVE, OTHER),
      (one) => service.heartbeat(one, OTHER),
      (one) => service.finish(one, null, OTHER),
      (one) => service.cancel(one, OTHER),
      (one) => eventsOf(service, one, 0, OTHER),
      (one) => service.groupView(one, OTHER),
    ];
    for (const way of ways) {
      const theirs = await faultOf(way(id), "rollout/unknown");
      const nobodys = await faultOf(way("r0000000000000000000"), "rollout/unknown");
      assert.equal(
        theirs.message.replace(id, "ID"),
        nobodys.message.replace("r0000000000000000000", "ID"),
      );
    }
    assert.deepEqual((await service.list({}, OTHER)).records, []);
    await service.cancel(id, ME);
  });

  const refused: [string, string, object][] = [
    ["a task that is not there", "task/unknown", { task: "test/nothing" }],
    ["a variant that the task does not have", "task/no-such-variant", { variant: 3 }],
    ["a variant that is no number", "rollout/bad-request", { variant: Number.NaN }],
    ["half a call", "rollout/bad-request", { budget: { calls: 1.5 } }],
    ["a lease too short", "rollout/bad-request", { leaseMs: 4_999 }],
    ["a lease too long", "rollout/bad-request", { leaseMs: 3_600_001 }],
    ["a lease that is no number", "rollout/bad-request", { leaseMs: Number.NaN }],
    ["more calls than the task allows", "rollout/bad-request", { budget: { calls: 201 } }],
    ["a budget that is none", "rollout/bad-request", { budget: { money: 1 } }],
    ["no calls at all", "rollout/bad-request", { budget: { calls: 0 } }],
    ["a reserved label", "rollout/bad-request", { labels: { "cloche.owner": "me" } }],
    ["a label without a name", "rollout/bad-request", { labels: { "": "me" } }],
    ["a label too long", "rollout/bad-request", { labels: { a: "b".repeat(257) } }],
    [
      "33 labels",
      "rollout/bad-request",
      { labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, ""])) },
    ],
    ["a policy without a name", "rollout/bad-request", { policy: "" }],
    ["a group of none", "rollout/bad-request", { n: 0 }],
    ["a group of 257", "rollout/bad-request", { n: 257 }],
    ["a group with half a member", "rollout/bad-request", { n: 1.5 }],
  ];
  for (const [what, code, request] of refused) {
    it(`refuses ${what}, and makes nothing`, async () => {
      const before = await count();
      const whole = { ...NOTE, ...request };
      const asked =
        "n" in whole ? service.requestGroup(whole as never, ME) : service.request(whole, ME);
      await faultOf(asked, code);
      assert.equal(await count(), before);
    });
  }

  it("refuses past its queue at once, saying when to come back, and makes nothing", async () => {
    const small = await bench.open({ inFlight: 1, maxQueued: 1, pool: { max: 0 } });
    const first = await small.request(NOTE, ME);
    const second = await small.request(NOTE, ME);
    const before = await count();
    const fault = await faultOf(small.request(NOTE, OTHER), "rollout/queue-full");
    assert.ok(Number(fault.detail["retryAfterMs"]) > 0);
    await faultOf(small.requestGroup({ ...NOTE, n: 2 }, ME), "rollout/queue-full");
    assert.equal(await count(), before);
    assert.equal(small.stats().queued, 1);
    assert.equal((await small.view(second.id, ME)).phase, "requested");
    await small.cancel(first.id, ME);
    await small.untilServing(second.id, ME, NEVER);
    await small.request(NOTE, ME);
    await small[Symbol.asyncDispose]();
  });

  it("gives each key as many rollouts as it may have, and a place back with each end", async () => {
    const limited = { key: "limited", maxOpen: 2 };
    const { members } = await service.requestGroup({ ...NOTE, n: 2 }, limited);
    const fault = await faultOf(service.request(NOTE, limited), "rollout/over-limit");
    assert.deepEqual([fault.detail["open"], fault.detail["maxOpen"]], [2, 2]);
    assert.ok(Number(fault.detail["retryAfterMs"]) > 0);
    await service.cancel(members[0]?.id ?? "", limited);
    const third = await service.request(NOTE, limited);
    await faultOf(service.request(NOTE, limited), "rollout/over-limit");
    for (const id of [members[1]?.id ?? "", third.id]) await service.cancel(id, limited);
  });

  it("gives the places back that a refused task had taken", async () => {
    const one = { key: "one", maxOpen: 1 };
    await faultOf(service.request({ task: "test/nothing" }, one), "task/unknown");
    const { id } = await service.request(NOTE, one);
    await service.cancel(id, one);
  });

  it("gives the same rollout for the same idempotency key and request, and refuses another request", async () => {
    const request = { ...NOTE, labels: { a: "1", b: "2" }, idempotencyKey: "again" };
    const asked = await Promise.all([1, 2, 3].map(() => service.request(request, ME)));
    const [{ id } = asked[0] as RolloutView] = asked;
    assert.deepEqual(new Set(asked.map((view) => view.id)), new Set([id]));
    const turned = { ...NOTE, idempotencyKey: "again", labels: { b: "2", a: "1" } };
    assert.equal((await service.request(turned, ME)).id, id);
    await faultOf(service.request({ ...request, variant: 2 }, ME), "rollout/key-reused");
    await faultOf(service.requestGroup({ ...request, n: 1 }, ME), "rollout/key-reused");
    const theirs = await service.request(request, OTHER);
    assert.notEqual(theirs.id, id);
    await service.cancel(id, ME);
    assert.equal((await service.request(request, ME)).outcome, "cancelled");
    await service.cancel(theirs.id, OTHER);
  });

  it("forgets the idempotency key of a request that it refused", async () => {
    const request = { ...NOTE, variant: 9, idempotencyKey: "refused" };
    await faultOf(service.request(request, ME), "task/no-such-variant");
    const { id } = await service.request({ ...NOTE, idempotencyKey: "refused" }, ME);
    await service.cancel(id, ME);
  });
});
