import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { Fault } from "../../runtime/base/fault.ts";
import type { RolloutService } from "../../runtime/service/service.ts";
import type { Phase, RolloutRecord } from "../../runtime/store/record.ts";
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

/** What is known of each rollout from outside. */
interface Model {
  readonly rollouts: { readonly id: string; record?: RolloutRecord; isServing: boolean }[];
}

interface Real {
  readonly service: RolloutService;
}

type Act = fc.AsyncCommand<Model, Real, false>;

const ROOM = 3;
const ORDER: readonly Phase[] = [
  "requested",
  "seeded",
  "serving",
  "finished",
  "captured",
  "graded",
  "stored",
];

describe("the rollouts of a service, whatever is done to them in whatever order", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    bench = await openServiceBench();
    service = await bench.open({ inFlight: 2, maxQueued: ROOM - 2, pool: { max: 0 } });
  });

  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  it("are as a small model says, and each ends in one record that never changes", async () => {
    const which = fc.nat(7);
    const acts = fc.commands<Model, Real, false>(
      [
        fc.constant(new Request()),
        which.map((index) => new Serve(index)),
        which.map((index) => new Call(index)),
        which.map((index) => new Heartbeat(index)),
        fc.tuple(which, fc.option(fc.string())).map(([index, answer]) => new Finish(index, answer)),
        which.map((index) => new Cancel(index)),
        which.map((index) => new Steal(index)),
      ],
      { maxCommands: 14 },
    );
    const property = fc.asyncProperty(acts, async (commands) => {
      const model: Model = { rollouts: [] };
      try {
        await fc.asyncModelRun(() => ({ model, real: { service } }), commands);
      } finally {
        for (const { id } of model.rollouts) await service.cancel(id, ME);
      }
      for (const rollout of model.rollouts) await checkEnd(rollout);
      assert.deepEqual(service.stats().open, {});
    });
    await fc.assert(property, { numRuns: 6, endOnFailure: true });
  });

  async function checkEnd({ id, record }: Model["rollouts"][number]): Promise<void> {
    const final = await bench.runtime.records.get(id);
    assert.ok(final?.outcome);
    if (record) assert.deepEqual(final, record);
    assert.equal(final.reward !== null, final.outcome === "graded");
    const events = await eventsOf(service, id, 0, ME);
    const phases = events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));
    assert.deepEqual(
      phases,
      ORDER.filter((phase) => phases.includes(phase)),
    );
    assert.equal(phases.at(-1), "stored");
    assert.equal(events.filter(({ type }) => type === "step").length, final.steps);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
  }
});

class Request implements Act {
  check = () => true;

  async run({ rollouts }: Model, { service }: Real): Promise<void> {
    const open = rollouts.filter(({ record }) => !record).length;
    const asked = await service.request(NOTE, ME).catch(codeOf);
    if (open >= ROOM) {
      assert.equal(asked, "rollout/queue-full");
      return;
    }
    assert.ok(typeof asked === "object");
    assert.equal(asked.outcome, null);
    rollouts.push({ id: asked.id, isServing: false });
  }

  toString = () => "request";
}

/** An act on one of the rollouts that were asked for. */
abstract class OnOne implements Act {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }

  check = ({ rollouts }: Readonly<Model>) => rollouts.length > 0;

  async run({ rollouts }: Model, { service }: Real): Promise<void> {
    const one = rollouts[this.index % rollouts.length];
    assert.ok(one);
    await this.on(one, service, rollouts);
  }

  abstract on(
    one: Model["rollouts"][number],
    service: RolloutService,
    all: Model["rollouts"],
  ): Promise<void>;

  toString = () => `${this.constructor.name}(${this.index})`;
}

class Serve extends OnOne {
  async on(one: Model["rollouts"][number], service: RolloutService, all: Model["rollouts"]) {
    const before = all.filter(({ record }) => !record).indexOf(one);
    if (before >= 2) return; // It waits for a place, and would for ever.
    const view = await service.untilServing(one.id, ME, NEVER);
    assert.equal(view.phase, one.record ? "stored" : "serving");
    assert.equal(view.mcp !== null, one.record === undefined);
    one.isServing = one.record === undefined;
  }
}

class Call extends OnOne {
  async on(one: Model["rollouts"][number], service: RolloutService) {
    const answer = await service.call(one.id, SOLVE, ME).catch(codeOf);
    if (one.isServing) assert.ok(typeof answer === "object" && answer[0] && "result" in answer[0]);
    if (one.record) assert.equal(answer, "rollout/not-serving");
  }
}

class Heartbeat extends OnOne {
  async on(one: Model["rollouts"][number], service: RolloutService) {
    const until = await service.heartbeat(one.id, ME).catch(codeOf);
    if (one.isServing) assert.ok(until instanceof Date);
    if (one.record) assert.equal(until, "rollout/not-serving");
  }
}

class Finish extends OnOne {
  readonly answer: string | null;

  constructor(index: number, answer: string | null) {
    super(index);
    this.answer = answer;
  }

  async on(one: Model["rollouts"][number], service: RolloutService) {
    const record = await service.finish(one.id, this.answer, ME).catch(codeOf);
    if (typeof record === "string") {
      assert.equal(record, "rollout/not-serving");
      assert.ok(!one.isServing && !one.record);
      return;
    }
    if (one.record) assert.deepEqual(record, one.record);
    else assert.deepEqual(record.ending, { kind: "submitted", answer: this.answer });
    end(one, record);
  }
}

class Cancel extends OnOne {
  async on(one: Model["rollouts"][number], service: RolloutService) {
    const record = await service.cancel(one.id, ME);
    if (one.record) assert.deepEqual(record, one.record);
    else assert.equal(record.outcome, "cancelled");
    end(one, record);
  }
}

/** Somebody else tries. */
class Steal extends OnOne {
  async on({ id }: Model["rollouts"][number], service: RolloutService) {
    assert.equal(await service.view(id, OTHER).catch(codeOf), "rollout/unknown");
    assert.equal(await service.finish(id, null, OTHER).catch(codeOf), "rollout/unknown");
    assert.equal(await service.cancel(id, OTHER).catch(codeOf), "rollout/unknown");
  }
}

function end(one: Model["rollouts"][number], record: RolloutRecord): void {
  one.record = record;
  one.isServing = false;
}

function codeOf(error: unknown): string {
  if (error instanceof Fault) return error.code;
  throw error;
}
