import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import type { McpProxyOptions } from "../../runtime/mcp/proxy/proxy.ts";
import type { ServerSpec } from "../../runtime/mcp/server-spec.ts";
import { LocalBox } from "../support/local-process.ts";
import { fixtureServer, Serving } from "./proxy-fixture.ts";

function program(script: string, name = "bad"): ServerSpec {
  return { name, kind: "stdio", argv: [process.execPath, "-e", script], env: {}, user: "agent" };
}

/** Opens a proxy that must not come to be, and returns its fault. */
async function faultOf(
  servers: readonly ServerSpec[],
  options: Partial<McpProxyOptions> = {},
): Promise<Fault> {
  const serving = Serving.open(servers, options);
  const error = await serving.then(
    async (opened) => {
      await opened[Symbol.asyncDispose]();
      throw new Error("it opened");
    },
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}

test("a server that ends at once is the task's fault, with its command, exit code and stderr", async () => {
  const fault = await faultOf([program("console.error('no config'); process.exit(4)")]);
  assert.equal(fault.code, "mcp/server-start-failed");
  assert.equal(fault.blame, "task");
  assert.match(fault.message, /MCP server "bad" \(.*node.* -e .*\) did not start: it ended with/);
  assert.match(fault.message, /exit code 4; it wrote to stderr:\nno config/);
});

test("a server that says nothing is given up after its time", async () => {
  const servers = [program("setInterval(() => {}, 1000)")];
  const fault = await faultOf(servers, { startTimeoutMs: 300 });
  assert.equal(fault.code, "mcp/server-not-speaking-mcp");
  assert.match(fault.message, /did not complete the MCP handshake within 300 ms/);
});

test("a program that floods its output with something else is no server", async () => {
  const fault = await faultOf([program("setInterval(() => console.log('hello'), 0.01)")]);
  assert.equal(fault.code, "mcp/server-not-speaking-mcp");
  assert.match(fault.message, /lines that are no JSON-RPC/);
});

test("a server that refuses to initialize is quoted", async () => {
  const error = "{ code: -32000, message: 'not today' }";
  const answer = `JSON.stringify({ jsonrpc: '2.0', id: 1, error: ${error} })`;
  const fault = await faultOf([
    program(`process.stdin.once('data', () => console.log(${answer}))`),
  ]);
  assert.match(fault.message, /answered "initialize" with error -32000: not today/);
});

test("tools with names that no client takes, or with the same name, are refused", async () => {
  const serve = (tools: string) => `
    const say = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
    const capabilities = { tools: {} };
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method } = JSON.parse(line);
      if (method === 'initialize') say(id, { protocolVersion: '2025-11-25', capabilities });
      if (method === 'tools/list') say(id, { tools: ${tools} });
    });`;
  const named = await faultOf([program(serve("[{ name: 'a\\nb' }]"))]);
  assert.equal(named.code, "mcp/tools-refused");
  assert.match(named.message, /a tool named "a\\nb"/);
  const twice = await faultOf([program(serve("[{ name: 'a' }, { name: 'a' }]"))]);
  assert.match(twice.message, /lists "a" twice/);
});

test("two servers of one name whose tools are the same cannot be joined", async () => {
  const odd = fixtureServer("everything-odd.ts");
  const fault = await faultOf([odd, odd]);
  assert.equal(fault.code, "mcp/tool-name-collision");
});

test("when one server does not start, the others are ended", async () => {
  await using box = new LocalBox();
  const good = fixtureServer("everything-odd.ts");
  await faultOf([good, program("process.exit(1)")], { box });
  for (const { ended } of box.processes) await ended;
  assert.equal(box.processes.length, 2);
});

test("a folder that cannot be written is a fault of the store and starts nothing", async () => {
  await using box = new LocalBox();
  const parent = mkdtempSync(join(tmpdir(), "cloche-folder-"));
  try {
    const folder = join(parent, "a".repeat(300));
    const good = fixtureServer("everything-odd.ts");
    const fault = await faultOf([good], { box, folder });
    assert.equal(fault.code, "mcp/record-failed");
    assert.equal(box.processes.length, 0);
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("an aborted signal stops the opening and leaves no process", async () => {
  await using box = new LocalBox();
  const abort = new AbortController();
  const opening = Serving.open([program("setInterval(() => {}, 1000)")], {
    box,
    signal: abort.signal,
  });
  abort.abort(new Error("never mind"));
  await assert.rejects(opening, /never mind/);
  for (const { ended } of box.processes) await ended;
});

const MALFORMED: readonly (readonly [string, string, RegExp])[] = [
  ["no inputSchema", "{name:'x'}", /describes the tool "x" not as MCP has it: inputSchema/],
  ["a list as inputSchema", "{name:'x',inputSchema:[]}", /"x" not as MCP has it: inputSchema/],
  ["no object", "{name:'x',inputSchema:{type:'string'}}", /"x" .*: inputSchema\.type/],
  ["no members", "{name:'x',inputSchema:{type:'object',properties:[]}}", /inputSchema\.properties/],
  [
    "no list of names",
    "{name:'x',inputSchema:{type:'object',required:'a'}}",
    /inputSchema\.required/,
  ],
  ["a number as description", "{...ok,description:5}", /"ok" .*: description/],
  [
    "an output that is no object",
    "{...ok,outputSchema:{type:'array'}}",
    /"ok" .*: outputSchema\.type/,
  ],
  ["a text as annotations", "{...ok,annotations:'safe'}", /"ok" .*: annotations/],
  ["a bad name", "{...ok,name:'a b'}", /has a tool named "a b"/],
  ["no name", "{inputSchema:{type:'object'}}", /has a tool named undefined/],
  ["nothing", "null", /has a tool named undefined/],
  ["the same name twice", "ok,ok", /lists "ok" twice/],
];

test("a malformed tool is refused at the start, with its server's name and its own", async () => {
  for (const [what, tools, why] of MALFORMED) {
    const fault = await faultOf([program(listing(`[${tools}]`))]);
    assert.equal(fault.code, "mcp/tools-refused", what);
    assert.match(fault.message, why, what);
    assert.match(fault.message, /MCP server "bad"/);
  }
});

/** A server that lists these tools, written in JavaScript. */
function listing(tools: string): string {
  return `
    const ok = { name: "ok", inputSchema: { type: "object" } };
    const say = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      const serverInfo = { name: "bad", version: "1" };
      if (method === "initialize")
        say(id, { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo });
      if (method === "tools/list") say(id, { tools: ${tools} });
    });`;
}
