import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEngine } from "../../runtime/engine/engines.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import type { Phase } from "../../runtime/store/record.ts";
import { FaultyDocker } from "../support/faulty-docker.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";

describe("a rollout on an engine that fails in the middle", () => {
  let docker: FaultyDocker;
  let healthy: TestRuntime;
  let runtime: TestRuntime;
  let root: TestRoot;

  before(async () => {
    docker = await FaultyDocker.open();
    const options = { env: process.env, address: docker.address, deadlineMs: 1_500, patienceMs: 0 };
    runtime = await openTestRuntime({ engine: await openEngine("docker", options) });
    healthy = await openTestRuntime();
    root = await smallTask();
    await play(runtime, root.path, "test/note", nullPolicy);
  });

  after(async () => {
    if (docker) docker.mischief = () => "pass";
    await runtime?.[Symbol.asyncDispose]();
    await healthy?.[Symbol.asyncDispose]();
    await docker?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
  });

  for (const phase of ["requested", "seeded", "serving", "finished"] as const) {
    it(`which stops answering once ${phase} ends as infra_error with its record kept`, async () => {
      const record = await failing(phase, "hang");
      assert.equal(record.outcome, "infra_error");
      assert.equal(record.reward, null);
      assert.equal(record.phase, "stored");
      assert.equal(record.fault?.code, "engine/no-answer");
      assert.deepEqual(await runtime.records.get(record.id), record);
    });
  }

  it("which stops answering once captured is graded all the same: the grader was there before", async () => {
    const record = await failing("captured", "hang");
    assert.equal(record.outcome, "graded");
    assert.deepEqual(await runtime.records.get(record.id), record);
  });

  it("whose connections break off once it serves ends as infra_error, not as the agent's fault", async () => {
    const record = await failing("serving", "cut");
    assert.equal(record.outcome, "infra_error");
    assert.equal(record.reward, null);
  });

  it("leaves nothing that the reaper's list does not name, and an engine that answers again can clear", async () => {
    for (const found of await runtime.engine.find(runtime.data.owner)) {
      assert.match(found.parts.join(" "), /^cloche-/);
      await runtime.engine.remove(found);
    }
    await runtime.assertNothingLeft();
  });

  async function failing(phase: Phase, mischief: "hang" | "cut") {
    try {
      return await play(runtime, root.path, "test/note", lister, {
        watcher: {
          onPhase: (reached) => {
            if (reached === phase) docker.mischief = () => mischief;
          },
        },
      });
    } finally {
      docker.mischief = () => "pass";
    }
  }
});

/** Calls a tool that needs the engine: a shell is an exec of its own. */
const lister: Policy = {
  name: "test",
  async play({ url, token }, signal) {
    await using client = await connectClient(url, token, signal);
    await client.callTool("run_command", { command: "true" });
    return { answer: null };
  },
};
