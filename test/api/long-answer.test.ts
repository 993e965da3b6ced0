import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openTestApi, type TestApi } from "./test-api.ts";

/** Short enough for a test; what is quick is far below it, what is slow far above. */
const KEEP_ALIVE_MS = 700;
const SLOW = { command: "sleep 2; echo slept" };

describe("a tool that takes its time, called over plain HTTP", () => {
  let api: TestApi;
  let path: string;
  before(async () => {
    api = await openTestApi({ keepAliveMs: KEEP_ALIVE_MS });
    path = `/v1/rollouts/${await api.serving()}/tools`;
  });
  after(async () => {
    await api?.[Symbol.asyncDispose]();
  });

  it("is refused with the status of what is wrong, if that is known in time", async () => {
    const absent = await api.ask("POST", "/v1/rollouts/absent/tools/run_command", { json: {} });
    assert.deepEqual([absent.status, absent.json.code], [404, "rollout/unknown"]);
    const json = { argument: {} };
    assert.equal((await api.ask("POST", `${path}/run_command`, { json })).status, 400);
  });

  it("is answered as ever if it is quick", async () => {
    const json = { arguments: { path: "/workspace" } };
    const { status, text } = await api.ask("POST", `${path}/list_directory`, { json });
    assert.equal(status, 200);
    assert.match(text.trimStart(), /^\{"result"/);
  });

  it("begins its answer early, shows life, and ends it with the JSON", async () => {
    const one = await api.ask("POST", `${path}/run_command`, { json: { arguments: SLOW } });
    assert.equal(one.status, 200);
    assert.match(one.text, /^ {2,4}\{"result"/);
    assert.match(JSON.stringify(one.json.result), /slept/);
    const quick = { name: "list_directory", arguments: { path: "/workspace" } };
    const calls = [quick, { name: "run_command", arguments: SLOW }, { name: "nonsense" }];
    const many = await api.ask("POST", path, { json: { calls } });
    assert.match(many.text, /^ {2,4}\{"answers"/);
    const kinds = many.json.answers.map((answer: object) => Object.keys(answer)[0]);
    assert.deepEqual(kinds, ["result", "result", "error"]);
  });

  it("goes on and is recorded when who asked has gone", async () => {
    const id = path.split("/")[3] ?? "";
    const before = (await api.service.view(id, { key: "mine" })).record;
    assert.equal(before, null);
    const count = async () => (await api.ask("GET", `/v1/rollouts/${id}/steps`)).text.split("\n");
    const had = (await count()).length;
    const response = await api.app.request(`http://localhost${path}/run_command`, {
      method: "POST",
      headers: { authorization: "Bearer key-of-mine", "content-type": "application/json" },
      body: JSON.stringify({ arguments: SLOW }),
    });
    const reader = response.body?.getReader();
    assert.equal(new TextDecoder().decode((await reader?.read())?.value), " ");
    await reader?.cancel();
    while ((await count()).length === had) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it("says in its place what failed when its status had been sent", async () => {
    const failing: typeof api.service.call = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2 * KEEP_ALIVE_MS));
      throw new Error("a secret of the house");
    };
    const { call } = api.service;
    api.service.call = failing;
    try {
      const one = await api.ask("POST", `${path}/run_command`, { json: { arguments: SLOW } });
      assert.equal(one.status, 200);
      assert.equal(one.json.error.code, -32603);
      assert.match(one.json.error.message, /request req-\w+ in the service's log/);
      assert(!one.text.includes("secret"));
      const calls = [{ name: "a" }, { name: "b" }];
      const many = await api.ask("POST", path, { json: { calls } });
      assert.equal(many.json.answers.length, 2);
    } finally {
      api.service.call = call;
    }
  });
});
