import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { McpListener } from "../../runtime/mcp/door/listener.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { agentOf, callTool, fixtureServer, Serving, textOf, untilFrame } from "./proxy-fixture.ts";
import { RawAgent } from "./raw-agent.ts";

const ODD = fixtureServer("everything-odd.ts");
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

test("a port that is taken is a fault that names it", async () => {
  await using first = await McpListener.open({ log: silentLog });
  const second = McpListener.open({ port: first.port, log: silentLog });
  await assert.rejects(second, (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, "mcp/listener-failed");
    assert.match(error.message, new RegExp(`127.0.0.1:${first.port}`));
    return true;
  });
});

test("hosts and origins that are not this listener are refused before the token is looked at", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const port = new URL(serving.url).port;
  const bad = [
    { host: "evil.test" },
    { host: `evil.test:${port}` },
    { host: "127.0.0.1:1" },
    { host: "127.0.0.1" },
    { origin: "http://evil.test" },
    { origin: `https://127.0.0.1:${port}` },
    { origin: "null" },
    { origin: "http://evil.test", authorization: "Bearer wrong" },
  ];
  for (const headers of bad) {
    const reply = await agent.send({ headers: headers as Record<string, string>, body: PING });
    assert.equal(reply.status, 403, JSON.stringify(headers));
  }
  for (const headers of [{ host: `localhost:${port}` }, { origin: `http://127.0.0.1:${port}` }]) {
    const reply = await agent.send({ headers: headers as Record<string, string>, body: PING });
    assert.equal(reply.status, 200, JSON.stringify(headers));
  }
});

test("a wrong token and an unknown rollout get the same answer", async () => {
  await using serving = await Serving.open([ODD]);
  const wrong = new RawAgent(serving.url, "wrong");
  const unknown = new RawAgent(serving.url.replace("/r1/", "/r2/"), serving.token);
  const none = new RawAgent(serving.url, "");
  const replies = await Promise.all([wrong, unknown, none].map((agent) => agent.post(PING)));
  for (const { status, text, headers } of replies) {
    assert.equal(status, 401);
    assert.equal(text, replies[0]?.text);
    assert.equal(headers["www-authenticate"], "Bearer");
  }
});

test("a path that is no rollout's is not there", async () => {
  await using serving = await Serving.open([ODD]);
  const { origin } = new URL(serving.url);
  for (const path of ["/", "/rollouts/r1", "/rollouts/r1/mcp/x", "/rollouts/../r1/mcp"]) {
    const agent = new RawAgent(`${origin}${path}`, serving.token);
    assert.equal((await agent.post(PING)).status, 404, path);
  }
});

test("requests that are not as the transport says get the status that it names", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const session = agent.session ?? "";
  const cases: [number, object][] = [
    [405, { method: "PUT", body: PING }],
    [406, { body: PING, headers: { accept: "application/json" } }],
    [415, { body: PING, headers: { "content-type": "text/plain" } }],
    [400, { body: "{" }],
    [400, { body: [PING] }],
    [400, { body: { ...PING, jsonrpc: "1.0" } }],
    [400, { body: { ...PING, id: null } }],
    [400, { body: PING, headers: { "mcp-session-id": "" } }],
    [404, { body: PING, headers: { "mcp-session-id": "unknown" } }],
    [404, { method: "GET", headers: { "mcp-session-id": "unknown" } }],
    [400, { body: PING, headers: { "mcp-protocol-version": "1999-01-01" } }],
    [406, { method: "GET", headers: { accept: "application/json" } }],
    [202, { body: { jsonrpc: "2.0", method: "notifications/initialized" } }],
    [200, { body: PING, headers: { "mcp-session-id": session } }],
  ];
  for (const [status, sent] of cases) {
    assert.equal((await agent.send(sent)).status, status, JSON.stringify(sent));
  }
});

test("JSON that is too deep is refused and JSON of 4 MB is taken", async () => {
  await using serving = await Serving.open([ODD], {
    budget: { calls: 10, wallMs: 60_000, resultBytes: 8 * 2 ** 20, concurrentCalls: 4 },
  });
  const agent = await agentOf(serving);
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"deep":${deep}}}`;
  const refused = await agent.send({ body });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /nested deeper than 100/);
  const text = "a".repeat(4_000_000);
  const reply = await callTool(agent, "echo", { text }, 1);
  assert.equal(textOf(reply.messages[0]), text);
});

test("a body over 64 MiB is refused without being read to its end", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const reply = agent.send({ body: `{"a":"${"x".repeat(65 * 1024 * 1024)}"}` });
  // The connection may be closed under the sender before it has read the answer.
  const status = await reply.then(
    (answer) => answer.status,
    (error: NodeJS.ErrnoException) => error.code,
  );
  assert.ok([413, "EPIPE", "ECONNRESET"].includes(status ?? ""), String(status));
});

test("an id that is under way cannot be used again", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const first = callTool(agent, "sleep", { ms: 1_000 }, 1);
  await untilFrame(serving, "tools/call", "out");
  const second = await callTool(agent, "echo", {}, 1);
  assert.equal(second.status, 400);
  assert.match(second.text, /id 1 is under way/);
  assert.equal(textOf((await first).messages.at(-1)), "slept");
});

test("answers that come soon are JSON, those that take longer are a stream from early on", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const soon = await agent.ask("ping", {}, 1);
  assert.equal(soon.headers["content-type"], "application/json");
  const later = await callTool(agent, "sleep", { ms: 300 }, 2);
  assert.equal(later.headers["content-type"], "text/event-stream");
  assert.equal(textOf(later.messages[0]), "slept");
});

test("the version that a client asks for is spoken if it is known, else the newest", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = new RawAgent(serving.url, serving.token);
  const versions: unknown[] = [];
  for (const protocolVersion of ["2025-06-18", "2025-11-25", "2031-01-01"]) {
    const clientInfo = { name: "raw", version: "1" };
    const params = { protocolVersion, capabilities: {}, clientInfo };
    const reply = await agent.ask("initialize", params, 1);
    versions.push(/"protocolVersion":"([^"]+)"/.exec(reply.text)?.[1]);
  }
  assert.deepEqual(versions, ["2025-06-18", "2025-11-25", "2025-11-25"]);
});

test("notifications of a server without calls under way come on the open stream", async () => {
  await using serving = await Serving.open([ODD]);
  const agent = await agentOf(serving);
  const over = new AbortController();
  const stream = fetch(serving.url, {
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${serving.token}`,
      "mcp-session-id": agent.session ?? "",
    },
    signal: over.signal,
  });
  const { body } = await stream;
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  await callTool(agent, "log-later", {}, 1);
  let text = "";
  while (!text.includes('"later"')) text += (await reader?.read())?.value ?? "";
  assert.match(text, /event: message\nid: 1-1\ndata: .*"data":"later"/);
  over.abort();
});

test("a rollout that is no longer mounted is as unknown as one that never was", async () => {
  await using serving = await Serving.open([ODD]);
  await using listener = await McpListener.open({ log: silentLog });
  const mount = listener.mount("r9", "secret", serving.proxy);
  const agent = new RawAgent(mount.url, "secret");
  await agent.initialize();
  mount[Symbol.dispose]();
  assert.equal((await agent.post(PING)).status, 401);
});

test("a client of ours says which endpoint it could not reach", async () => {
  const signal = new AbortController().signal;
  await using serving = await Serving.open([ODD]);
  await assert.rejects(connectClient(serving.url, "wrong", signal), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, "mcp/endpoint-unreachable");
    assert.ok(error.message.includes(serving.url));
    return true;
  });
});
