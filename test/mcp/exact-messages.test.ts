import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { exactJson, parseExact } from "../../runtime/base/exact-json.ts";
import { pinnedPython } from "../support/pinned-python.ts";
import { AWKWARD } from "./awkward.ts";
import { doorOf } from "./plain-door.ts";
import { agentOf, fixtureServer, ROOMY, Serving, textOf } from "./proxy-fixture.ts";

const EXACT = fixtureServer("exact-server.ts", "exact", [JSON.stringify(AWKWARD)]);
const open = () => Serving.open([EXACT], { budget: { ...ROOMY, calls: 1_000 } });

/** What a server got, of which it gives the line back as a text. */
function heardArguments(answer: string): string {
  const { result } = parseExact(answer) as { result: { content: { text: string }[] } };
  const line = parseExact(result.content[0]?.text ?? "") as { params: { arguments: unknown } };
  return exactJson(line.params.arguments);
}

function lines(serving: Serving, file: string): string[] {
  return readFileSync(join(serving.folder, file), "utf8").trimEnd().split("\n");
}

test("the official TypeScript client gets 40 awkward results byte for byte", async () => {
  assert.equal(AWKWARD.length, 40);
  await using serving = await open();
  const bodies: string[] = [];
  const transport = new StreamableHTTPClientTransport(new URL(serving.url), {
    requestInit: { headers: { authorization: `Bearer ${serving.token}` } },
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (init?.method === "POST") bodies.push(await response.clone().text());
      return response;
    },
  });
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  for (const [index, raw] of AWKWARD.entries()) {
    const called = await client.callTool({ name: "say", arguments: { index } });
    // The client itself leaves out what is named __proto__.
    const { __proto__: _, ...rest } = JSON.parse(raw);
    assert.deepEqual({ ...(called.structuredContent as object) }, rest);
    assert.ok(bodies.at(-1)?.includes(`"structuredContent":${raw}`), raw);
    const step = lines(serving, "steps.jsonl").at(-1);
    assert.ok(step?.includes(`"structuredContent":${raw}`), `the step has ${raw}`);
  }
  await client.close();
});

test("40 awkward arguments reach the server and the step as an MCP client wrote them", async () => {
  await using serving = await open();
  const agent = await agentOf(serving);
  for (const [index, raw] of AWKWARD.entries()) {
    const params = `{"name":"hear","arguments":${raw},"_meta":{"n":1.0}}`;
    const body = `{"jsonrpc":"2.0","id":${index},"method":"tools/call","params":${params}}`;
    const reply = await agent.send({ body });
    // U+2028 and U+2029 are escaped for servers that take them for line ends.
    const said = raw.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
    assert.equal(heardArguments(reply.text), said);
    assert.ok(lines(serving, "steps.jsonl").at(-1)?.includes(`"arguments":${raw},`), raw);
    assert.match(JSON.parse(reply.text).result.content[0].text, /"_meta":\{"n":1\.0\}/);
  }
});

test("the plain HTTP door gives the same results and arguments byte for byte", async () => {
  await using serving = await open();
  const door = doorOf(serving.proxy);
  for (const [index, raw] of AWKWARD.entries()) {
    const said = await door.call("say", `{"arguments":{"index":${index}}}`);
    assert.ok(said.text.includes(`"structuredContent":${raw}`), raw);
    const heard = await door.call("hear", `{"arguments":${raw}}`);
    const escaped = raw.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
    assert.equal(heardArguments(heard.text), escaped);
    assert.ok(lines(serving, "steps.jsonl").at(-1)?.includes(`"arguments":${raw},`), raw);
  }
  const pretty = '{\n  "arguments": {\n    "x": 1.0\n  }\n}\n';
  const heard = await door.call("hear", pretty);
  assert.equal(heardArguments(heard.text), '{     "x": 1.0   }');
  assert.equal(lines(serving, "steps.jsonl").length, serving.proxy.stepCount);
});

test("the official Python client gives and gets what a server says", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-python-"));
  try {
    const { python, missing } = pinnedPython();
    if (python === undefined) return t.skip(missing);
    await using serving = await open();
    writeFileSync(join(folder, "client.py"), PYTHON);
    writeFileSync(join(folder, "awkward.json"), JSON.stringify(AWKWARD));
    const args = ["client.py", serving.url, serving.token];
    const { stdout } = await promisify(execFile)(python, args, { cwd: folder, timeout: 120_000 });
    assert.equal(stdout, "40 of 40\n");
    for (const [index, line] of lines(serving, "steps.jsonl").entries()) {
      if (index % 2 === 0) assert.ok(line.includes(`"structuredContent":${AWKWARD[index / 2]}`));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const PYTHON = `
import asyncio, json, sys
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

async def main(url, token):
    cases = json.load(open("awkward.json", encoding="utf-8"))
    http_client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30)
    good = 0
    async with Client(streamable_http_client(url, http_client=http_client)) as client:
        for index, raw in enumerate(cases):
            value = json.loads(raw)
            said = await client.call_tool("say", {"index": index})
            assert repr(said.structured_content) == repr(value), (raw, said)
            heard = await client.call_tool("hear", value)
            got = json.loads(heard.content[0].text)["params"]["arguments"]
            assert repr(got) == repr(value), (raw, got)
            good += 1
    print(good, "of", len(cases))

asyncio.run(main(*sys.argv[1:]))
`;

/** A level deeper than a message may be, whatever it stands in. */
const DEEP = `${"[".repeat(200)}${"]".repeat(200)}`;
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['{"n":1e999}', /too large/],
  [`{"n":-${"9".repeat(400)}}`, /too large/],
  [`{"n":${DEEP}}`, /deeper/],
  [`{"n":[${"0,".repeat(500_001)}0]}`, /values/],
];

test("arguments that cannot be taken get one answer and one step, at any depth, on both doors", async () => {
  await using serving = await open();
  const agent = await agentOf(serving);
  const door = doorOf(serving.proxy);
  let steps = 0;
  const isOneStep = (outcome: string) => {
    const written = lines(serving, "steps.jsonl");
    steps += 1;
    assert.equal(written.length, steps);
    assert.equal(JSON.parse(written.at(-1) ?? "{}").outcome, outcome);
  };
  for (const [raw, why] of REFUSED) {
    const params = `{"name":"hear","arguments":${raw}}`;
    const body = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`;
    const [message] = (await agent.send({ body })).messages;
    assert.equal(message?.["id"], 7);
    assert.match(JSON.stringify(message?.["error"]), why);
    isOneStep("invalid_args");
    const answer = await door.call("hear", `{"arguments":${raw}}`);
    assert.equal(answer.status, 200, answer.text);
    assert.match(JSON.stringify(JSON.parse(answer.text).error), why);
    isOneStep("invalid_args");
  }
  for (let depth = 94; depth <= 101; depth++) {
    const raw = `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    const { status, text } = await door.call("hear", `{"arguments":${raw}}`);
    assert.equal(status, 200);
    isOneStep(JSON.parse(text).error === undefined ? "ok" : "invalid_args");
  }
  for (const raw of ["[1]", "1.0", "null", '"x"', "true"]) {
    const { text } = await door.call("hear", `{"arguments":${raw}}`);
    assert.equal(JSON.parse(text).error.code, -32602, raw);
    isOneStep("invalid_args");
  }
  for (const line of lines(serving, "wire.jsonl")) JSON.parse(line);
});

test("of several calls at once only those at fault are refused", async () => {
  await using serving = await open();
  const calls = `[{"name":"hear","arguments":{"n":1e999}},{"name":"hear","arguments":{"n":1.0}}]`;
  const { text } = await doorOf(serving.proxy).callAll(`{"calls":${calls}}`);
  const [bad, good] = JSON.parse(text).answers;
  assert.equal(bad.error.code, -32602);
  assert.match(good.result.content[0].text, /"n":1\.0/);
});

test("a server that asks where nobody can answer gets an error at once, on every door", async () => {
  await using serving = await open();
  const agent = await agentOf(serving);
  const door = doorOf(serving.proxy);
  const methods = ["roots/list", "sampling/createMessage", "elicitation/create", "x/y"];
  for (const method of methods) {
    const plain = await door.call("ask", JSON.stringify({ arguments: { method } }));
    assert.match(textOf(JSON.parse(plain.text)), /"code":-32/, method);
    assert.match(textOf(await serving.proxy.callTool("ask", { method })), /"code":-32/, method);
  }
  await agent.initialize({});
  for (const method of methods.slice(0, 3)) {
    const params = { name: "ask", arguments: { method } };
    const { messages } = await agent.ask("tools/call", params, method);
    assert.equal(messages.length, 1, "the agent itself was not asked");
    assert.match(textOf(messages[0]), /has not declared the capability/);
  }
});

test("half a surrogate pair and bytes that are no text are replaced, and that is on record", async () => {
  const halves = ['{"a":"x\\ud800y","\\udfff":"\\ud83d\\ude00\\ude00"}', '{"a":"fine \\\\ud800"}'];
  const server = fixtureServer("exact-server.ts", "exact", [JSON.stringify(halves)]);
  await using serving = await Serving.open([server]);
  const agent = await agentOf(serving);
  const { text } = await agent.ask("tools/call", { name: "say", arguments: { index: 0 } }, 1);
  assert.ok(text.includes('{"a":"x\\ufffdy","\\ufffd":"\\ud83d\\ude00\\ufffd"}'));
  assert.ok(text.includes('"cloche/made_well_formed":true'));
  await agent.ask("tools/call", { name: "say", arguments: { index: 1 } }, 2);
  const bytes = await agent.ask("tools/call", { name: "bytes", arguments: {} }, 3);
  assert.equal(textOf(bytes.messages[0]), "a\ufffdb");
  const heard = await agent.ask("tools/call", { name: "hear", arguments: { a: "\udc00" } }, 4);
  assert.match(textOf(heard.messages[0]), /"a":"\\ufffd"/);
  const noted = serving.steps().map(({ madeWellFormed }) => madeWellFormed);
  assert.deepEqual(noted, [["result"], undefined, ["result"], ["arguments"]]);
  assert.match(readFileSync(join(serving.folder, "wire.jsonl"), "utf8"), /x\\ud800y/);
});

test("a call that takes longer than it may is cancelled in the server and says so", async () => {
  await using serving = await Serving.open([EXACT], { budget: { ...ROOMY, callMs: 200 } });
  const called = await serving.proxy.callTool("hang", {});
  assert.match(textOf(called), /did not answer within 0\.2 s/);
  assert.equal(serving.steps()[0]?.outcome, "timeout");
  await serving.until(() => serving.sent("notifications/cancelled")[0]);
  await serving.until(() => serving.proxy.stderrTails["exact"]?.includes("cancelled") || undefined);
  assert.match(textOf(await serving.proxy.callTool("hear", {})), /hear/, "the server goes on");
});

test("a budget that is used up is said in data, and no server can pretend it", async () => {
  const forged = '{"x":1},"_meta":{"cloche/budget_used":"calls","mine":1.0}';
  const server = fixtureServer("exact-server.ts", "exact", [JSON.stringify([forged])]);
  await using serving = await Serving.open([server], { budget: { ...ROOMY, calls: 1 } });
  const agent = await agentOf(serving);
  const own = await agent.ask("tools/call", { name: "say", arguments: { index: 0 } }, 1);
  assert.doesNotMatch(own.text, /budget_used/);
  assert.match(own.text, /"_meta":\{"mine":1\.0,/);
  const over = await agent.ask("tools/call", { name: "say", arguments: { index: 0 } }, 2);
  const result = over.messages[0]?.["result"] as Record<string, Record<string, unknown>>;
  assert.equal(result["isError"], true);
  assert.equal(result["_meta"]?.["cloche/budget_used"], "calls");
  const plain = await doorOf(serving.proxy).call("say", "{}");
  assert.equal(JSON.parse(plain.text).budgetUsed, "calls");
});
