import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { receiveBundle } from "../../runtime/api/bundle-archive.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { ofNote } from "../support/small-task.ts";
import { openTestApi, type TestApi, type TestApiOptions } from "./test-api.ts";

const WRITE = { path: "/workspace/note.txt", content: "hello-1\n" };

interface Ending {
  readonly outcome: string;
  readonly task?: TestApiOptions["task"];
  /** Ends it, unless it ends by itself. */
  end(api: TestApi, id: string): Promise<unknown>;
  readonly isCaptured: boolean;
}

const run = (api: TestApi, id: string, command: string) =>
  api.ask("POST", `/v1/rollouts/${id}/tools/run_command`, { json: { arguments: { command } } });
const finish = (api: TestApi, id: string) => api.ask("POST", `/v1/rollouts/${id}/finish`);

const ENDINGS: readonly Ending[] = [
  {
    outcome: "cancelled",
    end: (api, id) => api.ask("DELETE", `/v1/rollouts/${id}`),
    isCaptured: true,
  },
  {
    outcome: "infra_error",
    async end(api, id) {
      const { engine, data, records } = api.runtime;
      const sandbox = (await records.get(id))?.sandbox;
      const found = (await engine.find(data.owner)).find((one) => one.id === sandbox);
      assert.ok(found);
      await engine.remove(found);
      await finish(api, id);
    },
    isCaptured: false,
  },
  {
    outcome: "agent_error",
    async end(api, id) {
      await run(api, id, "for n in 1 2 3 4 5 6; do truncate -s 16M /workspace/$n; done");
      await finish(api, id);
    },
    isCaptured: false,
  },
  {
    outcome: "grader_error",
    task: {
      "grader.py": ofNote(
        "grader.py",
        "    text = run",
        "    raise KeyError('no')\n    text = run",
      ),
    },
    end: finish,
    isCaptured: true,
  },
];

describe("a rollout that ended without a grade", () => {
  for (const { outcome, task, end, isCaptured } of ENDINGS) {
    it(`as ${outcome} gives its steps, events and bundle as any other`, async () => {
      await using api = await openTestApi(task ? { task } : {});
      const id = await api.serving();
      const path = `/v1/rollouts/${id}`;
      await api.ask("POST", `${path}/tools/write_file`, { json: { arguments: WRITE } });
      await run(api, id, "ls /workspace");
      await end(api, id);
      const { json } = await api.ask("GET", path);
      const reward = outcome === "agent_error" ? 0 : null;
      assert.deepEqual([json.outcome, json.reward], [outcome, reward]);
      const steps = await stepsOf(api, id);
      assert.equal(steps.length, json.record.steps);
      assert.deepEqual(
        steps.slice(0, 2).map(({ tool }) => tool),
        ["write_file", "run_command"],
      );
      const { text } = await api.ask("GET", `${path}/events`);
      assert.equal(text.match(/^event: step$/gm)?.length, steps.length);

      await using bundle = await downloaded(api, id);
      assert.equal(bundle.id, json.record.bundle);
      assert.deepEqual([bundle.manifest.outcome, bundle.manifest.steps], [outcome, steps.length]);
      const note = bundle.after?.entries.find((entry) => entry.path === "note.txt");
      assert.deepEqual([note !== undefined, bundle.after !== null], [isCaptured, isCaptured]);

      const again = await api.ask("POST", "/v1/grade", { json: { rollout: id } });
      const wanted = isCaptured ? [200, undefined] : [422, "store/bundle-uncaptured"];
      assert.deepEqual([again.status, again.json.code], wanted, again.text);
      await api.runtime.assertNothingLeft();
    });
  }

  it("as task_error, since a server did not start, keeps what was said with it", async () => {
    const server = '[[environment.mcp_servers]]\nname = "terminal"';
    const broken =
      '[[environment.mcp_servers]]\nname = "own"\ntransport = "stdio"\ncommand = "false"';
    await using api = await openTestApi({
      task: { "task.toml": ofNote("task.toml", server, broken) },
    });
    const request = { json: { task: "test/note" }, headers: { prefer: "wait=60" } };
    const { json } = await api.ask("POST", "/v1/rollouts", request);
    assert.equal(json.outcome, "task_error");
    assert.deepEqual(await stepsOf(api, json.id), []);
    await using bundle = await downloaded(api, json.id);
    assert.deepEqual([bundle.manifest.outcome, bundle.after], ["task_error", null]);
  });

  it("before anything was begun is told to have no bundle, and no steps", async () => {
    await using api = await openTestApi({ service: { inFlight: 1 } });
    await api.serving();
    const { json } = await api.ask("POST", "/v1/rollouts", { json: { task: "test/note" } });
    const ended = await api.ask("DELETE", `/v1/rollouts/${json.id}`);
    assert.deepEqual([ended.json.outcome, ended.json.record.bundle], ["cancelled", null]);
    assert.deepEqual(await stepsOf(api, json.id), []);
    const bundle = await api.ask("GET", `/v1/rollouts/${json.id}/bundle`);
    assert.deepEqual([bundle.status, bundle.json.code], [404, "api/no-bundle"]);
  });
});

async function stepsOf(api: TestApi, id: string): Promise<Record<string, unknown>[]> {
  const { status, text } = await api.ask("GET", `/v1/rollouts/${id}/steps`);
  assert.equal(status, 200);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

async function downloaded(api: TestApi, id: string): Promise<Bundle & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "cloche-ending-"));
  const headers = { authorization: "Bearer key-of-mine" };
  const response = await api.app.request(`/v1/rollouts/${id}/bundle`, { headers });
  assert.equal(response.status, 200);
  assert.ok(response.body);
  await receiveBundle(response.body, folder);
  const bundle = await openBundle(folder);
  const remove = () => rm(folder, { recursive: true, force: true });
  return { ...bundle, [Symbol.asyncDispose]: remove };
}
