import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { eventsOf, ME, NEVER, NOTE, openServiceBench, SOLVE } from "../support/service.ts";

describe("forty rollouts at eight in flight", () => {
  it("have one record each, whatever their agents do, and leave the engine empty", async () => {
    await using bench = await openServiceBench();
    const waits: number[] = [];
    let most = 0;
    const service = await bench.open({
      inFlight: 8,
      pool: { max: 2 },
      observer: {
        onQueueWait: (ms) => waits.push(ms),
        onPhase: () => {
          const { open } = service.stats();
          const { requested = 0, ...under } = open;
          most = Math.max(
            most,
            Object.values(under).reduce((all, one) => all + one, 0),
          );
          assert.ok(requested <= 40);
        },
      },
    });
    const play = async (index: number): Promise<string> => {
      const { id } = await service.request({ ...NOTE, labels: { index: `${index}` } }, ME);
      if (index % 10 === 3) {
        await service.cancel(id, ME);
        return id;
      }
      await service.untilServing(id, ME, NEVER);
      if (index % 2 === 0) await service.call(id, SOLVE, ME);
      if (index % 10 === 7) await service.cancel(id, ME);
      else await service.finish(id, `${index}`, ME);
      return id;
    };
    const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => play(index)));
    const { records } = await bench.runtime.records.list({ limit: 1000 });
    assert.deepEqual(records.map(({ id }) => id).sort(), [...ids].sort());
    for (const record of records) {
      const index = Number(record.labels["index"]);
      const isCancelled = index % 10 === 3 || index % 10 === 7;
      assert.equal(record.outcome, isCancelled ? "cancelled" : "graded", JSON.stringify(record));
      const sparse = isCancelled ? undefined : index % 2 === 0 ? 1 : 0;
      assert.equal(record.reward?.sparse, sparse);
      assert.equal((await eventsOf(service, record.id, 0, ME)).at(-1)?.type, "phase");
    }
    assert.ok(most <= 8, `${most} were under way at once`);
    assert.equal(waits.length, 40);
    assert.deepEqual(service.stats().open, {});
    await service[Symbol.asyncDispose]();
    await bench.runtime.assertNothingLeft();
    assert.deepEqual(await readdir(bench.runtime.data.rollouts), []);
  });
});
