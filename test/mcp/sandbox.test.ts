import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { MIB, openTestEngine, SMALL_LIMITS, sandboxImage, smallSpec } from "../support/engine.ts";
import { agentOf, callTool, Serving, structuredOf, textOf, untilFrame } from "./proxy-fixture.ts";

const OWNER = namedId("test-proxy");
const NODE = "/usr/local/bin/node";

let engine: Engine;
let image: string;
const scripts = new Map<string, string>();

before(async () => {
  engine = await openTestEngine();
  image = await sandboxImage(engine);
  scripts.set("odd.mjs", await bundled("everything-odd.ts"));
  scripts.set("sdk.mjs", await bundled("sdk-server.ts"));
});

after(async () => {
  for (const found of await engine.find(OWNER)) await engine.remove(found);
  await engine[Symbol.asyncDispose]();
});

/** A sandbox with the fixture servers in its workspace. */
async function sandbox(memoryBytes = 512 * MIB): Promise<Sandbox> {
  const box = await engine.create(
    smallSpec(image, OWNER, {
      users: ["agent", "state", "server"],
      limits: { ...SMALL_LIMITS, memoryBytes },
    }),
  );
  for (const [file, script] of scripts) {
    const command = ["/bin/sh", "-c", `cat > /workspace/${file}`];
    await box.exec(command, { user: "agent", stdin: Buffer.from(script) });
  }
  return box;
}

function scripted(file: string, name = "odd"): ServerSpec {
  return { name, kind: "stdio", argv: [NODE, `/workspace/${file}`], env: {}, user: "server" };
}

async function bundled(file: string): Promise<string> {
  const entry = fileURLToPath(new URL(`./servers/${file}`, import.meta.url));
  const common = { bundle: true, platform: "node", format: "esm", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [entry], minify: true, ...common });
  return outputFiles[0]?.text ?? "";
}

const FILESYSTEM = SHIPPED_SERVERS["filesystem"] as ServerSpec;

test("a program that is not in the image is the task's fault and names its command", async () => {
  await using box = await sandbox();
  const missing = {
    ...scripted("none.mjs", "gone"),
    argv: ["/opt/none/server", "--port=1"],
  } as ServerSpec;
  await assert.rejects(Serving.open([missing], { box }), (error: Error & { code?: string }) => {
    assert.equal(error.code, "mcp/server-start-failed");
    assert.match(error.message, /MCP server "gone" \(\/opt\/none\/server --port=1\)/);
    return true;
  });
});

test("the filesystem server writes and reads in the workspace, and refuses what is outside", async () => {
  await using box = await sandbox();
  await using serving = await Serving.open([FILESYSTEM], { box });
  const client = await serving.client();
  const names = (await client.listTools()).map(({ name }) => name);
  assert.ok(names.includes("read_text_file") && names.includes("write_file"));
  const content = "grüße\n\u2028 end";
  await client.callTool("write_file", { path: "/workspace/a.txt", content });
  const read = await client.callTool("read_text_file", { path: "/workspace/a.txt" });
  assert.equal(textOf(read), content);
  const outside = await client.callTool("read_text_file", { path: "/etc/passwd" });
  assert.match(textOf(outside), /Access denied/);
  await client.callTool("read_text_file", { path: "/workspace/none.txt" });
  const outcomes = serving.steps().map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["ok", "ok", "tool_error", "tool_error"]);
});

test("two servers together: what the terminal writes the filesystem server reads", async () => {
  await using box = await sandbox();
  const servers = [FILESYSTEM, SHIPPED_SERVERS["terminal"] as ServerSpec];
  await using serving = await Serving.open(servers, { box });
  const client = await serving.client();
  const names = (await client.listTools()).map(({ name }) => name);
  assert.ok(names.includes("read_text_file") && names.includes("run_command"));
  await client.callTool("run_command", { command: "printf made > made.txt" });
  const read = await client.callTool("read_text_file", { path: "/workspace/made.txt" });
  assert.equal(textOf(read), "made");
  assert.deepEqual(
    serving.steps().map(({ server, outcome }) => `${server} ${outcome}`),
    ["terminal ok", "filesystem ok"],
  );
});

test("a cut result of the filesystem server still fits the schema of its tool", async () => {
  await using box = await sandbox();
  const budget = { calls: 10, wallMs: 60_000, resultBytes: 5_000, concurrentCalls: 2 };
  await using serving = await Serving.open([FILESYSTEM], { box, budget });
  const agent = await agentOf(serving);
  const path = "/workspace/long.txt";
  await callTool(agent, "write_file", { path, content: "line\n".repeat(20_000) }, 1);
  const reply = await callTool(agent, "read_text_file", { path }, 2);
  assert.ok(reply.text.length < 5_200);
  const { content } = structuredOf(reply) as { content: string };
  assert.match(content, /^line\n.*bytes left out here/s);
});

test("a server on the SDK gets progress, sampling and parallel calls through", async () => {
  await using box = await sandbox();
  const clientCapabilities = { sampling: {} };
  await using serving = await Serving.open([scripted("sdk.mjs", "sdk")], {
    box,
    clientCapabilities,
  });
  const agent = await agentOf(serving);
  const counted = await callTool(agent, "count", {}, 1, { progressToken: 77 });
  const progress = counted.messages.slice(0, -1).map((message) => message["params"]);
  assert.deepEqual(progress, [
    { progressToken: 77, progress: 1, total: 2 },
    { progressToken: 77, progress: 2, total: 2 },
  ]);
  const asking = callTool(agent, "ask-model", {}, 2);
  const asked = await untilFrame(serving, "sampling/createMessage", "out");
  const content = { type: "text", text: "hello!" };
  const result = { role: "assistant", model: "none", content };
  await agent.post({ jsonrpc: "2.0", id: asked.message["id"], result });
  assert.equal(textOf((await asking).messages.at(-1)), JSON.stringify(content));
  await Promise.all([3, 4, 5].map((id) => callTool(agent, "nap", { ms: 600 }, id)));
  const naps = serving.steps().filter(({ tool }) => tool === "nap");
  for (const nap of naps) assert.equal(nap.overlaps.length, 2);
});

test("a server that eats the sandbox's memory is lost and the others go on", async () => {
  await using box = await sandbox(256 * MIB);
  await using serving = await Serving.open([scripted("odd.mjs"), FILESYSTEM], { box });
  const client = await serving.client();
  const called = await client.callTool("exhaust", {});
  assert.match(textOf(called), /The server "odd" is gone: it ended with exit code 137/);
  const write = { path: "/workspace/a.txt", content: "still here" };
  assert.match(textOf(await client.callTool("write_file", write)), /Successfully/);
});

test("when the box is stopped under a call, the rollout ends as a sandbox that died", async () => {
  await using box = await sandbox();
  await using serving = await Serving.open([scripted("odd.mjs")], { box });
  const client = await serving.client();
  const hanging = client.callTool("hang", {});
  await untilFrame(serving, "tools/call", "out");
  await box.stop();
  assert.match(textOf(await hanging), /The server "odd" is gone/);
  assert.deepEqual(await serving.proxy.ended, { kind: "sandbox_died", outOfMemory: false });
});

test("a result of 8 MB crosses whole when the budget allows it", async () => {
  await using box = await sandbox();
  const budget = { calls: 10, wallMs: 60_000, resultBytes: 8 * 2 ** 20, concurrentCalls: 2 };
  await using serving = await Serving.open([scripted("odd.mjs")], { box, budget });
  const client = await serving.client();
  const called = await client.callTool("huge", { text: "0123456789", times: 800_000 });
  assert.equal(textOf(called).length, 8_000_000);
  const steps = readFileSync(`${serving.folder}/steps.jsonl`, "utf8");
  assert.ok(steps.length > 8_000_000);
});

test("of an answer that is too long the call is told how long, and the server lives", async () => {
  await using box = await sandbox();
  await using serving = await Serving.open([scripted("odd.mjs")], { box });
  const client = await serving.client();
  const called = await client.callTool("huge", { text: "0123456789", times: 3_000_000 });
  assert.match(JSON.stringify(called), /answer was withheld: it has 3\d{7} bytes \(sha256 /);
  assert.equal(textOf(await client.callTool("huge", { text: "x", times: 3 })), "xxx");
});

test("nothing of a proxy's servers is left in the box once it is closed", async () => {
  await using box = await sandbox();
  const serving = await Serving.open([scripted("odd.mjs"), FILESYSTEM], { box });
  await serving[Symbol.asyncDispose]();
  const command = ["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"];
  const { stdout } = await box.exec(command, { user: "agent" });
  assert.doesNotMatch(stdout.toString(), /node/);
});
