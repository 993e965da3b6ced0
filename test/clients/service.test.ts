import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Cloche,
  ClocheError,
  type Rollout,
  type RolloutFilter,
  textOf,
} from "../../runtime/api/client/client.ts";
import { smallTask } from "../support/small-task.ts";
import { serve } from "./serve.ts";

const NOTE = { task: "test/note" };
const NOTE_FILE = "/workspace/note.txt";

describe("the TypeScript client and cloche serve", () => {
  const stack = new AsyncDisposableStack();
  let cloche: Cloche;
  let url: string;

  before(async () => {
    const root = stack.use(await smallTask());
    ({ url } = stack.use(await serve(root.path)));
    cloche = new Cloche({ url });
  });
  after(() => stack.disposeAsync());

  async function writeNote(rollout: Rollout, text = "hello-1"): Promise<void> {
    const result = await rollout.call("write_file", { path: NOTE_FILE, content: text });
    assert.notEqual(result.isError, true, textOf(result));
  }

  it("refuse an unknown task, rollout and field with codes and statuses", async () => {
    const refused = async (asked: Promise<unknown>, code: string, status: number) => {
      await assert.rejects(asked, (error: unknown) => {
        assert.ok(error instanceof ClocheError, String(error));
        assert.deepEqual([error.code, error.status], [code, status]);
        assert.ok(error.advice !== "" && error.message.includes(error.advice), error.message);
        return true;
      });
    };
    await refused(cloche.rollout({ task: "test/nothing" }), "task/unknown", 404);
    await refused(cloche.get("nothing"), "rollout/unknown", 404);
    await refused(cloche.cancel("nothing"), "rollout/unknown", 404);
    await refused(cloche.group({ ...NOTE, n: 0 }), "api/bad-request", 400);
    await refused(cloche.rollout({ ...NOTE, varriant: 2 } as never), "api/bad-request", 400);
  });

  it("list the tasks", async () => {
    const tasks = await cloche.tasks();
    assert.deepEqual(
      tasks.map(({ id, variants }) => [id, variants.count]),
      [["test/note", 2]],
    );
  });

  it("play a rollout from request to reward", async () => {
    await using rollout = await cloche.rollout({ ...NOTE, labels: { run: "a" }, policy: "me" });
    assert.equal(rollout.instruction, "Write the line hello-1 into /workspace/note.txt.\n");
    assert.equal(rollout.view.phase, "serving");
    await writeNote(rollout);
    const calls = [
      { name: "read_text_file", arguments: { path: NOTE_FILE } },
      { name: "read_text_file", arguments: { path: "/workspace/nothing" } },
      { name: "nonsense", arguments: {} },
    ];
    const [read, missing, nonsense] = await rollout.callAll(calls);
    assert.equal(textOf(read ?? {}), "hello-1");
    assert.deepEqual([missing?.isError, missing?.error], [true, undefined]);
    assert.deepEqual([nonsense?.isError, nonsense?.error?.code], [true, -32602]);
    assert.equal(textOf(nonsense ?? {}), nonsense?.error?.message);
    await assert.rejects(rollout.call("nonsense"), { code: "client/tool-protocol-error" });
    assert.equal((await rollout.steps()).length, 5);
    assert.equal((await rollout.steps({ after: 4 })).length, 1);
    const record = await rollout.finish("done");
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 });
    assert.deepEqual([record.policy, record.labels], ["me", { run: "a" }]);
    assert.deepEqual(record.ending, { kind: "submitted", answer: "done" });
    assert.deepEqual(await rollout.finish("again"), record);
    assert.deepEqual((await cloche.get(rollout.id)).record, record);
  });

  it("show the tools in the form that a model's API takes", async () => {
    await using rollout = await cloche.rollout(NOTE);
    const tools = await rollout.tools();
    const names = tools.map(({ name }) => name);
    assert.ok(names.includes("write_file"));
    const openai = await rollout.tools("openai");
    assert.deepEqual(
      openai.map((tool) => tool.function.name),
      names,
    );
    const anthropic = await rollout.tools("anthropic");
    assert.deepEqual(anthropic[0]?.input_schema, tools[0]?.["inputSchema"]);
  });

  it("connect the official MCP client", async () => {
    await using rollout = await cloche.rollout(NOTE);
    const client = await rollout.mcp();
    const { tools } = await client.listTools();
    assert.ok(tools.some(({ name }) => name === "write_file"));
    const args = { path: NOTE_FILE, content: "hello-1\n" };
    await client.callTool({ name: "write_file", arguments: args });
    const { reward, steps } = await rollout.finish();
    assert.deepEqual([reward?.sparse, steps], [1, 1]);
  });

  it("follow a rollout while it goes on and after its end", async () => {
    await using rollout = await cloche.rollout(NOTE);
    const following = Array.fromAsync(rollout.events());
    await writeNote(rollout);
    await rollout.finish();
    const events = await following;
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    assert.deepEqual(
      events.flatMap((event) => (event.type === "phase" ? [event.phase] : [])),
      ["requested", "seeded", "serving", "finished", "captured", "graded", "stored"],
    );
    const steps = events.flatMap((event) => (event.type === "step" ? [event.step.tool] : []));
    assert.deepEqual(steps, ["write_file"]);
    assert.deepEqual(await Array.fromAsync(rollout.events()), events);
    assert.deepEqual(await Array.fromAsync(rollout.events({ after: 3 })), events.slice(3));
  });

  it("grade a rollout and a bundle again, byte for byte the same", async () => {
    await using rollout = await cloche.rollout(NOTE);
    await writeNote(rollout, "wrong");
    await rollout.finish();
    const again = await cloche.grade(rollout.id);
    assert.deepEqual([again.same, again.grade.reward], [true, { sparse: 0, dense: 0.25, gain: 0 }]);
    const tar = new Uint8Array(await new Response(await rollout.bundle()).arrayBuffer());
    assert.deepEqual((await cloche.grade(tar)).grade, again.grade);
    assert.equal((await cloche.grade(rollout.id, { grader: "current" })).rollout, rollout.id);
  });

  it("read what has ended by its id, however it ended", async () => {
    let id: string;
    {
      await using rollout = await cloche.rollout({ ...NOTE, policy: "reader" });
      ({ id } = rollout);
      await writeNote(rollout);
      await assert.rejects(cloche.ended(id), { code: "client/not-ended" });
    }
    const ended = await new Cloche({ url }).ended(id);
    assert.deepEqual([ended.record.outcome, ended.reward], ["cancelled", null]);
    assert.deepEqual(
      (await ended.steps()).map(({ tool }) => tool),
      ["write_file"],
    );
    const events = await Array.fromAsync(ended.events());
    assert.equal(events.filter(({ type }) => type === "step").length, 1);
    const tar = new Uint8Array(await new Response(await ended.bundle()).arrayBuffer());
    assert.equal((await cloche.grade(tar)).bundle, ended.record.bundle);
    assert.equal((await ended.grade()).grade.reward?.sparse, 1);
  });

  it("list records by what is said", async () => {
    await using rollout = await cloche.rollout({ ...NOTE, policy: "lister", reward: "dense" });
    await writeNote(rollout, "wrong");
    const record = await rollout.finish();
    assert.equal(record.split, "train");
    const at = new Date(record.requestedAt);
    const fits: readonly RolloutFilter[] = [
      { since: at, until: new Date(at.getTime() + 1) },
      { since: record.requestedAt.slice(0, 10), split: "train", outcome: "graded" },
      { minReward: 0.25, maxReward: 0.25 },
      { minReward: 0, id: record.id.slice(0, 9) },
    ];
    const listed = async (filter: RolloutFilter) =>
      (await Array.fromAsync(cloche.rollouts({ policy: "lister", ...filter }))).map(({ id }) => id);
    for (const filter of fits) assert.deepEqual(await listed(filter), [record.id]);
    const others: readonly RolloutFilter[] = [
      { until: at },
      { split: "holdout" },
      { outcome: "none" },
      { minReward: 0.5 },
      { maxReward: 0 },
    ];
    for (const filter of others) assert.deepEqual(await listed(filter), [], JSON.stringify(filter));
  });

  it("keep an idle rollout alive by their heartbeat, and cancel what is left", async () => {
    let id: string;
    {
      await using rollout = await cloche.rollout({ ...NOTE, leaseMs: 5_000 });
      ({ id } = rollout);
      await sleep(7_000);
      assert.equal((await cloche.get(id)).phase, "serving");
    }
    const { phase, outcome, record } = await cloche.get(id);
    assert.deepEqual([phase, outcome, record?.reward], ["stored", "cancelled", null]);
  });

  it("hand a rollout from one worker to another", async () => {
    const rollout = await cloche.rollout(NOTE);
    await rollout.release();
    await using taken = await new Cloche({ url }).attach(rollout.id);
    await writeNote(taken);
    assert.equal((await taken.finish()).reward?.sparse, 1);
    await assert.rejects(cloche.attach(rollout.id), { code: "client/rollout-ended" });
  });

  it("play a group, whose members are listed with the rest", async () => {
    await using group = await cloche.group({ ...NOTE, n: 3, policy: "group" });
    const view = await group.play(async (rollout, member) => {
      await writeNote(rollout, member === 2 ? "wrong" : "hello-1");
      if (member === 1) throw new Error("the model is not there");
      return "done";
    });
    assert.equal(view.gradable, 2);
    assert.deepEqual(
      view.members.map(({ member, error, record }) => [member, error, record?.reward?.sparse]),
      [
        [0, undefined, 1],
        [1, new Error("the model is not there"), undefined],
        [2, undefined, 0],
      ],
    );
    const listed = await Array.fromAsync(cloche.rollouts({ policy: "group" }));
    const ids = (rollouts: readonly { id: string }[]) => rollouts.map(({ id }) => id).sort();
    assert.deepEqual(ids(listed), ids(view.members));
    assert.equal((await cloche.getGroup(group.id)).ended, true);
  });

  it("cancel the members of a group that is left unplayed", async () => {
    let id: string;
    {
      await using group = await cloche.group({ ...NOTE, n: 2 });
      ({ id } = group);
      assert.match((await group.member(0)).mcpUrl, /\/mcp$/);
    }
    const { members } = await cloche.getGroup(id);
    assert.deepEqual(
      members.map(({ outcome }) => outcome),
      ["cancelled", "cancelled"],
    );
  });
});
