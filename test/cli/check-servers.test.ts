import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { ofNote, smallTask } from "../support/small-task.ts";

/** A server of a task's own that lists these tools, which are written in Python. */
function listing(tools: string): Record<string, string> {
  const program = `import json, sys
ok = {"name": "peek", "inputSchema": {"type": "object"}}
about = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
         "serverInfo": {"name": "desk", "version": "3"}}
for line in sys.stdin:
    asked = json.loads(line)
    result = {"initialize": about, "tools/list": {"tools": [${tools}]}}.get(asked["method"], {})
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
`;
  return ownServer(`"/usr/bin/python3"\nargs = ["-c", """\n${program}"""]`);
}

function ownServer(command: string): Record<string, string> {
  const own = `[[environment.mcp_servers]]
name = "desk"
transport = "stdio"
command = ${command}

[cloche]`;
  return { "task.toml": ofNote("task.toml", "[cloche]", own) };
}

describe("cloche task check, of servers that are a task's own", () => {
  let data: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-check-"));
  });

  after(async () => {
    await execa("chmod", ["-R", "u+w", data]);
    await execa("rm", ["-rf", data]);
  });

  it("finds what a rollout would refuse, in the same words, and leaves nothing", async () => {
    const refused: readonly (readonly [Record<string, string>, string, RegExp])[] = [
      [
        listing('ok, {"name": "poke"}'),
        "mcp/tools-refused",
        /MCP server "desk" .*the tool "poke" not as MCP has it: inputSchema/s,
      ],
      [
        ownServer('"/usr/bin/echo"\nargs = ["hello"]'),
        "mcp/server-start-failed",
        /MCP server "desk" \(\/usr\/bin\/echo hello\)/,
      ],
    ];
    for (const [files, wanted, words] of refused) {
      await using root = await smallTask(files);
      const { code, checked, out } = await check(root.path, data);
      assert.equal(code, 1, out);
      assert.deepEqual(
        checked[0]?.problems.map((problem) => problem.code),
        [wanted],
        out,
      );
      assert.match(checked[0]?.problems[0]?.message ?? "", words);
    }
    const run = await cloche(["reap", "--json", "--data", data]);
    assert.deepEqual(JSON.parse(run.stdout).removed, []);
  });

  it("is green where a rollout would serve", async () => {
    await using root = await smallTask(listing("ok"));
    const { code, checked, out } = await check(root.path, data);
    assert.equal(code, 0, out);
    assert.deepEqual(checked[0]?.problems, []);
    assert.doesNotMatch(checked[0]?.notes.join() ?? "", /servers/);
  });

  it("says where there is no engine that they were not started, and checks the rest", async () => {
    await using root = await smallTask(listing('{"name": "poke"}'));
    const nowhere = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    const { code, checked, out } = await check(root.path, data, nowhere);
    assert.equal(code, 0, out);
    const notes = checked[0]?.notes.join("\n") ?? "";
    assert.match(notes, /own servers were not started.*: engine\/unreachable: .*nowhere/);
    await using shipped = await smallTask();
    const other = await check(shipped.path, data, nowhere);
    assert.doesNotMatch(other.checked[0]?.notes.join() ?? "", /servers were not started/);
  });
});

interface Checked {
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly notes: readonly string[];
}

async function check(root: string, data: string, env: Record<string, string> = {}) {
  const args = ["task", "check", "test/note", "--root", root, "--data", data, "--json"];
  const { exitCode: code, stdout, stderr } = await cloche(args, env);
  const out = `${stdout}\n${stderr}`;
  const { checked } = JSON.parse(stdout) as { checked: readonly Checked[] };
  return { code, out, checked };
}

async function cloche(args: readonly string[], env: Record<string, string> = {}) {
  return await execa(process.execPath, ["cloche.mjs", ...args], { env, reject: false });
}
