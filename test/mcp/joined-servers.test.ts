import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { agentOf, callTool, fixtureServer, Serving, textOf } from "./proxy-fixture.ts";

const ODD = fixtureServer("everything-odd.ts");

test("tools keep their names when none are the same, and the surface is pinned by a hash", async () => {
  await using serving = await Serving.open([ODD, fixtureServer("sdk-server.ts", "sdk")]);
  const client = await serving.client();
  const tools = await client.listTools();
  const names = tools.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 2), ["echo", "sleep"]);
  assert.deepEqual(names.slice(-3), ["nap", "count", "ask-model"]);
  assert.deepEqual(tools, serving.proxy.surface.tools);
  assert.equal(serving.proxy.surface.sha256, sha256(canonicalJson(tools)));
  assert.equal(textOf(await client.callTool("nap", { ms: 1 })), "slept 1");
  assert.equal(serving.steps()[0]?.server, "sdk");
});

test("tools of two servers with the same names are told apart by the server's name", async () => {
  await using serving = await Serving.open([ODD, { ...ODD, name: "odder" }]);
  const client = await serving.client();
  const names = (await client.listTools()).map(({ name }) => name);
  assert.deepEqual([names[0], names.at(-1)], ["odd__echo", "odder__flood"]);
  assert.equal(textOf(await client.callTool("odder__echo", { text: "hi" })), "hi");
  const [step] = serving.steps();
  assert.deepEqual([step?.server, step?.tool, step?.exposedName], ["odder", "echo", "odder__echo"]);
});

test("of joined servers a method goes to those that can do it, and to none if nobody can", async () => {
  await using serving = await Serving.open([ODD, fixtureServer("sdk-server.ts", "sdk")]);
  const agent = await agentOf(serving);
  const level = await agent.ask("logging/setLevel", { level: "error" }, 1);
  assert.equal(level.messages[0]?.["error"], undefined);
  const unknown = await agent.ask("resources/list", {}, 2);
  const error = { code: -32601, message: "Method not found: resources/list" };
  assert.deepEqual(unknown.messages[0]?.["error"], error);
});

test("a server that changes its tools does not change what the agent is shown", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const before = await agent.ask("tools/list", {}, 1);
  await callTool(agent, "echo", {}, 2);
  const after = await agent.ask("tools/list", {}, 1);
  assert.deepEqual(after.messages, before.messages);
  const toServer = serving.frames().filter(({ peer }) => peer === "server:odd");
  assert.equal(toServer.filter(({ message }) => message["method"] === "tools/list").length, 1);
});
