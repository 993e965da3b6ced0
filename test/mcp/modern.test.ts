import assert from "node:assert/strict";
import { test } from "node:test";
import { ModernAgent } from "./modern-agent.ts";
import { fixtureServer, ROOMY, Serving } from "./proxy-fixture.ts";
import type { RawReply } from "./raw-agent.ts";

const ODD = fixtureServer("everything-odd.ts");
const FIXTURE = fixtureServer("conformance-server.ts", "fixture");
const CAPABLE = { clientCapabilities: { sampling: {}, elicitation: {}, roots: {} } };

test("headers that do not fit the body, versions and methods that are none, have their own codes", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const call = (name: string, headers: object, args: object = {}) =>
    agent.ask("tools/call", { name, arguments: args }, { headers });
  const cases: [number, number, Promise<RawReply>][] = [
    [400, -32020, call("test_simple_text", { "mcp-method": "" })],
    [400, -32020, call("test_simple_text", { "mcp-method": "tools/list" })],
    [400, -32020, call("test_simple_text", { "mcp-name": "" })],
    [400, -32020, call("test_simple_text", { "mcp-name": "other" })],
    [400, -32020, call("test_simple_text", { "mcp-name": "=?base64?!?=" })],
    [400, -32020, call("test_simple_text", { "mcp-protocol-version": "" })],
    [400, -32020, call("test_simple_text", { "mcp-protocol-version": "2025-11-25" })],
    [400, -32020, call("test_region", {}, { region: "north" })],
    [400, -32020, call("test_region", { "mcp-param-region": "south" }, { region: "north" })],
    [400, -32602, agent.ask("tools/list", {}, { meta: null })],
    [400, -32022, agent.ask("tools/list", {}, { version: "2031-01-01" })],
    [404, -32601, agent.ask("ping", {})],
    [404, -32601, agent.ask("initialize", {})],
    [404, -32601, agent.ask("nothing/known", {})],
  ];
  for (const [index, [status, code, asked]] of cases.entries()) {
    const reply = await asked;
    const { id, error } = reply.messages[0] as { id: unknown; error: { code: number } };
    assert.deepEqual([reply.status, error.code], [status, code], `case ${index}: ${reply.text}`);
    assert.equal(typeof id, "number", "the error answers its request");
  }
  const encoded = `=?base64?${Buffer.from("nörth").toString("base64")}?=`;
  const fits = await call("test_region", { "mcp-param-region": encoded }, { region: "nörth" });
  assert.equal(fits.status, 200, fits.text);
  assert.equal(serving.steps().length, 1, "what was refused is no call");
});

test("without a session there is only POST, and a session's id means nothing", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = new ModernAgent(serving.url, serving.token);
  const headers = { "mcp-protocol-version": "2026-07-28" };
  assert.equal((await agent.raw.send({ method: "GET", headers })).status, 405);
  assert.equal((await agent.raw.send({ method: "DELETE", headers })).status, 405);
  const reply = await agent.ask("tools/list", {}, { headers: { "mcp-session-id": "made up" } });
  assert.equal(reply.status, 200);
});

test("results say what they are and for how long they hold, and discovery shows the pinned surface", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = new ModernAgent(serving.url, serving.token);
  const discovered = await agent.result("server/discover", {});
  assert.deepEqual(discovered["supportedVersions"], ["2026-07-28"]);
  assert.deepEqual(discovered["capabilities"], { tools: {}, logging: {} });
  assert.equal(discovered["resultType"], "complete");
  const listed = await agent.result("tools/list", {});
  assert.deepEqual(listed["tools"], serving.proxy.surface.tools);
  assert.equal(listed["cacheScope"], "private");
  const called = await agent.result("tools/call", { name: "echo", arguments: { text: "hi" } });
  assert.equal(called["resultType"], "complete");
  const result = serving.steps()[0]?.result as Record<string, unknown>;
  assert.equal(result["resultType"], undefined, "the record is the same in both eras");
  const [sent] = serving.sent("tools/call");
  assert.equal(sent?.message.params?.["_meta"], undefined, "the envelope ends at the proxy");
});

test("a requestState is good for its own request, once, and nothing else", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const name = "test_input_required_result_elicitation";
  const asked = await agent.result("tools/call", { name, arguments: {} });
  assert.equal(asked["resultType"], "input_required");
  const { requestState } = asked;
  const inputResponses = { user_name: { action: "accept", content: { name: "Ada" } } };
  const bad = [
    { name, requestState: `${requestState}x`, inputResponses },
    { name: "test_simple_text", requestState, inputResponses },
    { name, requestState, inputResponses: { user_name: 5 } },
    { name, requestState, inputResponses: null },
  ];
  for (const params of bad) {
    const { messages } = await agent.ask("tools/call", params);
    assert.equal(codeOf(messages), -32602);
  }
  const again = await agent.result("tools/call", { name, requestState, inputResponses: {} });
  assert.equal(again["resultType"], "input_required", "what is missing is asked again");
  const state = again["requestState"];
  assert.notEqual(state, requestState);
  const done = await agent.result("tools/call", { name, requestState: state, inputResponses });
  assert.match(JSON.stringify(done["content"]), /Ada/);
  const twice = await agent.ask("tools/call", { name, requestState: state, inputResponses });
  assert.equal(codeOf(twice.messages), -32602);
  assert.deepEqual(
    serving.steps().map(({ step, outcome }) => `${step} ${outcome}`),
    ["1 ok"],
  );
});

test("a call that waits for its agent holds no slot, and is cancelled when the rollout ends", async () => {
  const budget = { ...ROOMY, concurrentCalls: 1 };
  await using serving = await Serving.open([FIXTURE], { ...CAPABLE, budget, drainMs: 1 });
  const agent = new ModernAgent(serving.url, serving.token);
  const name = "test_input_required_result_elicitation";
  const asked = await agent.result("tools/call", { name, arguments: {} });
  assert.equal(asked["resultType"], "input_required");
  await agent.result("tools/call", { name: "test_simple_text", arguments: {} });
  await serving.proxy.finish({ kind: "submitted", answer: null });
  assert.deepEqual(
    serving.steps().map(({ tool, outcome }) => `${tool} ${outcome}`),
    ["test_simple_text ok", `${name} cancelled`],
  );
  const late = await agent.result("tools/call", { name: "test_simple_text", arguments: {} });
  assert.match(JSON.stringify(late), /The rollout is over/);
});

test("a server that asks for what the client cannot do is told so with the modern code", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token, { elicitation: {} });
  const reply = await agent.ask("tools/call", { name: "test_missing_capability", arguments: {} });
  const { error } = reply.messages[0] as { error: { code: number; data: unknown } };
  assert.deepEqual([reply.status, error.code], [400, -32021]);
  assert.deepEqual(error.data, { requiredCapabilities: { sampling: {} } });
});

test("log messages come for requests that name a level, from that level on", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const logged = async (level?: string) => {
    const meta = level === undefined ? {} : { "io.modelcontextprotocol/logLevel": level };
    const params = { name: "test_tool_with_logging", arguments: {} };
    const { messages } = await agent.ask("tools/call", params, { meta });
    return messages.filter(({ method }) => method === "notifications/message").length;
  };
  assert.deepEqual([await logged(), await logged("info"), await logged("error")], [0, 3, 0]);
});

test("a listener hears what it asked for under its own id, and the end of the rollout", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const uri = "test://watched-resource";
  const notifications = {
    promptsListChanged: true,
    toolsListChanged: true,
    resourceSubscriptions: [uri],
  };
  const listening = agent.ask("subscriptions/listen", { notifications });
  await serving.until(() => serving.sent("resources/subscribe")[0]);
  await agent.result("tools/call", { name: "test_trigger_tool_change", arguments: {} });
  await agent.result("tools/call", { name: "test_trigger_prompt_change", arguments: {} });
  await serving.until(() => serving.sent("notifications/prompts/list_changed")[0]);
  await serving.proxy.finish({ kind: "submitted", answer: null });
  const { messages } = await listening;
  assert.deepEqual(
    messages.map(({ method }) => method),
    ["notifications/subscriptions/acknowledged", "notifications/prompts/list_changed", undefined],
  );
  const [acknowledged, change, end] = messages as {
    id: number;
    params: { notifications: object; _meta: Record<string, unknown> };
  }[];
  assert.deepEqual(acknowledged?.params.notifications, {
    promptsListChanged: true,
    resourceSubscriptions: [uri],
  });
  assert.equal(change?.params._meta["io.modelcontextprotocol/subscriptionId"], end?.id);
});

test("a resource that is not there is invalid params in the modern era, whatever its server says", async () => {
  await using serving = await Serving.open([FIXTURE], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const reply = await agent.ask("resources/read", { uri: "test://none" });
  const { error } = reply.messages[0] as { error: { code: number; data: unknown } };
  assert.deepEqual([error.code, error.data], [-32602, { uri: "test://none" }]);
});

test("of joined servers, prompts are told apart like tools and resources find their owner", async () => {
  const other = { ...FIXTURE, name: "other" };
  await using serving = await Serving.open([FIXTURE, other, ODD], CAPABLE);
  const agent = new ModernAgent(serving.url, serving.token);
  const { prompts } = (await agent.result("prompts/list", {})) as { prompts: { name: string }[] };
  assert.equal(prompts.length, 10);
  assert.equal(prompts[5]?.name, "other__test_simple_prompt");
  const got = await agent.result("prompts/get", { name: "other__test_simple_prompt" });
  assert.match(JSON.stringify(got), /simple prompt/);
  const [sent] = serving.sent("prompts/get");
  assert.deepEqual(
    [sent?.peer, sent?.message.params?.["name"]],
    ["server:other", "test_simple_prompt"],
  );
  const ref = { type: "ref/prompt", name: "other__test_prompt_with_arguments" };
  await agent.result("completion/complete", { ref, argument: { name: "arg1", value: "p" } });
  assert.equal(serving.sent("completion/complete")[0]?.peer, "server:other");
  const read = await agent.result("resources/read", { uri: "test://template/9/data" });
  assert.match(JSON.stringify(read), /Data for ID: 9/);
});

function codeOf([message]: RawReply["messages"]): number {
  return (message as { error: { code: number } }).error.code;
}
