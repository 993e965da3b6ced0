import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore } from "../../runtime/mcp/door/event-store.ts";
import { agentOf, callTool, fixtureServer, Serving, textOf } from "./proxy-fixture.ts";
import { RawAgent } from "./raw-agent.ts";

const ODD = fixtureServer("everything-odd.ts");

test("an event that nobody knows cannot be resumed from", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  for (const id of ["1-0", "x", "1-1-1", "99-99"]) {
    const reply = await agent.send({ method: "GET", headers: { "last-event-id": id } });
    assert.equal(reply.status, 400, id);
  }
});

test("an answer that its client missed is fetched with the last event that it saw", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const first = await brokenCall(serving, agent, "sleep", { ms: 300 });
  assert.match(first, /^id: 1-0\nretry: 1000\ndata: \n\n$/);
  await serving.until(() => serving.steps()[0]);
  const rest = await agent.send({ method: "GET", headers: { "last-event-id": "1-0" } });
  assert.equal(textOf(rest.messages[0]), "slept");
  assert.match(rest.text, /^event: message\nid: 1-1\ndata: /);
  const again = await agent.send({ method: "GET", headers: { "last-event-id": "1-1" } });
  assert.equal(again.text, "");
  assert.deepEqual(
    serving.steps().map(({ outcome }) => outcome),
    ["ok"],
    "going away is no cancelling",
  );
});

test("a stream that is resumed before its answer is there gets it as it comes", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  await brokenCall(serving, agent, "sleep", { ms: 700 });
  const rest = await agent.send({ method: "GET", headers: { "last-event-id": "1-0" } });
  assert.equal(textOf(rest.messages[0]), "slept");
});

test("clients of before 2025-11-25 get no event without a message", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = new RawAgent(serving.url, serving.token);
  const clientInfo = { name: "old", version: "1" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
  const reply = await agent.ask("initialize", params, 0);
  agent.session = String(reply.headers["mcp-session-id"]);
  const slow = await callTool(agent, "sleep", { ms: 200 }, 1);
  assert.match(slow.text, /^event: message\ndata: \{/);
});

test("a store forgets its oldest events first and does not pretend to have them", () => {
  const store = new EventStore({ events: 3, bytes: 100 });
  const [one, two] = [store.open(), store.open()];
  for (const text of ["a", "b", "c"]) one.send(text);
  two.send("d");
  const never = () => assert.fail("there is nothing to write to");
  assert.equal(store.resume("1-0", never), false);
  two.send("x".repeat(500));
  assert.equal(two.kept, 1, "the newest stays whatever its size");
  assert.equal(one.kept, 0);
  assert.equal(store.resume("2-0", never), false);
});

/** Begins a call, reads the first event of its answer and breaks the connection. */
async function brokenCall(serving: Serving, agent: RawAgent, name: string, args: object) {
  const over = new AbortController();
  const params = { name, arguments: args };
  const response = await fetch(serving.url, {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      authorization: `Bearer ${serving.token}`,
      "mcp-session-id": agent.session ?? "",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    signal: over.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.endsWith("\n\n")) text += (await reader?.read())?.value ?? "";
  over.abort();
  return text;
}
