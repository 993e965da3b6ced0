import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { policyFor } from "../../runtime/policy/policies.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { openTestRuntime, play } from "../support/runtime.ts";
import { ofNote, smallTask } from "../support/small-task.ts";

/** A server of the task's own that says in which words it was called. */
const HEARD = `import json, sys
about = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
         "serverInfo": {"name": "ear", "version": "1"}}
tools = [{"name": "hear", "inputSchema": {"type": "object"}}]
for line in sys.stdin:
    asked = json.loads(line)
    said = {"content": [{"type": "text", "text": line}]}
    result = {"initialize": about, "tools/list": {"tools": tools}, "tools/call": said}
    if "id" in asked:
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": result.get(asked["method"], {})}
        print(json.dumps(answer), flush=True)
`;
const OWN = `[[environment.mcp_servers]]
name = "ear"
transport = "stdio"
command = "/usr/bin/python3"
args = ["-c", '''
${HEARD}''']

[cloche]`;
const SOLUTION = `def solve(agent):
    heard = agent.call("hear", price=1.0, count=9007199254740993, deep={"list": [2.0, 1e-07, -0.0]})
    return str(heard.text if hasattr(heard, "text") else heard)
`;
const SAID = '{"price":1.0,"count":9007199254740993,"deep":{"list":[2.0,1e-07,-0.0]}}';

test("numbers of a solution reach the tool and the step as Python wrote them", async () => {
  await using runtime = await openTestRuntime();
  await using root = await smallTask({
    "task.toml": ofNote("task.toml", "[cloche]", OWN),
    "solution.py": SOLUTION,
  });
  const record = await play(runtime, root.path, "test/note", (of, { task }) =>
    policyFor("oracle", task, {
      ...{ engine: of.engine, image: of.images.grader, clock: of.clock },
      labels: { owner: of.data.owner, process: of.process },
    }),
  );
  assert.equal(record.outcome, "graded", JSON.stringify(record.fault));
  const { stepsFile } = await openBundle(join(runtime.data.bundles, record.bundle ?? ""));
  const steps = await readFile(stepsFile, "utf8");
  assert.ok(steps.includes(`"arguments":${SAID}`), steps);
  assert.ok(steps.includes(JSON.stringify(`"arguments":${SAID}`).slice(1, -1)), steps);
});
