import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import type { RolloutService } from "../../runtime/service/service.ts";
import { faultOf, MIB } from "../support/engine.ts";
import { ME, NEVER, NOTE, OTHER, openServiceBench, type ServiceBench } from "../support/service.ts";
import { ofNote } from "../support/small-task.ts";

/** An identity that no process has. */
const DEAD = "noboot.1.2";
const LOW = {
  memoryBytes: 384 * MIB,
  processes: 60,
  cpus: 0.5,
  tmpBytes: 16 * MIB,
  fileBytes: 2 * MIB,
  openFiles: 128,
  workspaceBytes: 8 * MIB,
  workspaceFiles: 40,
} as const;

describe("limits that a caller would have lower", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    const toml = ofNote("task.toml", "storage_mb = 32", "storage_mb = 256");
    bench = await openServiceBench({ "task.toml": toml });
    service = await bench.open({ inFlight: 4 });
  });
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  const refused: [string, RegExp, object][] = [
    [
      "more memory than the task's",
      /"limits.memoryBytes" must be .* to 536870912/,
      { memoryBytes: 513 * MIB },
    ],
    ["more processors than the task's", /"limits.cpus"/, { cpus: 1.01 }],
    ["more files than the task's", /"limits.workspaceFiles"/, { workspaceFiles: 10_001 }],
    [
      "memory that nothing can run in",
      /"limits.memoryBytes" must be 134217728/,
      { memoryBytes: MIB },
    ],
    ["half a process", /"limits.processes" must be a whole/, { processes: 20.5 }],
    ["a limit that is none", /"limits.money" is no bound; there are memoryBytes/, { money: 1 }],
    ["files fewer than the fixture's", /at least 2: the fixture/, { workspaceFiles: 1 }],
    ["memory below the workspace's", /"limits.memoryBytes" is below/, { memoryBytes: 128 * MIB }],
  ];
  for (const [what, message, limits] of refused) {
    it(`are refused with ${what}, and nothing is made`, async () => {
      const fault = await faultOf(service.request({ ...NOTE, limits }, ME), "rollout/bad-request");
      assert.match(fault.message, message);
      assert.deepEqual((await bench.runtime.records.list()).records, []);
    });
  }

  it("are in force in its sandbox, also where others are held ready, and in the record", async () => {
    const plain = await service.request(NOTE, ME);
    await service.untilServing(plain.id, ME, NEVER);
    const { id } = await service.request({ ...NOTE, limits: LOW }, ME);
    await service.untilServing(id, ME, NEVER);
    assert.equal(await openFilesIn(id), String(LOW.openFiles));
    assert.equal(await openFilesIn(plain.id), "1024");
    const record = await service.finish(id, null, ME);
    assert.deepEqual(record.limits, LOW);
    assert.equal(record.outcome, "graded");
    const { openFiles } = (await service.cancel(plain.id, ME)).limits;
    assert.equal(openFiles, 1024);
  });

  async function openFilesIn(id: string): Promise<string> {
    const script = { command: "ulimit -n" };
    const [answer] = await service.call(id, [{ name: "run_command", arguments: script }], ME);
    return /(\d{3,})/.exec(JSON.stringify(answer))?.[1] ?? JSON.stringify(answer);
  }

  it("are kept by those that only waited when their service died", async () => {
    const first = await bench.open({ inFlight: 1, pool: { max: 0 } }, { process: DEAD });
    const one = await first.request(NOTE, ME);
    const request = { ...NOTE, limits: LOW, budget: { calls: 3 }, group: "kept" };
    const { id } = await first.request(request, ME);
    await first.untilServing(one.id, ME, NEVER);
    await first.drain(0, NEVER);
    await first[Symbol.asyncDispose]();
    await using second = await bench.open();
    await second.recover();
    await second.untilServing(id, ME, NEVER);
    const record = await second.finish(id, null, ME);
    assert.deepEqual([record.limits, record.budget.calls, record.group], [LOW, 3, "kept"]);
  });
});

describe("a caller's own label of a group", () => {
  let bench: ServiceBench;
  let service: RolloutService;

  before(async () => {
    bench = await openServiceBench();
    service = await bench.open({ inFlight: 4 });
  });
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  it("is refused if it is no label, or could be taken for the id of a group", async () => {
    for (const group of ["", "two words", "ä", "x".repeat(65), "a/b", namedId("group")])
      await faultOf(service.request({ ...NOTE, group }, ME), "rollout/bad-request");
  });

  it("ties rollouts that are asked for one by one, among those of its key alone", async () => {
    const group = "grpo-7.step_3";
    const mine = [await service.request({ ...NOTE, group }, ME)];
    mine.push(await service.request({ ...NOTE, group, variant: 2 }, ME));
    const theirs = await service.request({ ...NOTE, group }, OTHER);
    assert.equal(mine[0]?.group, group);
    const { records } = await service.list({ group }, ME);
    assert.deepEqual(records.map(({ id }) => id).sort(), mine.map(({ id }) => id).sort());
    await faultOf(service.groupView(group, ME), "rollout/unknown");
    for (const { id } of mine) assert.equal((await service.cancel(id, ME)).group, group);
    await service.cancel(theirs.id, OTHER);
  });

  it("makes no group whose lost members are replaced", async () => {
    const { id } = await service.request({ ...NOTE, group: "lost" }, ME);
    await service.untilServing(id, ME, NEVER);
    const { engine, data, records } = bench.runtime;
    const sandbox = (await records.get(id))?.sandbox;
    for (const found of await engine.find(data.owner))
      if (found.id === sandbox) await engine.remove(found);
    assert.equal((await service.finish(id, null, ME)).outcome, "infra_error");
    await service.drain(0, NEVER);
    assert.equal((await service.list({ group: "lost" }, ME)).records.length, 1);
    assert.deepEqual(await records.admissions.members("lost"), []);
  });
});
