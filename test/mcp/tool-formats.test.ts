import assert from "node:assert/strict";
import { test } from "node:test";
import { exactJson, parseExact } from "../../runtime/base/exact-json.ts";
import type { ToolInfo } from "../../runtime/mcp/link/handshake.ts";
import { listIn, realArguments, realNames } from "../../runtime/mcp/tool-formats.ts";
import { doorOf } from "./plain-door.ts";
import { Serving } from "./proxy-fixture.ts";

const ARGUMENT = /^[a-zA-Z0-9_.-]{1,64}$/;
const LONG = "l".repeat(70);
const NAMES = ["$top", "_top", "@type", "a b", "filter[id]", "", "ü", LONG, `${LONG}2`, "fine.one"];

function tool(name: string, inputSchema: object): ToolInfo {
  return JSON.parse(JSON.stringify({ name, inputSchema }));
}

function members(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { type: "string" }]));
}

function anthropic(given: ToolInfo) {
  const [first] = listIn("anthropic", [given]) as [
    { input_schema: { properties: object; required: string[]; description?: string } },
  ];
  return first.input_schema;
}

test("arguments whose names Anthropic's API refuses are shown under others, each of its own", () => {
  const given = tool("t", { type: "object", properties: members(NAMES), required: NAMES });
  const { properties, required } = anthropic(given);
  const shown = Object.keys(properties);
  assert.equal(new Set(shown).size, NAMES.length);
  for (const name of shown) assert.match(name, ARGUMENT);
  assert.deepEqual([...required].sort(), [...shown].sort());
  assert.ok(shown.includes("_top") && shown.includes("fine.one"));
  const sent = Object.fromEntries(shown.map((name, index) => [name, NAMES[index]]));
  const real = realArguments(given, sent) as Record<string, string>;
  assert.deepEqual(Object.keys(real), NAMES);
  for (const [name, value] of Object.entries(real)) assert.equal(value, name);
});

test("so are those of branches, and what is said of them names them as they are shown", () => {
  const branch = (name: string) => ({ properties: members([name]), required: [name] });
  const given = tool("t", { type: "object", anyOf: [branch("$a"), branch("$b")] });
  const { properties, description } = anthropic(given);
  assert.deepEqual(properties, {
    _a: { type: "string", description: '(Stands for "$a".)' },
    _b: { type: "string", description: '(Stands for "$b".)' },
  });
  assert.equal(description, "Needed is one of: _a; or _b.");
});

test("other names, those within arguments, and OpenAI's format are left alone", () => {
  const properties = { a: { type: "object", properties: members(["$in"]) }, "b.c-d_E": {} };
  const fine = tool("t", { type: "object", properties });
  assert.deepEqual(anthropic(fine).properties, properties);
  const args = { $in: 1 };
  assert.equal(realArguments(fine, args), args);
  const odd = tool("t", { type: "object", properties: members(["$top"]) });
  const [{ function: shown }] = listIn("openai", [odd]) as [
    { function: { parameters: { properties: object } } },
  ];
  assert.deepEqual(shown.parameters.properties, members(["$top"]));
});

test("an argument under its own name is not given again, and what is no object stays", () => {
  const odd = tool("t", { type: "object", properties: members(["$top"]) });
  const both = { $top: "1", _top: "2" };
  assert.deepEqual(realArguments(odd, both), both);
  for (const args of [null, "x", [1]]) assert.equal(realArguments(odd, args), args);
  assert.deepEqual(realArguments(undefined, both), both);
});

test("tools' names keep to the limits of both APIs and are called by what they stand for", () => {
  const names = ["a.b", "a_b", "n".repeat(128), `${"n".repeat(127)}m`];
  const tools = names.map((name) => tool(name, { type: "object" }));
  const real = realNames(tools);
  for (const format of ["anthropic", "openai"] as const) {
    const listed = listIn(format, tools) as { name?: string; function?: { name: string } }[];
    const shown = listed.map((one) => one.name ?? one.function?.name ?? "");
    assert.equal(new Set(shown).size, names.length);
    for (const name of shown) assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
    assert.deepEqual(
      shown.map((name) => real.get(name) ?? name),
      names,
    );
  }
});

const ECHO = `
const say = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
const inputSchema = { type: "object", properties: { $top: { type: "number" }, "a b": {} } };
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (method === "initialize")
    say(id, { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "e", version: "1" } });
  if (method === "tools/list") say(id, { tools: [{ name: "echo.it", inputSchema }] });
  if (method === "tools/call") say(id, { content: [{ type: "text", text: line }] });
});`;

test("a call with the names that a model was shown reaches the server with its own, digits kept", async () => {
  const echo = { name: "e", kind: "stdio", user: "state", argv: [process.execPath, "-e", ECHO] };
  await using serving = await Serving.open([{ ...echo, kind: "stdio", env: {} } as const]);
  const door = doorOf(serving.proxy);
  const { tools } = JSON.parse(await door.list("anthropic"));
  assert.deepEqual(Object.keys(tools[0].input_schema.properties), ["_top", "a_b"]);
  const shown = '{"_top":1.0,"a_b":{"n":[9007199254740993,1.0]},"more":-0}';
  const real = '{"$top":1.0,"a b":{"n":[9007199254740993,1.0]},"more":-0}';
  const one = await door.call("echo_it", `{"arguments":${shown}}`);
  const all = await door.callAll(`{"calls":[{"name":"echo_it","arguments":${shown}}]}`);
  for (const { text } of [one, all]) {
    const answer = JSON.parse(text);
    const { result } = answer.answers?.[0] ?? answer;
    const heard = parseExact(result.content[0].text) as { params: { arguments: unknown } };
    assert.equal(exactJson(heard.params.arguments), real);
  }
});
