import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSteps } from "../../runtime/store/step-lines.ts";
import {
  agentOf,
  callTool,
  fixtureServer,
  ROOMY,
  Serving,
  structuredOf,
  textOf,
  untilFrame,
  untilStep,
} from "./proxy-fixture.ts";
import type { RawAgent } from "./raw-agent.ts";

const ODD = fixtureServer("everything-odd.ts");

/** The requests and notifications that the odd server got, as it got them. */
async function seenBy(agent: RawAgent): Promise<Record<string, unknown>[]> {
  const reply = await callTool(agent, "seen", {}, "seen");
  return (structuredOf(reply) as { seen: Record<string, unknown>[] }).seen;
}

test("a call of an unknown tool is refused by the protocol and recorded as invalid", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  const called = await client.callTool("ecko", {});
  const message = 'Unknown tool: ecko; did you mean "echo"?';
  assert.deepEqual(called, { error: { code: -32602, message } });
  const [step] = serving.steps();
  assert.equal(step?.outcome, "invalid_args");
  assert.equal(step?.exposedName, "ecko");
  assert.equal(step?.result, null);
  assert.deepEqual(step?.error, { code: -32602, message });
});

test("a call without a name, or with arguments that are no object, is refused", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const nameless = await agent.ask("tools/call", {}, 1);
  const wrong = await agent.ask("tools/call", { name: "echo", arguments: [1] }, 2);
  for (const reply of [nameless, wrong]) {
    assert.match(reply.text, /"code":-32602/);
  }
  assert.deepEqual(
    serving.steps().map(({ outcome }) => outcome),
    ["invalid_args", "invalid_args"],
  );
});

test("errors keep their code, message and data, and a tool's own error is a result", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const refused = await callTool(agent, "protocol-error", {}, "a");
  assert.deepEqual(refused.messages, [
    {
      jsonrpc: "2.0",
      id: "a",
      error: { code: -32050, message: "own words", data: { why: ["this"] } },
    },
  ]);
  await callTool(agent, "fail", {}, "b");
  await callTool(agent, "no-object", {}, "c");
  const outcomes = serving.steps().map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["protocol_error", "tool_error", "protocol_error"]);
});

test("answers that nobody asked for change nothing", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  assert.equal(textOf(await client.callTool("twice", {})), "first");
  assert.equal(textOf(await client.callTool("echo", { text: "after" })), "after");
  assert.equal(serving.steps().length, 2);
});

test("garbage between the messages is skipped, and too much of it ends the server", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  assert.equal(textOf(await client.callTool("garbage", { lines: 50 })), "after garbage");
  const called = await client.callTool("garbage", { lines: 2_000 });
  assert.match(textOf(called), /is gone: it wrote 1001 lines that are no JSON-RPC/);
  assert.equal(serving.steps()[1]?.outcome, "upstream_lost");
});

test("a flood of notifications is neither passed on nor recorded without end", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const reply = await callTool(agent, "flood", { times: 10_500 }, 1);
  assert.equal(textOf(reply.messages.at(-1)), "flooded");
  assert.equal(reply.messages.length, 10_001);
  const told = serving.frames().filter(({ direction, peer, message }) => {
    return `${direction} ${peer}` === "in server:odd" && message["id"] === undefined;
  });
  assert.equal(told.length, 10_001);
  assert.equal(told.at(-1)?.message["method"], "cloche/dropped");
});

test("results cross as they are, but for the call's id in _meta", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const args = { text: "é\u2028\u0000\ud83d\ude00", list: [1, 1.5, null, {}], __proto__x: 1 };
  const reply = await callTool(agent, "echo", args, 7, { own: "kept", traceparent: "00-aa-bb-01" });
  const result = {
    content: [{ type: "text", text: args.text }],
    structuredContent: { args, meta: { own: "kept", traceparent: "00-aa-bb-01" } },
    _meta: { "test/own": [1, null, { deep: true }], "cloche/call_id": "r1-1" },
    unknownMember: "kept",
  };
  assert.deepEqual(reply.messages, [{ jsonrpc: "2.0", id: 7, result }]);
  const [step] = serving.steps();
  assert.deepEqual(step?.result, result);
  assert.deepEqual(step?.arguments, args);
});

test("methods that the proxy does not know reach a single server with all their params", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const params = { taskId: "t", _meta: { "x/y": 1 } };
  const reply = await agent.ask("tasks/get", params, "q");
  const result = { echoed: params, method: "tasks/get" };
  assert.deepEqual(reply.messages, [{ jsonrpc: "2.0", id: "q", result }]);
  await agent.post({ jsonrpc: "2.0", method: "notifications/own", params: { a: 1 } });
  const notified = (await seenBy(agent)).find((seen) => seen["method"] === "notifications/own");
  assert.deepEqual(notified, { jsonrpc: "2.0", method: "notifications/own", params: { a: 1 } });
});

test("two sessions may use the same ids and each gets its own answers", async () => {
  await using serving = await Serving.open([ODD]);
  const [one, two] = [await agentOf(serving), await agentOf(serving)];
  const replies = await Promise.all([
    callTool(one, "echo", { text: "one" }, 1),
    callTool(two, "echo", { text: "two" }, 1),
    callTool(one, "echo", { text: "text id" }, "1"),
  ]);
  const texts = replies.map(({ messages }) => textOf(messages[0]));
  assert.deepEqual(texts, ["one", "two", "text id"]);
  assert.deepEqual(
    replies.map(({ messages }) => messages[0]?.["id"]),
    [1, 1, "1"],
  );
});

test("progress comes before its answer, under the token that the agent chose", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const reply = await callTool(agent, "progress", {}, 5, { progressToken: "mine" });
  assert.equal(reply.headers["content-type"], "text/event-stream");
  const tokens = reply.messages.map((message) => {
    return (message["params"] as Record<string, unknown> | undefined)?.["progressToken"];
  });
  assert.deepEqual(tokens, ["mine", "mine", "mine", undefined]);
  const sent = serving.frames().find(({ peer, direction, message }) => {
    return peer === "server:odd" && direction === "out" && message["method"] === "tools/call";
  });
  assert.deepEqual(sent?.message.params?.["_meta"], { progressToken: sent?.message["id"] });
});

test("what a server asks reaches the agent whose call it serves, and the answer goes back", async () => {
  await using serving = await Serving.open([ODD]);
  const [agent, other] = [await agentOf(serving), await agentOf(serving)];
  const asking = callTool(agent, "sample", { text: "hi" }, 1);
  const asked = await untilFrame(serving, "sampling/createMessage", "out");
  assert.equal(asked.peer, "agent:1");
  assert.deepEqual(asked.message.params, { maxTokens: 5, args: { text: "hi" } });
  const answer = { jsonrpc: "2.0", id: asked.message["id"], result: { model: "m", text: "yes" } };
  await other.post({ ...answer, result: "forged by another session" });
  await agent.post(answer);
  const reply = await asking;
  assert.equal(reply.messages[0]?.["method"], "sampling/createMessage");
  assert.deepEqual(structuredOf(reply), { answer: { model: "m", text: "yes" } });
});

test("a server that asks while no agent is there gets an error and not silence", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const gone = new AbortController();
  const asking = agent.ask("tools/call", { name: "sample", arguments: {} }, 1, gone.signal);
  await untilFrame(serving, "sampling/createMessage", "out");
  await agent.send({ method: "DELETE" });
  await asking;
  const { structuredContent } = (await untilStep(serving, 1)).result as Record<string, unknown>;
  const error = { code: -32000, message: "the client ended its session" };
  assert.deepEqual(structuredContent, { answer: error });
});

test("a server's log message travels on the way of the call it belongs to", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const reply = await callTool(agent, "log", { said: 1 }, 1);
  assert.deepEqual(reply.messages[0]?.["params"], { level: "info", data: { said: 1 } });
});

test("calls run at the same time up to the budget, further ones wait, and steps say so", async () => {
  const budget = { ...ROOMY, concurrentCalls: 2 };
  await using serving = await Serving.open([ODD], { budget });
  const client = await serving.client();
  await Promise.all([1, 2, 3].map(() => client.callTool("sleep", { ms: 500 })));
  const steps = serving.steps().sort((a, b) => a.step - b.step);
  assert.deepEqual(steps[0]?.overlaps.includes(2), true);
  assert.deepEqual(steps[1]?.overlaps.includes(1), true);
  assert.ok((steps[2]?.queueMs ?? 0) > (steps[0]?.queueMs ?? 0));
  let underWay = 0;
  let most = 0;
  for (const { peer, direction, message } of serving.frames()) {
    if (peer !== "server:odd" || message["id"] === undefined) continue;
    underWay += direction === "out" ? 1 : -1;
    most = Math.max(most, underWay);
  }
  assert.equal(most, 2);
});

test("each step is on disk before its reply leaves, and the steps form a chain", async () => {
  let onDisk: string[] = [];
  const counts: number[] = [];
  await using serving: Serving = await Serving.open([ODD], {
    onStep: () => counts.push(serving.steps().length),
  });
  const agent = await agentOf(serving);
  for (const id of [1, 2, 3]) {
    const reply = await callTool(agent, "echo", { text: `call ${id}` }, id);
    assert.equal(reply.status, 200);
    onDisk = serving.steps().map(({ callId }) => callId);
    assert.equal(onDisk.length, id);
  }
  assert.deepEqual(counts, [1, 2, 3]);
  assert.deepEqual(onDisk, ["r1-1", "r1-2", "r1-3"]);
  const path = join(serving.folder, "steps.jsonl");
  assert.equal((await Array.fromAsync(readSteps(path))).length, 3);
  writeFileSync(path, readFileSync(path, "utf8").replace("call 1", "call 9"));
  await assert.rejects(Array.fromAsync(readSteps(path)), { line: 2 });
});

test("the wire log holds every frame of a call, both ways, verbatim and numbered", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const body = '{"jsonrpc":"2.0",\n "id":"x",  "method":"tools/call","params":{"name":"echo"}}';
  await agent.send({ body });
  const frames = serving.frames();
  assert.deepEqual(
    frames.map(({ seq }) => seq),
    frames.map((_, index) => index + 1),
  );
  const [first = 0, last = 0] = serving.steps()[0]?.wire ?? [];
  const own = frames.filter(({ seq }) => seq >= first && seq <= last);
  assert.deepEqual(
    own.map(({ direction, peer }) => `${direction} ${peer}`),
    ["in agent:1", "out server:odd", "in server:odd", "out agent:1"],
  );
  const folded = readFileSync(join(serving.folder, "wire.jsonl"), "utf8").split("\n")[first - 1];
  assert.ok(folded?.endsWith(`"message":${body.replace("\n", " ")}}`));
});
