import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openTestEngine } from "../support/engine.ts";
import type { FaultyDocker } from "../support/faulty-docker.ts";
import { ME, NEVER, NOTE, SOLVE } from "../support/service.ts";
import {
  command,
  ended,
  hasSucceeded,
  openStumblingBench,
  type StumblingBench,
  serving,
} from "./stumbling-bench.ts";

let bench: StumblingBench;
let docker: FaultyDocker;

before(async () => {
  bench = await openStumblingBench();
  docker = bench.docker;
});

beforeEach(() => {
  docker.mischief = () => "pass";
  docker.losesWords = false;
});

after(() => bench?.[Symbol.asyncDispose]());

describe("a rollout on an engine that stumbles", () => {
  it("is graded if connections are refused for six seconds at its end", async () => {
    await using service = await bench.open({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    await docker.refuse();
    const back = sleep(6_000).then(() => docker.listen());
    const record = await service.finish(id, null, ME);
    await back;
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 1);
    await bench.untilEmpty();
  });

  it("is infra_error if the engine lets go of a server while it serves", async () => {
    await using service = await bench.open({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    docker.cut();
    const record = await ended(service, id);
    assert.equal(record.outcome, "infra_error");
    assert.equal(record.fault?.code, "engine/program-lost");
    assert.equal(record.reward, null);
    await bench.untilEmpty();
  });

  for (const [how, text] of [
    ["waits for a command", "true"],
    ["runs one", "sleep 3; echo done"],
    ["runs one that says nothing", "sleep 60"],
  ] as const) {
    it(`is infra_error if the engine lets go of a shell that ${how}`, async () => {
      await using service = await bench.open({});
      const id = await serving(service);
      await service.call(id, [...SOLVE, command("true")], ME);
      const running = service.call(id, [command(text)], ME).catch(() => []);
      await sleep(1_000);
      docker.cut();
      const answers = await running;
      const record = await ended(service, id);
      const { outcome, fault, reward } = record;
      const right = ["infra_error", "engine/program-lost", null];
      assert.deepEqual([outcome, fault?.code, reward], right, JSON.stringify(answers));
    });
  }

  it("is graded if its agent ends its shells and all that is its own, however it does that", async () => {
    await using service = await bench.open({});
    const id = await serving(service);
    const ends = ["kill -9 $PPID", "kill -9 -1", "exit 126", "exec /bin/sh -c 'exit 126'"];
    for (const text of [...ends, "exec >&- 2>&-; sleep 1"]) {
      await service.call(id, [command(text)], ME);
    }
    const [answer] = await service.call(id, SOLVE, ME);
    assert.ok(answer && hasSucceeded(answer), JSON.stringify(answer));
    const record = await service.finish(id, null, ME);
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 1);
  });

  it("is graded if the engine lets go of its grader", async () => {
    await using service = await bench.open({});
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

  it("is graded if what its grader says is lost on its way", async () => {
    await using service = await bench.open({});
    const id = await serving(service);
    await service.call(id, SOLVE, ME);
    const finishing = service.finish(id, null, ME);
    for await (const event of service.events(id, 0, ME, NEVER)) {
      if (event.type !== "phase" || event.phase !== "captured") continue;
      docker.losesWords = true;
      docker.mischief = (_, path) => {
        if (/^.exec.*json$/.test(path)) docker.losesWords = false; // It has ended.
        return "pass";
      };
    }
    const record = await finishing;
    assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
    assert.equal(record.reward?.sparse, 1);
  });

  for (const delayMs of [0, 1_500]) {
    const when = delayMs > 0 ? ", also if the engine is slow to say how it ended" : "";
    it(`is infra_error if the agent finishes once it is told that a server was lost${when}`, async () => {
      await using service = await bench.open({});
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
    await using service = await bench.open({ attempts: 8 });
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
    await bench.untilEmpty();
  });
});

describe("what an engine was asked for and not heard to have removed", () => {
  it("is swept by the service while it lives, and counted", async () => {
    await using impatient = await openTestEngine({ address: docker.address, patienceMs: 0 });
    await using service = await bench.open({ inFlight: 12, sweepMs: 1_000 }, impatient);
    docker.mischief = (method, path) =>
      method === "DELETE" || path.endsWith("/start") ? "cut" : "pass";
    const requests = Array.from({ length: 6 }, () => service.request(NOTE, ME));
    const ids = (await Promise.all(requests)).map(({ id }) => id);
    for (const id of ids) {
      assert.equal((await ended(service, id)).outcome, "infra_error");
    }
    assert.equal(service.stats().unconfirmed, ids.length);
    docker.mischief = () => "pass";
    await bench.untilEmpty();
    while (service.stats().unconfirmed > 0) await sleep(100);
    assert.equal(service.stats().leaksFound, ids.length);
  });
});
