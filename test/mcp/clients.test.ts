import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { pinnedPython } from "../support/pinned-python.ts";
import { fixtureServer, Serving } from "./proxy-fixture.ts";

// Clients as others write them, against our endpoint.

const FIXTURE = fixtureServer("conformance-server.ts", "fixture");
const ODD = fixtureServer("everything-odd.ts");
const CAPABLE = { clientCapabilities: { sampling: {}, elicitation: {}, roots: {} } };

type Mode = "legacy" | "auto" | { pin: "2026-07-28" };
const MODES: readonly (readonly [string, Mode, string])[] = [
  ["legacy", "legacy", "2025-11-25"],
  ["auto", "auto", "2026-07-28"],
  ["pinned", { pin: "2026-07-28" }, "2026-07-28"],
];

for (const [name, mode, version] of MODES) {
  test(`the official TypeScript client in ${name} mode speaks ${version}`, async () => {
    await using serving = await Serving.open([FIXTURE], CAPABLE);
    await using opened = await connect(serving, mode);
    const { client } = opened;
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map((tool) => tool.name),
      serving.proxy.surface.tools.map((tool) => tool.name),
    );
    const simple = await client.callTool({ name: "test_simple_text" });
    assert.deepEqual(simple.content, [
      { type: "text", text: "This is a simple text response for testing." },
    ]);
    const told: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void told.push(progress);
    await client.callTool({ name: "test_tool_with_progress" }, { onprogress });
    assert.deepEqual(told, [0, 50, 100]);
    const { contents } = await client.readResource({ uri: "test://template/7/data" });
    assert.match(JSON.stringify(contents), /Data for ID: 7/);
    const prompt = await client.getPrompt({ name: "test_simple_prompt" });
    assert.equal(prompt.messages.length, 1);
    const outcomes = serving.steps().map(({ tool, outcome }) => `${tool} ${outcome}`);
    assert.deepEqual(outcomes, ["test_simple_text ok", "test_tool_with_progress ok"]);
  });

  test(`the official TypeScript client in ${name} mode answers what a server asks`, async () => {
    await using serving = await Serving.open([FIXTURE], CAPABLE);
    await using opened = await connect(serving, mode);
    const { client } = opened;
    const result = await client.callTool({ name: "test_input_required_result_multiple_inputs" });
    const text = JSON.stringify(result.content);
    assert.match(text, /Ada/);
    assert.match(text, /Good day/);
    assert.match(text, /file:\/\/\/roots-of-client/);
    const steps = serving.steps();
    assert.deepEqual(
      steps.map(({ outcome }) => outcome),
      ["ok"],
      "one call is one step, in however many rounds",
    );
  });

  test(`a call that the official client in ${name} mode aborts is cancelled at its server`, async () => {
    await using serving = await Serving.open([ODD]);
    await using opened = await connect(serving, mode);
    const { client } = opened;
    const over = new AbortController();
    const hanging = client.callTool({ name: "hang" }, { signal: over.signal });
    await serving.until(() => serving.sent("tools/call")[0]);
    over.abort();
    await assert.rejects(hanging);
    await serving.until(() => serving.sent("notifications/cancelled")[0]);
    const step = await serving.until(() => serving.steps()[0]);
    assert.equal(step.outcome, "cancelled");
  });
}

test("both eras and a caller without MCP work on one rollout at the same time", async () => {
  await using serving = await Serving.open([ODD]);
  await using one = await connect(serving, "legacy");
  await using other = await connect(serving, { pin: "2026-07-28" });
  const calls = [1, 2, 3].flatMap((n) => [
    one.client.callTool({ name: "echo", arguments: { text: `legacy ${n}` } }),
    other.client.callTool({ name: "echo", arguments: { text: `modern ${n}` } }),
    serving.proxy.callTool("echo", { text: `direct ${n}` }),
  ]);
  const texts = JSON.stringify(await Promise.all(calls));
  for (const who of ["legacy", "modern", "direct"]) {
    for (const n of [1, 2, 3]) assert.ok(texts.includes(`"${who} ${n}"`), `${who} ${n}`);
  }
  const results = serving.steps().map(({ result }) => Object.keys(result as object).sort());
  assert.equal(results.length, 9);
  assert.equal(new Set(results.map(String)).size, 1, "records are the same in both eras");
});

test("the official Python client negotiates, lists and calls", { timeout: 280_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-python-"));
  try {
    const { python, missing } = pinnedPython();
    if (python === undefined) return t.skip(missing);
    await using serving = await Serving.open([FIXTURE], CAPABLE);
    const script = join(folder, "client.py");
    writeFileSync(script, PYTHON_CLIENT);
    const words = "This is a simple text response for testing.\n";
    for (const [mode, version] of PYTHON_MODES) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const args = [script, serving.url, serving.token, mode];
      execFile(python, args, { timeout: 60_000 }, (_error, out, err) => resolve(`${out}${err}`));
      assert.equal(await promise, `${version} ${words}`, mode);
    }
    assert.deepEqual(
      serving.steps().map(({ tool }) => tool),
      ["test_simple_text", "test_simple_text", "test_simple_text"],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const PYTHON_MODES = [
  ["legacy", "2025-11-25"],
  ["auto", "2026-07-28"],
  ["2026-07-28", "2026-07-28"],
] as const;

const PYTHON_CLIENT = `
import asyncio, sys
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

async def main(url, token, mode):
    http_client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30)
    async with Client(streamable_http_client(url, http_client=http_client), mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert any(tool.name == "test_simple_text" for tool in tools), tools
        result = await client.call_tool("test_simple_text", {})
        print(client.protocol_version, result.content[0].text)

asyncio.run(main(*sys.argv[1:]))
`;

async function connect(serving: Serving, mode: Mode) {
  const capabilities = { sampling: {}, elicitation: {}, roots: {} };
  const info = { name: "test", version: "1" };
  const client = new Client(info, { capabilities, versionNegotiation: { mode } });
  client.setRequestHandler("elicitation/create", () => {
    return { action: "accept", content: { name: "Ada" } };
  });
  client.setRequestHandler("sampling/createMessage", () => {
    return { role: "assistant", model: "m", content: { type: "text", text: "Good day" } };
  });
  client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///roots-of-client" }] }));
  const headers = { authorization: `Bearer ${serving.token}` };
  const transport = new StreamableHTTPClientTransport(new URL(serving.url), {
    requestInit: { headers },
  });
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
