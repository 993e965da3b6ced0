import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cloche, ClocheError, textOf } from "../../runtime/api/client/client.ts";
import { smallTask } from "../support/small-task.ts";
import { keyFile, type Serving, serve } from "./serve.ts";

const NOTE = { task: "test/note" };
const PATH = "/workspace/note.txt";
const WELL = { path: PATH, content: "hello-1\n" };
/** Longer than a start takes, whatever the dice say. */
const PATIENT = { attempts: 200, firstPauseMs: 100, longestPauseMs: 300 };

describe("the TypeScript client and a service with keys", () => {
  const stack = new AsyncDisposableStack();
  let service: Serving;
  let mine: Cloche;
  let theirs: Cloche;

  before(async () => {
    const root = stack.use(await smallTask());
    const { path, keys } = stack.use(await keyFile(["mine", "theirs"]));
    service = stack.use(await serve(root.path, { args: ["--keys", path] }));
    mine = new Cloche({ url: service.url, key: keys.mine, retry: PATIENT });
    theirs = new Cloche({ url: service.url, key: keys.theirs });
  });
  after(() => stack.disposeAsync());

  it("are refused without a key and with an unknown one", async () => {
    for (const key of [undefined, "cloche-guessed"]) {
      const cloche = new Cloche({ url: service.url, ...(key && { key }) });
      await assert.rejects(cloche.rollout(NOTE), { code: "api/no-key", status: 401 });
      await assert.rejects(cloche.tasks(), { code: "api/no-key" });
    }
  });

  it("see nothing of another key's rollouts", async () => {
    await using rollout = await mine.rollout({ ...NOTE, group: "mine" });
    const hidden = { code: "rollout/unknown", status: 404 };
    await assert.rejects(theirs.get(rollout.id), hidden);
    await assert.rejects(theirs.attach(rollout.id), hidden);
    await assert.rejects(theirs.cancel(rollout.id), hidden);
    assert.deepEqual(await Array.fromAsync(theirs.rollouts({ group: "mine" })), []);
    assert.equal((await mine.get(rollout.id)).phase, "serving");
  });

  it("play a rollout with every verb, within limits and a group of their own", async () => {
    const request = {
      ...NOTE,
      group: "one-by-one",
      limits: { openFiles: 200 },
      budget: { calls: 9 },
    };
    await using rollout = await mine.rollout(request);
    const following = Array.fromAsync(rollout.events());
    await rollout.call("write_file", WELL);
    const client = await rollout.mcp();
    assert.equal((await client.listTools()).tools.length, (await rollout.tools()).length);
    const record = await rollout.finish("done");
    assert.equal(record.reward?.sparse, 1);
    assert.deepEqual([record.limits.openFiles, record.budget.calls], [200, 9]);
    assert.equal((await following).at(-1)?.type, "phase");
    const tar = new Uint8Array(await new Response(await rollout.bundle()).arrayBuffer());
    assert.equal((await mine.grade(tar)).same, true);
    const listed = await Array.fromAsync(mine.rollouts({ group: "one-by-one" }));
    assert.deepEqual(
      listed.map(({ id, group }) => [id, group]),
      [[rollout.id, "one-by-one"]],
    );
    await assert.rejects(mine.rollout({ ...request, limits: { openFiles: 1e9 } }), {
      code: "rollout/bad-request",
      status: 400,
    });
  });

  it("play a member again whose sandbox was lost, and the group ends whole", async () => {
    await using group = await mine.group({ ...NOTE, n: 2 });
    const played: string[] = [];
    const ended = await group.play(async (rollout, member) => {
      played.push(rollout.id);
      if (member === 0 && rollout.view.attempt === 1) await service.loseSandbox(rollout.id);
      await rollout.call("write_file", WELL);
      return "done";
    });
    assert.deepEqual([ended.gradable, ended.shortfall, ended.lost.length], [2, [], 1]);
    assert.equal(ended.lost[0]?.outcome, "infra_error");
    assert.equal(ended.members[0]?.attempt, 2);
    assert.equal(new Set(played).size, 3);
    assert.ok(ended.members.every(({ record }) => record?.reward?.sparse === 1));
  });

  it("go on where they were when the service was killed and started again", async () => {
    await using rollout = await mine.rollout({ ...NOTE, leaseMs: 5_000 });
    const following = Array.fromAsync(rollout.events());
    await rollout.call("write_file", WELL);
    const cut = rollout.call("run_command", { command: "sleep 60" });
    cut.catch(() => {});
    while ((await rollout.steps()).length < 1) await sleep(20);
    await sleep(300);
    await service.crash();
    await assert.rejects(cut, (error) => {
      assert.ok(error instanceof ClocheError && error.code === "client/unreachable");
      return true; // It may have been run: it is not made again.
    });
    const reading = rollout.call("read_text_file", { path: PATH }); // Nobody is there to hear it.
    const asking = mine.rollout({ ...NOTE, variant: 2 });
    await service.startAgain();
    assert.equal(textOf(await reading), "hello-1\n");
    await (await asking).cancel();
    await sleep(6_000); // Longer than the lease: its heart beats on.
    assert.equal((await mine.get(rollout.id)).phase, "serving");
    const record = await rollout.finish("done");
    assert.equal(record.reward?.sparse, 1, JSON.stringify(record.fault));
    const events = await following;
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    const steps = (await rollout.steps()).map(({ tool, outcome }) => `${tool} ${outcome}`);
    assert.deepEqual(steps.sort(), [
      "read_text_file ok",
      "run_command interrupted",
      "write_file ok",
    ]);
  });
});
