import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
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

const ODD = fixtureServer("everything-odd.ts");

/** How often the server was asked for a tool's call. */
function callsAtServer(serving: Serving): number {
  const sent = serving.frames().filter(({ peer, direction }) => {
    return peer.startsWith("server:") && direction === "out";
  });
  return sent.filter(({ message }) => message["method"] === "tools/call").length;
}

test("a call over the budget is a tool error that says so, and then the rollout ends", async () => {
  await using serving = await Serving.open([ODD], { budget: { ...ROOMY, calls: 2 } });
  const client = await serving.client();
  await client.callTool("echo", { text: 1 });
  await client.callTool("echo", { text: 2 });
  const denied = await client.callTool("echo", { text: 3 });
  assert.match(textOf(denied), /budget of 2 calls is used up: this call was not made/);
  assert.equal("result" in denied && denied.result["isError"], true);
  assert.deepEqual(await serving.proxy.ended, { kind: "budget", which: "calls" });
  const again = await client.callTool("echo", { text: 4 });
  assert.match(textOf(again), /budget of 2 calls is used up/);
  assert.deepEqual(
    serving.steps().map(({ outcome }) => outcome),
    ["ok", "ok", "denied_budget", "denied_budget"],
  );
  assert.equal(callsAtServer(serving), 2);
});

test("an agent that says more than the runtime takes is told so and ends by its budget", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  const text = "a".repeat(20_000_000);
  await client.callTool("echo", { text });
  const denied = await client.callTool("echo", { text });
  assert.match(textOf(denied), /said more than 33554432 bytes .* this call was not made/);
  assert.deepEqual(await serving.proxy.ended, { kind: "budget", which: "bytes" });
  const [taken, refused] = serving.steps();
  assert.deepEqual([taken?.outcome, refused?.outcome], ["protocol_error", "denied_budget"]);
  assert.match(taken?.error?.message ?? "", /withheld: it has 400\d+ bytes \(sha256 /);
  assert.deepEqual([refused?.arguments, refused?.upstreamMs], [{}, 0]);
});

test("many small values count for what they take in memory", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const lists = new Array(200_000).fill([]);
  for (const id of [1, 2]) await agent.ask("ping", { lists }, id);
  const reply = await agent.ask("ping", { lists }, 3);
  assert.match(JSON.stringify(reply.messages), /said more than/);
  assert.deepEqual(await serving.proxy.ended, { kind: "budget", which: "bytes" });
});

test("a message too long for HTTP is an answer to its caller and no loss of the endpoint", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  const answer = await client.callTool("echo", { text: "a".repeat(65 * 1024 * 1024) });
  assert.match("error" in answer ? answer.error.message : "", /larger than 67108864 bytes/);
});

test("of a frame over 512 Ki letters the wire log keeps the beginning and the hash", async () => {
  const budget = { ...ROOMY, resultBytes: 10_000 };
  await using serving = await Serving.open([ODD], { budget });
  const client = await serving.client();
  await client.callTool("huge", { text: "0123456789", times: 100_000 });
  const cut = serving.frames().flatMap(({ message }) => message["cloche/left_out"] ?? []);
  assert.equal(cut.length, 1);
  const { bytes, sha256, head } = cut[0] as { bytes: number; sha256: string; head: string };
  assert.ok(bytes > 1_000_000);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.match(head, /^\{.*0123456789/);
});

test("when the time is over, calls under way and waiting end as timeouts", async () => {
  const budget = { ...ROOMY, wallMs: 1_500, concurrentCalls: 1 };
  await using serving = await Serving.open([ODD], { budget });
  const client = await serving.client();
  const called = await Promise.all([client.callTool("hang", {}), client.callTool("hang", {})]);
  for (const reply of called) assert.match(textOf(reply), /time of 1.5 s is over/);
  assert.deepEqual(await serving.proxy.ended, { kind: "budget", which: "wall" });
  const late = await client.callTool("echo", {});
  assert.match(textOf(late), /time of 1.5 s is over. This call was not made/);
  const outcomes = serving.steps().map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["timeout", "timeout", "denied_budget"]);
  await untilFrame(serving, "notifications/cancelled", "out");
});

test("a result over the budget is cut in the middle and says so in its own text", async () => {
  const budget = { ...ROOMY, resultBytes: 2_000 };
  await using serving = await Serving.open([ODD], { budget });
  const client = await serving.client();
  const called = await client.callTool("huge", { text: "0123456789", times: 10_000 });
  assert.match(
    textOf(called),
    /^0123456789.*bytes left out here: a result may hold 2000 bytes.*9$/s,
  );
  const [step] = serving.steps();
  assert.equal(step?.outcome, "ok");
  assert.ok((step?.truncated?.from ?? 0) > 100_000);
  assert.ok((step?.truncated?.to ?? 2_001) <= 2_000);
  const whole = serving.frames().filter(({ message }) => JSON.stringify(message).length > 100_000);
  assert.equal(whole.length, 1, "the wire log keeps what the server said");
});

test("after the rollout is finished calls are refused, recorded and reach no server", async () => {
  await using serving = await Serving.open([ODD], { drainMs: 5_000 });
  const agent = await agentOf(serving);
  const slow = callTool(agent, "sleep", { ms: 2_000 }, 1);
  await untilFrame(serving, "tools/call", "out");
  const finished = serving.proxy.finish({ kind: "submitted", answer: "42" });
  const late = await callTool(agent, "echo", {}, 2);
  assert.match(textOf(late.messages[0]), /rollout is over \(submitted\): this call was not made/);
  const other = await agent.ask("tasks/get", {}, 3);
  assert.match(other.text, /the rollout is over/);
  assert.equal(textOf((await slow).messages.at(-1)), "slept");
  await finished;
  assert.deepEqual(await serving.proxy.ended, { kind: "submitted", answer: "42" });
  assert.deepEqual(
    serving.steps().map(({ step, outcome }) => [step, outcome]),
    [
      [2, "denied_policy"],
      [1, "ok"],
    ],
  );
  assert.equal(callsAtServer(serving), 1);
});

test("what is recorded stays as it is once finish has resolved", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  await client.callTool("echo", { text: "hi" });
  await serving.proxy.finish({ kind: "cancelled" });
  const size = statSync(join(serving.folder, "steps.jsonl")).size;
  assert.match(textOf(await client.callTool("echo", {})), /rollout is over/);
  assert.equal(statSync(join(serving.folder, "steps.jsonl")).size, size);
  assert.equal(serving.proxy.stepCount, 1);
});

test("calls that outlast the end of a rollout are given up and recorded", async () => {
  await using serving = await Serving.open([ODD], { drainMs: 50 });
  const client = await serving.client();
  const hanging = client.callTool("hang", {});
  await untilFrame(serving, "tools/call", "out");
  await serving.proxy.finish({ kind: "submitted", answer: null });
  assert.match(textOf(await hanging), /not waited for/);
  assert.deepEqual(
    serving.steps().map(({ outcome }) => outcome),
    ["cancelled"],
  );
});

test("a reply whose step cannot be written does not leave, and the rollout fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-full-"));
  try {
    symlinkSync("/dev/full", join(folder, "steps.jsonl"));
    await using serving = await Serving.open([ODD], { folder });
    const client = await serving.client();
    const calling = client.callTool("echo", {}).catch((error: Error) => error);
    await assert.rejects(serving.proxy.ended, { code: "mcp/record-failed", blame: "store" });
    await serving[Symbol.asyncDispose]();
    assert.ok((await calling) instanceof Error, "the call never got its answer");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an aborted signal ends the rollout as cancelled", async () => {
  const abort = new AbortController();
  await using serving = await Serving.open([ODD], { signal: abort.signal });
  abort.abort();
  assert.deepEqual(await serving.proxy.ended, { kind: "cancelled" });
});

test("a server that dies fails its calls, and later ones, with its name and how it ended", async () => {
  await using serving = await Serving.open([ODD, { ...ODD, name: "other" }]);
  const client = await serving.client();
  const hanging = client.callTool("odd__hang", {});
  const died = await client.callTool("odd__die", {});
  const gone = /The server "odd" is gone: it ended with exit code 3\. It is not started again\./;
  assert.match(textOf(died), gone);
  assert.match(textOf(await hanging), gone);
  const later = await client.callTool("odd__echo", {});
  assert.match(textOf(later), /This call was not made/);
  assert.equal(textOf(await client.callTool("other__echo", { text: "alive" })), "alive");
  const outcomes = serving.steps().map(({ outcome }) => outcome);
  assert.deepEqual(outcomes.sort(), ["ok", "upstream_lost", "upstream_lost", "upstream_lost"]);
  assert.equal(serving.proxy.stderrTails["odd"], "about to die\n");
});

test("a sandbox that dies under a call ends the rollout and says whether memory was why", async () => {
  await using serving = await Serving.open([ODD]);
  const client = await serving.client();
  const hanging = client.callTool("hang", {});
  await untilFrame(serving, "tools/call", "out");
  await serving.box.die(true);
  assert.match(textOf(await hanging), /is gone/);
  assert.deepEqual(await serving.proxy.ended, { kind: "sandbox_died", outOfMemory: true });
  assert.equal(serving.steps()[0]?.outcome, "upstream_lost");
});

test("a call that the agent cancels ends as cancelled and the server hears of it by its own id", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const hanging = callTool(agent, "hang", {}, "mine");
  const sent = await untilFrame(serving, "tools/call", "out");
  const params = { requestId: "mine", reason: "changed my mind" };
  await agent.post({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  assert.deepEqual((await hanging).messages, [], "a cancelled request is not answered");
  assert.equal((await untilStep(serving, 1)).outcome, "cancelled");
  const seen = structuredOf(await callTool(agent, "seen", {}, 2)) as { seen: object[] };
  const told = { requestId: sent.message["id"], reason: "changed my mind" };
  const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: told };
  assert.deepEqual(seen.seen[1], cancelled);
});

test("one session cannot cancel the calls of another", async () => {
  await using serving = await Serving.open([ODD]);
  const [agent, other] = [await agentOf(serving), await agentOf(serving)];
  const sleeping = callTool(agent, "sleep", { ms: 200 }, 1);
  await untilFrame(serving, "tools/call", "out");
  await other.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
  assert.equal(textOf((await sleeping).messages.at(-1)), "slept");
});

test("an agent that vanishes in the middle of a call has not cancelled it", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const gone = new AbortController();
  const params = { name: "sleep", arguments: { ms: 1_000 } };
  const asking = agent.ask("tools/call", params, 1, gone.signal);
  await untilFrame(serving, "tools/call", "out");
  gone.abort();
  await assert.rejects(asking);
  assert.equal((await untilStep(serving, 1)).outcome, "ok");
  assert.equal(textOf((await callTool(agent, "echo", { text: "back" }, 2)).messages[0]), "back");
});

test("ending a session ends neither its calls nor the servers", async () => {
  await using serving = await Serving.open([ODD]);
  const [agent, other] = [await agentOf(serving), await agentOf(serving)];
  const asking = callTool(agent, "sleep", { ms: 200 }, 1);
  await untilFrame(serving, "tools/call", "out");
  assert.equal((await agent.send({ method: "DELETE" })).status, 200);
  await asking;
  assert.equal((await agent.ask("ping", {}, 2)).status, 404);
  assert.equal((await untilStep(serving, 1)).outcome, "ok");
  assert.equal(textOf((await callTool(other, "echo", { text: "on" }, 1)).messages[0]), "on");
});

test("a rollout of many kinds of calls leaves a whole chain", async () => {
  await using serving = await Serving.open([ODD], { budget: { ...ROOMY, calls: 20 } });
  const client = await serving.client();
  const names = ["echo", "fail", "nothing", "protocol-error", "sleep", "log", "progress"];
  await Promise.all(names.map((name) => client.callTool(name, { ms: 30 })));
  await client.callTool("die", {});
  await client.callTool("echo", {});
  await serving.proxy.finish({ kind: "submitted", answer: null });
  const steps = await Array.fromAsync(readSteps(join(serving.folder, "steps.jsonl")));
  const numbers = steps.map(({ step }) => step);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});
