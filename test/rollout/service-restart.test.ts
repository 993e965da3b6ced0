import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
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

/** An identity that no process has. */
const DEAD = "noboot.1.2";

describe("a service that is started again", () => {
  let bench: ServiceBench;

  before(async () => {
    bench = await openServiceBench();
  });

  after(async () => {
    await bench?.runtime.assertNothingLeft();
    await bench?.[Symbol.asyncDispose]();
  });

  it("knows ended rollouts, their events and their idempotency keys as before", async () => {
    const first = await bench.open();
    const request = { ...NOTE, idempotencyKey: "kept" };
    const { id } = await first.request(request, ME);
    await first.untilServing(id, ME, NEVER);
    await first.call(id, SOLVE, ME);
    const record = await first.finish(id, null, ME);
    const events = await eventsOf(first, id, 0, ME);
    await first[Symbol.asyncDispose]();

    await using second = await bench.open();
    await second.recover();
    assert.equal((await second.request(request, ME)).id, id);
    await faultOf(second.request({ ...request, variant: 2 }, ME), "rollout/key-reused");
    assert.deepEqual(await second.finish(id, null, ME), record);
    assert.deepEqual(await eventsOf(second, id, 0, ME), events);
    assert.deepEqual(await eventsOf(second, id, 4, ME), events.slice(4));
    await faultOf(second.view(id, OTHER), "rollout/unknown");
  });

  it("runs those that only waited, under the same ids and in their groups", async () => {
    const first = await bench.open({ inFlight: 1, pool: { max: 0 } }, { process: DEAD });
    const { id: group, members } = await first.requestGroup({ ...NOTE, n: 3 }, ME);
    const [one, ...waiting] = members.map(({ id }) => id);
    await first.untilServing(one ?? "", ME, NEVER);
    await first.drain(0, NEVER);
    assert.deepEqual((await first.view(one ?? "", ME)).record?.ending, { kind: "agent_gone" });
    await first[Symbol.asyncDispose]();

    await using second = await bench.open();
    const recovered = await second.recover();
    assert.deepEqual([...recovered.resumed].sort(), [...waiting].sort());
    for (const id of waiting) {
      await second.untilServing(id, ME, NEVER);
      await second.finish(id, null, ME);
    }
    const view = await second.groupView(group, ME);
    assert.deepEqual([view.ended, view.gradable], [true, 3]);
    assert.deepEqual(
      view.members.map(({ id }) => id),
      members.map(({ id }) => id),
    );
  });

  it("goes on with a group that lost a member when it could not replace it any more", async () => {
    const first = await bench.open({}, { process: DEAD });
    const { id: group, members } = await first.requestGroup({ ...NOTE, n: 1 }, ME);
    const id = members[0]?.id ?? "";
    await first.untilServing(id, ME, NEVER);
    const { engine, data } = bench.runtime;
    const stopping = first.drain(60_000, NEVER);
    for (const found of await engine.find(data.owner)) await engine.remove(found);
    await first.finish(id, null, ME);
    await stopping;
    await first[Symbol.asyncDispose]();

    await using second = await bench.open();
    await second.recover();
    const view = await second.groupView(group, ME);
    assert.equal(view.lost[0]?.id, id);
    assert.equal(view.members[0]?.attempt, 2);
    await second.cancel(view.members[0]?.id ?? "", ME);
  });

  it("after kill -9 goes on with those whose sandboxes live, runs those that waited, and leaves nothing", async () => {
    const killed = await killedService(bench, 2, 4);
    assert.equal(killed.serving.length, 2);
    await using second = await bench.open();
    const recovered = await second.recover();
    assert.deepEqual([...recovered.resumed].sort(), [...killed.all].sort());
    const calls = killed.serving.map(({ id }) => second.call(id, SOLVE, ME)); // Before it is back.
    assert.ok((await Promise.all(calls)).every(([answer]) => answer && "result" in answer));
    for (const { id, token } of killed.serving) {
      const view = await second.untilServing(id, ME, NEVER);
      assert.equal(view.mcp?.token, token);
      await using client = await connectClient(view.mcp?.url ?? "", token, NEVER);
      const read = await client.callTool("read_text_file", { path: "/workspace/note.txt" });
      assert.match(JSON.stringify(read), /hello-1/);
    }
    for (const id of killed.all) {
      await second.untilServing(id, ME, NEVER);
      const record = await second.finish(id, null, ME);
      assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
      const events = await eventsOf(second, id, 0, ME);
      assert.deepEqual(
        events.map(({ seq }) => seq),
        events.map((_, index) => index + 1),
      );
    }
    const { records } = await second.list({ limit: 1000 }, ME);
    assert.ok(records.every(({ outcome }) => outcome !== null));
  });

  it("runs those that waited also after cloche reap and cloche run have been there", async () => {
    const killed = await killedService(bench, 1, 3);
    const [begun] = killed.serving;
    const waiting = killed.all.filter((id) => id !== begun?.id);
    const { data, root } = { data: bench.runtime.data.path, root: bench.root.path };
    const run = await cloche("run", "test/note", "--json", "--root", root, "--data", data);
    assert.equal(JSON.parse(run).rollouts.length, 1);
    assert.equal((await bench.runtime.records.get(begun?.id ?? ""))?.outcome, "infra_error");
    const reaped = JSON.parse(await cloche("reap", "--json", "--data", data));
    assert.deepEqual([reaped.ended, [...reaped.waiting].sort()], [[], [...waiting].sort()]);
    await using second = await bench.open();
    assert.deepEqual([...(await second.recover()).resumed].sort(), [...waiting].sort());
    for (const id of waiting) {
      await second.untilServing(id, ME, NEVER);
      assert.equal((await second.finish(id, null, ME)).outcome, "graded");
    }
  });

  it("leaves none that wait where cloche reap is told to end those too", async () => {
    const killed = await killedService(bench, 1, 2);
    const { path } = bench.runtime.data;
    const reaped = JSON.parse(await cloche("reap", "--json", "--waiting", "--data", path));
    assert.deepEqual([[...reaped.ended].sort(), reaped.waiting], [[...killed.all].sort(), []]);
  });

  it("ends those that it cannot go on with: once, as infra_error, with what steps there were", async () => {
    const killed = await killedService(bench, 1, 1);
    const { engine, data } = bench.runtime;
    for (const found of await engine.find(data.owner)) await engine.remove(found);
    await using second = await bench.open();
    await second.recover();
    const [id] = killed.all;
    const events = await eventsOf(second, id ?? "", 0, ME);
    const { record } = await second.view(id ?? "", ME);
    assert.equal(record?.outcome, "infra_error");
    assert.equal(record?.fault?.code, "rollout/interrupted");
    assert.notEqual(record?.bundle, null);
    assert.deepEqual(
      events.map((event) => (event.type === "phase" ? event.phase : event.type)),
      ["requested", "seeded", "serving", "step", "stored"],
    );
  });

  it("keeps the secret of its tokens for itself, and no token anywhere", async () => {
    const { data } = bench.runtime;
    await using service = await bench.open();
    const { id } = await service.request(NOTE, ME);
    const { mcp } = await service.untilServing(id, ME, NEVER);
    assert.ok(mcp && Buffer.from(mcp.token, "base64url").length === 32);
    assert.equal((await stat(join(data.path, "secret"))).mode & 0o777, 0o600);
    for (const file of ["cloche.db", "cloche.db-wal"])
      assert.equal((await readFile(join(data.path, file))).includes(mcp.token), false);
    await service.cancel(id, ME);
  });
});

async function cloche(...args: readonly string[]): Promise<string> {
  const main = fileURLToPath(import.meta.resolve("../../runtime/cli/main.ts"));
  return (await promisify(execFile)(process.execPath, [main, ...args])).stdout;
}

interface Killed {
  readonly all: readonly string[];
  readonly serving: readonly { readonly id: string; readonly token: string }[];
}

/** Asks a service in a process of its own for rollouts, solves those that serve, and kills it. */
async function killedService(
  { runtime, root }: ServiceBench,
  inFlight: number,
  n: number,
): Promise<Killed> {
  const script = fileURLToPath(import.meta.resolve("../support/service-process.ts"));
  const argv = [script, runtime.data.path, root.path, String(inFlight), String(n)];
  const child: ChildProcess = spawn(process.execPath, argv, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  return JSON.parse(text) as Killed;
}
