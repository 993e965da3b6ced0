import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { endAsLost } from "../../runtime/rollout/reaper.ts";
import type { RolloutEvent, RolloutService, RolloutView } from "../../runtime/service/service.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { faultOf } from "../support/engine.ts";
import {
  eventsOf,
  ME,
  NEVER,
  NOTE,
  openServiceBench,
  type ServiceBench,
  SOLVE,
} from "../support/service.ts";
import { ofNote } from "../support/small-task.ts";

describe("a rollout of a service", () => {
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

  it("refuses calls, heartbeats and the finish of a rollout that does not serve yet", async () => {
    const { id } = await service.request(NOTE, ME);
    for (const early of [
      () => service.tools(id, ME),
      () => service.call(id, SOLVE, ME),
      () => service.heartbeat(id, ME),
      () => service.finish(id, null, ME),
    ]) {
      const fault = await faultOf(early(), "rollout/not-serving");
      assert.match(String(fault.detail["phase"]), /^(requested|seeded)$/);
    }
    await service.cancel(id, ME);
  });

  it("refuses calls of a rollout that has ended, and says the phase", async () => {
    const { id } = await serving();
    await service.finish(id, null, ME);
    const fault = await faultOf(service.call(id, SOLVE, ME), "rollout/not-serving");
    assert.equal(fault.detail["phase"], "stored");
    await faultOf(service.heartbeat(id, ME), "rollout/not-serving");
    await faultOf(service.tools(id, ME), "rollout/not-serving");
  });

  it("plays, grades and stores a rollout that calls without MCP", async () => {
    const view = await serving({ labels: { run: "7" }, policy: "mine", budget: { calls: 3 } });
    assert.equal(view.phase, "serving");
    assert.match(view.instruction, /hello-1/);
    assert.ok(Date.parse(view.deadline ?? "") > Date.now());
    assert.ok(Date.parse(view.leaseUntil ?? "") > Date.now());
    const tools = (await service.tools(view.id, ME)).map(({ name }) => name);
    assert.ok(tools.includes("write_file") && tools.includes("run_command"));
    const answers = await service.call(
      view.id,
      [...SOLVE, { name: "no_such_tool", arguments: {} }],
      ME,
    );
    assert.ok(answers[0] && "result" in answers[0]);
    assert.ok(answers[1] && "error" in answers[1]);
    const record = await service.finish(view.id, "done", ME);
    assert.equal(record.outcome, "graded");
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 });
    assert.deepEqual(record.ending, { kind: "submitted", answer: "done" });
    assert.equal(record.steps, 2);
    assert.equal(record.policy, "mine");
    assert.equal(record.key, ME.key);
    assert.equal(record.budget.calls, 3);
    assert.deepEqual(record.labels, { run: "7" });
    assert.deepEqual(await service.finish(view.id, "again", ME), record);
    assert.deepEqual(await service.cancel(view.id, ME), record);
    const over = await service.view(view.id, ME);
    assert.deepEqual(over.record, record);
    assert.equal(over.mcp, null);
    assert.equal(over.instruction, view.instruction);
  });

  it("whose record cannot be written in the end has one that says so, or whoever waits is told", async () => {
    const { records } = bench.runtime;
    let failures = 0;
    const failing = Object.assign(Object.create(Object.getPrototypeOf(records)), {
      get: (id: string) => records.get(id),
      put: async (record: RolloutRecord) => {
        if (record.outcome === null || failures === 0) return await records.put(record);
        failures -= 1;
        throw new Error("the disk is full");
      },
      admissions: records.admissions,
    });
    await using of = await bench.open({}, { records: failing });
    for (const [times, outcome] of [
      [1, "infra_error"],
      [2, null],
    ] as const) {
      const { id } = await of.request(NOTE, ME);
      await of.untilServing(id, ME, NEVER);
      failures = times;
      const finishing = of.finish(id, null, ME);
      if (outcome === null) await assert.rejects(finishing, /the disk is full/);
      else assert.equal((await finishing).fault?.code, "rollout/storing-failed");
      const left = await records.get(id);
      assert.equal(left?.outcome, outcome);
      assert.deepEqual(of.stats().open, {});
      if (left && outcome === null)
        await endAsLost(left, new Fault("test/left", "store", "left"), bench.runtime);
    }
  });

  it("gives two finishes at once the same record", async () => {
    const { id } = await serving();
    const [one, two] = await Promise.all([
      service.finish(id, "one", ME),
      service.finish(id, "two", ME),
    ]);
    assert.deepEqual(one, two);
    assert.deepEqual(one.ending, { kind: "submitted", answer: "one" });
  });

  it("opens each rollout over MCP under its own token and no other's", async () => {
    const [one, two] = await Promise.all([serving(), serving()]);
    assert.ok(one.mcp && two.mcp);
    await assert.rejects(connectClient(one.mcp.url, two.mcp.token, NEVER), {
      code: "mcp/endpoint-unreachable",
    });
    await using client = await connectClient(one.mcp.url, one.mcp.token, NEVER);
    await client.callTool("list_directory", { path: "/workspace" });
    await service.call(one.id, SOLVE, ME);
    const [record] = await Promise.all([
      service.finish(one.id, null, ME),
      service.cancel(two.id, ME),
    ]);
    assert.equal(record.steps, 2);
    assert.equal(record.reward?.sparse, 1);
  });

  for (const phase of ["requested", "seeded", "serving", "finished", "captured"] as const) {
    it(`cancels in phase ${phase}: one record, no reward, nothing left`, async () => {
      const reached = Promise.withResolvers<void>();
      const watching = await bench.open({
        pool: { max: 0 },
        observer: { onPhase: (at) => at === phase && reached.resolve() },
      });
      const { id } = await watching.request(NOTE, ME);
      if (phase !== "requested") await Promise.race([reached.promise, finishing(watching, id)]);
      const record = await watching.cancel(id, ME);
      assert.equal(record.outcome, "cancelled");
      assert.equal(record.reward, null);
      assert.deepEqual(await bench.runtime.records.get(id), record);
      const events = await eventsOf(watching, id, 0, ME);
      assert.deepEqual(events.at(-1), { ...events.at(-1), type: "phase", phase: "stored" });
      await watching[Symbol.asyncDispose]();
    });

    async function finishing(of: RolloutService, id: string): Promise<never> {
      await of.untilServing(id, ME, NEVER);
      if (phase === "finished" || phase === "captured")
        void of.finish(id, null, ME).catch(() => {});
      return await new Promise(() => {});
    }
  }

  it("cancels one that waits without letting it have a place", async () => {
    const one = await bench.open({ inFlight: 1, pool: { max: 0 } });
    const first = await one.request(NOTE, ME);
    const second = await one.request(NOTE, ME);
    const record = await one.cancel(second.id, ME);
    assert.equal(record.outcome, "cancelled");
    assert.equal(record.sandbox, null);
    assert.notEqual((await one.view(first.id, ME)).phase, "stored");
    await one[Symbol.asyncDispose]();
  });

  it("tells events from any number on, the same ones every time, and steps before the end", async () => {
    const { id } = await serving();
    const live: RolloutEvent[] = [];
    const listening = (async () => {
      for await (const event of service.events(id, 0, ME, NEVER)) live.push(event);
    })();
    await service.call(id, SOLVE, ME);
    await service.call(id, [{ name: "list_directory", arguments: { path: "/workspace" } }], ME);
    await service.finish(id, null, ME);
    await listening;
    assert.deepEqual(
      live.map(({ seq }) => seq),
      live.map((_, index) => index + 1),
    );
    assert.deepEqual(
      live.map((event) => (event.type === "phase" ? event.phase : event.type)),
      "requested seeded serving step step finished captured graded grade stored".split(" "),
    );
    assert.deepEqual(await eventsOf(service, id, 0, ME), live);
    for (const after of [3, 4, 9, 10, 99])
      assert.deepEqual(await eventsOf(service, id, after, ME), live.slice(after));
  });

  it("keeps the bundle of a rollout that was given up, and its events with it", async () => {
    const { id } = await serving();
    await service.call(id, SOLVE, ME);
    const record = await service.cancel(id, ME);
    assert.notEqual(record.bundle, null);
    const types = (await eventsOf(service, id, 0, ME)).map(({ type }) => type);
    assert.deepEqual(types, ["phase", "phase", "phase", "step", "phase", "phase"]);
  });

  it("stops telling events when nobody listens any more", async () => {
    const { id } = await serving();
    const listener = new AbortController();
    const seen: RolloutEvent[] = [];
    for await (const event of service.events(id, 0, ME, listener.signal)) {
      seen.push(event);
      if (seen.length === 3) listener.abort();
    }
    assert.equal(seen.length, 3);
    await service.cancel(id, ME);
  });

  it("says how a rollout stands when the wait for its serving is given up", async () => {
    const { id } = await service.request(NOTE, ME);
    const view = await service.untilServing(id, ME, AbortSignal.abort());
    assert.match(view.phase, /requested|seeded/);
    assert.equal(view.mcp, null);
    await service.cancel(id, ME);
    assert.equal((await service.untilServing(id, ME, NEVER)).phase, "stored");
  });

  it("ends a rollout by its budget, and finishing it then gives the record of that", async () => {
    const { id } = await serving({ budget: { calls: 1 } });
    const look = { name: "list_directory", arguments: { path: "/workspace" } };
    await service.call(id, [look, look], ME);
    const record = await service.finish(id, "late", ME);
    assert.deepEqual(record.ending, { kind: "budget", which: "calls" });
    assert.equal(record.outcome, "graded");
  });

  it("ends a rollout whose server does not start as task_error, and who waits is told", async () => {
    await using broken = await openServiceBench({
      "task.toml": ofNote(
        "task.toml",
        '[[environment.mcp_servers]]\nname = "terminal"',
        '[[environment.mcp_servers]]\nname = "broken"\ntransport = "stdio"\ncommand = "false"',
      ),
    });
    const of = await broken.open();
    const { id } = await of.request(NOTE, ME);
    const view = await of.untilServing(id, ME, NEVER);
    assert.equal(view.outcome, "task_error");
    assert.equal((await of.finish(id, null, ME)).fault?.code, "mcp/server-start-failed");
  });

  it("lists a key's own rollouts, by filters and page by page", async () => {
    const mine = { key: "lister" };
    const asked = await service.requestGroup({ ...NOTE, n: 3 }, mine);
    const single = await service.request(NOTE, mine);
    const first = await service.list({ limit: 2 }, mine);
    const rest = await service.list({ limit: 2, cursor: first.next ?? "" }, mine);
    const ids = [...first.records, ...rest.records].map(({ id }) => id);
    assert.equal(new Set(ids).size, 4);
    assert.equal(rest.next, null);
    const ofGroup = await service.list({ group: asked.id }, mine);
    assert.equal(ofGroup.records.length, 3);
    assert.deepEqual((await service.list({ key: ME.key }, mine)).records.length, 4);
    for (const id of [...asked.members.map((one) => one.id), single.id])
      await service.cancel(id, mine);
  });

  it("counts what is under way and what has ended", async () => {
    const before = service.stats();
    const { id } = await serving();
    assert.equal(service.stats().open.serving, 1);
    await service.finish(id, null, ME);
    assert.deepEqual(service.stats().open, {});
    assert.equal(service.stats().ended.graded, (before.ended.graded ?? 0) + 1);
  });
});
