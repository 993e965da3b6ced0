import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { RolloutService, ToolAnswer, ToolCall } from "../../runtime/service/service.ts";
import type { ServiceOptions } from "../../runtime/service/service-options.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { openTestEngine } from "../support/engine.ts";
import { type DockerMischief, FaultyDocker } from "../support/faulty-docker.ts";
import { ME, NEVER, NOTE, openServiceBench, type ServiceBench, SOLVE } from "../support/service.ts";
import { IS_SLOW } from "../support/slow.ts";

const NO_POOL = { pool: { max: 0 } };
const LIST: ToolCall = { name: "list_directory", arguments: { path: "/workspace" } };

let docker: FaultyDocker;
/** Through the proxy; the bench's own goes straight to Docker. */
let engine: Engine;
let bench: ServiceBench;

before(async () => {
  docker = await FaultyDocker.open();
  engine = await openTestEngine({ address: docker.address });
  bench = await openServiceBench();
  // Prepares the task while all is well.
  await using service = await bench.open(NO_POOL);
  await service.cancel((await service.request(NOTE, ME)).id, ME);
});

beforeEach(() => {
  docker.mischief = () => "pass";
});

after(async () => {
  docker.mischief = () => "pass";
  await bench?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
  await docker?.[Symbol.asyncDispose]();
});

const opened = (options: Partial<ServiceOptions>, own = engine) =>
  bench.open({ ...NO_POOL, ...options }, { engine: own });

async function serving(service: RolloutService): Promise<string> {
  const { id } = await service.request(NOTE, ME);
  assert.equal((await service.untilServing(id, ME, NEVER)).phase, "serving");
  return id;
}

/** The record of a rollout that is about to end; fails if it does not end in time. */
async function ended(service: RolloutService, id: string): Promise<RolloutRecord> {
  for (let look = 0; look < 900; look++) {
    const { record } = await service.view(id, ME);
    if (record !== null) return record;
    await sleep(200);
  }
  assert.fail(`rollout ${id} has not ended`);
}

async function untilEmpty(): Promise<void> {
  const { engine: straight, data } = bench.runtime;
  for (let look = 0; look < 120; look++) {
    if ((await straight.find(data.owner)).length === 0) return;
    await sleep(500);
  }
  assert.fail("something is left in the engine");
}

describe("a rollout on an engine that stumbles", () => {
  it("is graded if connections are refused for six seconds at its end", async () => {
    await using service = await opened({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    await docker.refuse();
    const back = sleep(6_000).then(() => docker.listen());
    const record = await service.finish(id, null, ME);
    await back;
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 1);
    await untilEmpty();
  });

  it("is infra_error if the engine lets go of a server while it serves", async () => {
    await using service = await opened({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    docker.cut();
    const record = await ended(service, id);
    assert.equal(record.outcome, "infra_error");
    assert.equal(record.fault?.code, "engine/program-lost");
    assert.equal(record.reward, null);
    await untilEmpty();
  });

  it("is graded if the engine lets go of its grader", async () => {
    await using service = await opened({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    const finishing = service.finish(id, null, ME);
    for await (const event of service.events(id, 0, ME, NEVER)) {
      if (event.type === "phase" && event.phase === "captured") docker.cut();
    }
    const record = await finishing;
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 1);
  });

  for (const delayMs of [0, 1_500]) {
    const when = delayMs > 0 ? ", also if the engine is slow to say how it ended" : "";
    it(`is infra_error if the agent finishes once it is told that a server was lost${when}`, async () => {
      await using service = await opened({});
      const id = await serving(service);
      await service.call(id, SOLVE, ME);
      docker.mischief = (_, path) => (/^.exec.*json$/.test(path) ? { delayMs } : "pass");
      docker.cut();
      const answers = await service.call(id, SOLVE, ME).catch(() => []);
      const record = await service.finish(id, null, ME);
      assert.equal(record.outcome, "infra_error", JSON.stringify(answers));
      assert.equal(record.fault?.code, "engine/program-lost");
      assert.equal(record.reward, null);
    });
  }

  it("is followed by another attempt in its group, whenever it was cut at its start", async () => {
    await using service = await opened({ attempts: 8 });
    const group = await service.requestGroup({ ...NOTE, n: 3 }, ME);
    for (let cut = 0; cut < 6; cut++) {
      await sleep(400);
      docker.cut();
    }
    for (;;) {
      const { members } = await service.groupView(group.id, ME);
      if (members.every(({ phase }) => phase === "serving")) break;
      assert.ok(members.every(({ outcome }) => outcome === null || outcome === "infra_error"));
      await sleep(200);
    }
    const { lost } = await service.groupView(group.id, ME);
    for (const { record } of lost) assert.equal(record?.fault?.blame, "engine");
    for (const { id } of (await service.groupView(group.id, ME)).members) {
      await service.cancel(id, ME);
    }
    await untilEmpty();
  });
});

describe("what an engine was asked for and not heard to have removed", () => {
  it("is swept by the service while it lives, and counted", async () => {
    await using impatient = await openTestEngine({ address: docker.address, patienceMs: 0 });
    await using service = await opened({ inFlight: 12, sweepMs: 1_000 }, impatient);
    docker.mischief = (method, path) =>
      method === "DELETE" || path.endsWith("/start") ? "cut" : "pass";
    const requests = Array.from({ length: 6 }, () => service.request(NOTE, ME));
    const ids = (await Promise.all(requests)).map(({ id }) => id);
    for (const id of ids) {
      assert.equal((await ended(service, id)).outcome, "infra_error");
    }
    assert.equal(service.stats().unconfirmed, ids.length);
    docker.mischief = () => "pass";
    await untilEmpty();
    while (service.stats().unconfirmed > 0) await sleep(100);
    assert.equal(service.stats().leaksFound, ids.length);
  });
});

const ROLLOUTS = Number(process.env["CLOCHE_ROLLOUTS"] ?? (IS_SLOW ? 200 : 24));
const SEED = Number(process.env["CLOCHE_SEED"] ?? Date.now() % 2 ** 31);
/** Every second one does nothing, the others solve the task. */
const POLICIES: readonly (readonly ToolCall[])[] = [[], [LIST, ...SOLVE, LIST]];

describe("many rollouts while the engine stumbles at random", () => {
  it(`all end right in outcome and blame, and leave nothing: ${ROLLOUTS}, seed ${SEED}`, async (t) => {
    await using service = await opened({ inFlight: 16, sweepMs: 2_000 });
    const random = randomFrom(SEED);
    docker.mischief = () => mischiefAt(random(), random());
    const over = new AbortController();
    const outages = outagesUntil(over.signal, random);
    const late = AbortSignal.timeout(120_000 + ROLLOUTS * 5_000);
    const lives = Array.from({ length: ROLLOUTS }, (_, n) => life(service, n, late));
    const settled = await Promise.allSettled(lives);
    over.abort();
    await outages;
    docker.mischief = () => "pass";
    const ends = Object.groupBy(settled, (one) =>
      one.status === "fulfilled" ? one.value : "wrong",
    );
    for (const [end, all] of Object.entries(ends)) t.diagnostic(`${end}: ${all?.length}`);
    const wrong = settled.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    assert.deepEqual(wrong.map(String), []);
    await untilEmpty();
  });

  function mischiefAt(at: number, howLong: number): DockerMischief {
    if (at < 0.01) return "cut";
    if (at < 0.02) return { status: 500, message: "the engine stumbled" };
    return at < 0.05 ? { delayMs: Math.round(howLong * 1_000) } : "pass";
  }

  /** Every few seconds nobody answers for a moment; every second time all connections break off too. */
  async function outagesUntil(over: AbortSignal, random: () => number): Promise<void> {
    while (!over.aborted) {
      await sleep(2_000 + random() * 6_000, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      if (random() < 0.5) docker.cut();
      await docker.refuse();
      await sleep(random() * 1_000);
      await docker.listen();
    }
  }

  /** Gives how a rollout ended; rejects if that is not right. */
  async function life(service: RolloutService, n: number, late: AbortSignal): Promise<string> {
    const calls = POLICIES[n % POLICIES.length] ?? [];
    const { id } = await service.request(NOTE, ME);
    await service.untilServing(id, ME, late);
    const said: (ToolAnswer | { error: unknown })[] = [];
    for (const call of calls) {
      said.push(...(await service.call(id, [call], ME).catch((error) => [{ error }])));
    }
    await service.finish(id, null, ME).catch(() => {});
    const record = await ended(service, id);
    const { outcome, fault, reward } = record;
    const shown = `rollout ${n}: ${JSON.stringify({ outcome, fault, reward, said })}`;
    if (outcome === "graded") {
      assert.ok(said.every(hasSucceeded), `graded although the engine lost its tool: ${shown}`);
      assert.equal(reward?.sparse, calls.length === 0 ? 0 : 1, shown);
      return `graded ${reward?.sparse}`;
    }
    assert.deepEqual([outcome, fault?.blame, reward], ["infra_error", "engine", null], shown);
    return fault?.code ?? "";
  }
});

function hasSucceeded(answer: ToolAnswer | { error: unknown }): boolean {
  return "result" in answer && answer.result["isError"] !== true;
}

/** Numbers below 1 that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
