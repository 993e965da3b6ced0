import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import type { GroupView, RolloutService } from "../../runtime/service/service.ts";
import { ME, NEVER, NOTE, openServiceBench, type ServiceBench, SOLVE } from "../support/service.ts";

/** A member whose sandbox is gone may be over between the look and the call. */
function unlessOver(error: unknown): void {
  if (!(error instanceof Fault) || error.code !== "rollout/not-serving") throw error;
}

describe("a group", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    bench = await openServiceBench();
    service = await bench.open({ inFlight: 8 });
  });

  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  const play = async (of: RolloutService, id: string) => {
    const { phase } = await of.untilServing(id, ME, NEVER);
    if (phase !== "serving") return;
    await of.call(id, SOLVE, ME).catch(unlessOver);
    await of.finish(id, null, ME);
  };

  /** Takes the sandbox of a serving rollout away, as a failing host would. */
  const removeSandbox = async (of: RolloutService, id: string) => {
    await of.untilServing(id, ME, NEVER);
    const record = await bench.runtime.records.get(id);
    const found = await bench.runtime.engine.find(bench.runtime.data.owner);
    for (const one of found) if (one.id === record?.sandbox) await bench.runtime.engine.remove(one);
  };

  /** Plays every attempt that appears until the group has ended. */
  const playAll = async (of: RolloutService, id: string): Promise<GroupView> => {
    const played = new Map<string, Promise<void>>();
    for (;;) {
      const view = await of.groupView(id, ME);
      if (view.ended) return view;
      for (const { id: member, outcome } of view.members)
        if (outcome === null && !played.has(member)) played.set(member, play(of, member));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it("member whose sandbox is taken away is replaced; all attempts are kept", async () => {
    const { id, members, n, ended } = await service.requestGroup({ ...NOTE, n: 4 }, ME);
    assert.deepEqual([n, members.length, ended], [4, 4, false]);
    assert.equal(new Set(members.map((one) => one.instruction)).size, 1);
    const victim = members[2]?.id ?? "";
    await removeSandbox(service, victim);
    const view = await playAll(service, id);
    assert.equal(view.gradable, 4);
    assert.deepEqual(view.shortfall, []);
    assert.deepEqual(
      view.lost.map((lost) => [lost.id, lost.outcome, lost.attempt]),
      [[victim, "infra_error", 1]],
    );
    assert.deepEqual(
      view.members.map(({ attempt, group }) => [attempt, group]),
      [1, 1, 2, 1].map((attempt) => [attempt, id]),
    );
    assert.ok(view.members.every(({ record }) => record?.reward?.sparse === 1));
    const later = await bench.open();
    assert.deepEqual(await later.groupView(id, ME), view);
    const { records } = await later.list({ group: id }, ME);
    assert.equal(records.length, 5);
    await later[Symbol.asyncDispose]();
  });

  it("member that is lost every time is given up after three attempts, and the group says why", async () => {
    const { id } = await service.requestGroup({ ...NOTE, n: 1 }, ME);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [member] = (await service.groupView(id, ME)).members;
      assert.equal(member?.attempt, attempt);
      await removeSandbox(service, member?.id ?? "");
      const finishing = service.finish(member?.id ?? "", null, ME);
      assert.equal((await finishing).outcome, "infra_error");
      while (attempt < 3 && (await service.groupView(id, ME)).lost.length < attempt)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const view = await service.groupView(id, ME);
    assert.equal(view.ended, true);
    assert.equal(view.gradable, 0);
    assert.equal(view.lost.length, 2);
    assert.match(view.shortfall[0]?.reason ?? "", /^infra_error: .*sandbox/);
  });

  it("member that was cancelled is not replaced, and is missed", async () => {
    const { id, members } = await service.requestGroup({ ...NOTE, n: 2 }, ME);
    const [one, two] = members;
    await service.cancel(one?.id ?? "", ME);
    await play(service, two?.id ?? "");
    const view = await service.groupView(id, ME);
    assert.equal(view.ended, true);
    assert.equal(view.gradable, 1);
    assert.deepEqual(view.lost, []);
    assert.deepEqual(view.shortfall, [{ id: one?.id, reason: "cancelled" }]);
  });

  it("prepares its variant once, however many members it has", async () => {
    await using fresh = await openServiceBench();
    const seen: string[] = [];
    const { engine } = fresh.runtime;
    const counting = Object.assign(Object.create(engine), {
      create: (...args: Parameters<typeof engine.create>) => {
        seen.push(args[0].id.split("-")[0] ?? "");
        return engine.create(...args);
      },
    });
    const of = await fresh.open({ pool: { max: 0 } }, { engine: counting });
    const groups = await Promise.all(
      [1, 2].map(() => of.requestGroup({ ...NOTE, n: 4, variant: 2 }, ME)),
    );
    const made = seen.filter((word) => !word.startsWith("r"));
    assert.equal(made.length, new Set(made).size, seen.join());
    for (const { members } of groups) for (const { id } of members) await of.cancel(id, ME);
  });

  it("asked for twice under one idempotency key is one group", async () => {
    const request = { ...NOTE, n: 2, idempotencyKey: "group" };
    const [one, two] = await Promise.all([
      service.requestGroup(request, ME),
      service.requestGroup(request, ME),
    ]);
    assert.equal(one.id, two.id);
    const ids = one.members.map(({ id }) => id);
    assert.deepEqual(
      two.members.map(({ id }) => id),
      ids,
    );
    for (const id of ids) await service.cancel(id, ME);
  });
});
