import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { ofNote, smallTask } from "../support/small-task.ts";

/** No engine is there: what servers say must be had without one. */
const NO_ENGINE = { DOCKER_HOST: "unix:///nowhere/docker.sock" };

/** A server of a task's own, which has a tool for each file that the workspace begins with. */
const DESK = `import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    names = [name.split(".")[0] for name in sorted(os.listdir("/workspace"))]
    tools = [{"name": "open_" + name, "description": "Opens it.", "inputSchema": {"type": "object"}}
             for name in names]
    about = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
             "serverInfo": {"name": "desk", "version": "3"}}
    result = {"initialize": about, "tools/list": {"tools": tools}}.get(asked["method"], {})
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
`;
const OWN = `[[environment.mcp_servers]]
name = "desk"
transport = "stdio"
command = "/usr/bin/python3"
args = ["-c", """
${DESK}"""]

[cloche]`;
const WITH_DESK = {
  "task.toml": ofNote("task.toml", "[cloche]", OWN),
};

describe("cloche tools", () => {
  let data: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-tools-"));
  });

  after(async () => {
    await promisify(execFile)("chmod", ["-R", "u+w", data]);
    await rm(data, { recursive: true, force: true });
  });

  it("refuses a server that is not shipped, with those that are and the nearest", async () => {
    const { code, err } = await cloche(["tools", "--server", "calender"]);
    assert.equal(code, 2);
    assert.match(err, /Cloche ships filesystem, terminal, .*did you mean "calendar"/);
  });

  it("prints what each server's tools cost, without an engine too", async () => {
    const { code, out, err } = await cloche(["tools"]);
    assert.equal(code, 0, err);
    for (const name of ["filesystem", "terminal", "calendar", "memory", "browser"]) {
      assert.match(out, new RegExp(`^${name} +\\d+ +[\\d,]+ +[\\d,]+`, "m"));
    }
    assert.match(out, /^all .*tokens in o200k_base$/m);
    assert.match(err, /from the servers' sources/);
  });

  it("prints a task's tools in the format of a model's API, as one document", async () => {
    await using root = await smallTask();
    const place = ["--root", root.path, "--task", "test/note"];
    const { code, out, err } = await cloche(["tools", ...place, "--format", "openai", "--json"]);
    assert.equal(code, 0, err);
    const { format, tokens, servers, tools } = JSON.parse(out);
    assert.equal(format, "openai");
    assert.equal(tokens.encoding, "o200k_base");
    const sum = servers.reduce((all: number, one: { tokens: number }) => all + one.tokens, 0);
    assert.equal(tokens.sum, sum);
    assert.ok(sum > 500);
    for (const { type, function: tool } of tools) {
      assert.equal(type, "function");
      assert.match(tool.name, /^[a-zA-Z0-9_-]{1,64}$/);
      assert.equal(tool.parameters.type, "object");
    }
  });

  it("asks a task's own server in a sandbox that is filled as for a rollout", async () => {
    await using root = await smallTask(WITH_DESK);
    const asked = ["tools", "--root", root.path, "--task", "test/note", "--json", "--data", data];
    const { code, out, err } = await cloche(asked, {});
    assert.equal(code, 0, err);
    const { servers, notShown } = JSON.parse(out);
    assert.deepEqual(notShown, []);
    const names = servers.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ["filesystem", "terminal", "desk"]);
    const [, , { version, tokens, tools }] = servers;
    assert.equal(version, "3");
    assert.ok(tokens > 10);
    assert.deepEqual(
      tools.map(({ name }: { name: string }) => name),
      ["open_readme"],
    );
    const reaped = await cloche(["reap", "--json", "--data", data], {});
    assert.deepEqual(JSON.parse(reaped.out).removed, []);
  });

  it("says which of a task's own servers it cannot show, and why", async () => {
    await using root = await smallTask(WITH_DESK);
    const asked = ["tools", "--root", root.path, "--task", "test/note", "--data", data];
    const { code, out, err } = await cloche([...asked, "--json"]);
    assert.equal(code, 0, err);
    const { servers, notShown } = JSON.parse(out);
    assert.deepEqual(
      servers.map(({ name }: { name: string }) => name),
      ["filesystem", "terminal"],
    );
    assert.equal(notShown[0].name, "desk");
    assert.match(notShown[0].why, /engine\/unreachable: .*nowhere/);
    assert.match(err, /"desk", the task's own server, is not shown: engine\/unreachable/);
    const other = await cloche([...asked, "--server", "dask"]);
    assert.equal(other.code, 2);
    assert.match(other.err, /test\/note has filesystem, terminal, desk.* did you mean "desk"/);
  });
});

async function cloche(args: readonly string[], engine: Record<string, string> = NO_ENGINE) {
  const env = { ...process.env, ...engine, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["cloche.mjs", ...args], { env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, out, err };
}
