import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../runtime/base/clock.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { Lease } from "../../runtime/service/lease.ts";
import type { RolloutService, RolloutView } from "../../runtime/service/service.ts";
import {
  eventsOf,
  ME,
  NEVER,
  NOTE,
  openServiceBench,
  type ServiceBench,
  SOLVE,
} from "../support/service.ts";

const SHORT = { leaseMs: 5_000 };

describe("a lease", () => {
  it("lapses once, and not before its time by the monotonic clock, however the wall clock jumps", async () => {
    const clock = new HandClock();
    let lapses = 0;
    const lease = new Lease(20, clock, () => {
      lapses += 1;
    });
    lease.start();
    clock.wallMs += 1e9;
    await sleep(60);
    assert.equal(lapses, 0);
    assert.equal(lease.until?.getTime(), clock.wallMs + 20);
    clock.ms += 21;
    await sleep(60);
    assert.equal(lapses, 1);
    assert.equal(lease.until, null);
    lease.renew();
    clock.ms += 100;
    await sleep(60);
    assert.equal(lapses, 1);
  });

  it("holds as long as a call is under way, and its time begins anew when that has ended", async () => {
    const clock = new HandClock();
    let lapses = 0;
    const lease = new Lease(20, clock, () => {
      lapses += 1;
    });
    lease.start();
    lease.callBegan();
    lease.callBegan();
    lease.callEnded();
    clock.ms += 1_000;
    await sleep(60);
    assert.equal(lapses, 0);
    lease.callEnded();
    clock.ms += 19;
    await sleep(60);
    assert.equal(lapses, 0);
    clock.ms += 2;
    await sleep(60);
    assert.equal(lapses, 1);
  });

  it("that is ended never lapses", async () => {
    const clock = new HandClock();
    const lease = new Lease(5, clock, () => assert.fail("it lapsed"));
    lease.start();
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    clock.ms += 100;
    await sleep(30);
  });
});

describe("a rollout whose agent goes away", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    bench = await openServiceBench();
    service = await bench.open();
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

  it("is graded as it stands: its ending is agent_gone and it has a reward", async () => {
    const { id } = await serving(SHORT);
    await service.call(id, SOLVE, ME);
    await eventsOf(service, id, 0, ME);
    const record = await service.finish(id, "too late", ME);
    assert.deepEqual(record.ending, { kind: "agent_gone" });
    assert.equal(record.outcome, "graded");
    assert.equal(record.reward?.sparse, 1);
    assert.equal(record.leaseMs, 5_000);
  });

  it("in the middle of a call through MCP is graded too", async () => {
    const { id, mcp } = await serving(SHORT);
    assert.ok(mcp);
    const gone = new AbortController();
    const client = await connectClient(mcp.url, mcp.token, gone.signal);
    const calling = client.callTool("run_command", { command: "sleep 1; echo x > y" });
    setTimeout(() => gone.abort(new Error("gone")), 200);
    await assert.rejects(calling);
    await eventsOf(service, id, 0, ME);
    const { record } = await service.view(id, ME);
    assert.deepEqual(record?.ending, { kind: "agent_gone" });
    assert.equal(record?.outcome, "graded");
  });

  it("is kept by heartbeats, by calls without MCP and by calls through MCP", async () => {
    const { id, mcp } = await serving(SHORT);
    assert.ok(mcp);
    await using client = await connectClient(mcp.url, mcp.token, NEVER);
    const look = { path: "/workspace" };
    const words = [
      () => service.heartbeat(id, ME),
      () => service.call(id, [{ name: "list_directory", arguments: look }], ME),
      () => client.callTool("list_directory", look),
      () => client.callTool("run_command", { command: "sleep 6" }),
    ];
    for (const word of words) {
      const before = Date.parse((await service.view(id, ME)).leaseUntil ?? "");
      await sleep(2_500);
      await word();
      const { phase, leaseUntil } = await service.view(id, ME);
      assert.equal(phase, "serving");
      assert.ok(Date.parse(leaseUntil ?? "") > before);
    }
    assert.equal((await service.finish(id, null, ME)).ending?.kind, "submitted");
  });

  it("does not lapse before the agent can have its turn, nor after", async () => {
    const small = await bench.open({ inFlight: 1, pool: { max: 0 } });
    const first = await small.request(NOTE, ME);
    const second = await small.request({ ...NOTE, ...SHORT }, ME);
    await sleep(5_500);
    assert.equal((await small.view(second.id, ME)).phase, "requested");
    await small.cancel(first.id, ME);
    assert.equal((await small.untilServing(second.id, ME, NEVER)).phase, "serving");
    const record = await small.finish(second.id, "done", ME);
    assert.deepEqual(record.ending, { kind: "submitted", answer: "done" });
    await small[Symbol.asyncDispose]();
  });
});

/** A clock that stands still until it is set. */
class HandClock implements Clock {
  ms = 0;
  wallMs = 1_000_000;

  now(): Date {
    return new Date(this.wallMs);
  }

  monotonicMs(): number {
    return this.ms;
  }
}
