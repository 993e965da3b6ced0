import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Slots } from "../../runtime/api/slots.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { openTestApi, THEIRS } from "./test-api.ts";

const REQUEST = { json: { task: "test/note" } };

describe("what there is no room for", () => {
  it("is refused at once with 429 and when to come back, and leaves nothing", async () => {
    await using api = await openTestApi({ service: { inFlight: 1, maxQueued: 1 } });
    const first = await api.ask("POST", "/v1/rollouts", REQUEST);
    const second = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.deepEqual([first.status, second.status], [201, 201]);
    const third = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.deepEqual([third.status, third.json.code], [429, "rollout/queue-full"]);
    assert.match(third.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    const group = await api.ask("POST", "/v1/groups", { json: { task: "test/note", n: 2 } });
    assert.equal(group.status, 429);
    const listed = await api.ask("GET", "/v1/rollouts");
    assert.equal(listed.json.records.length, 2);
    for (const { json } of [second, first]) await api.ask("DELETE", `/v1/rollouts/${json.id}`);
    const later = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.equal(later.status, 201);
    await api.ask("DELETE", `/v1/rollouts/${later.json.id}`);
  });

  it("is counted by key: one key's rollouts and requests take nothing from another's", async () => {
    const keys = [
      { id: "mine", sha256: sha256("key-of-mine"), open: 1, rate: 0.001, burst: 4 },
      { id: "theirs", sha256: sha256(THEIRS) },
    ];
    await using api = await openTestApi({ keys });
    const first = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.equal(first.status, 201);
    const second = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.deepEqual([second.status, second.json.code], [429, "rollout/over-limit"]);
    const theirs = await api.ask("POST", "/v1/rollouts", { ...REQUEST, key: THEIRS });
    assert.equal(theirs.status, 201);
    await api.ask("DELETE", `/v1/rollouts/${theirs.json.id}`, { key: THEIRS });
    await api.ask("DELETE", `/v1/rollouts/${first.json.id}`);
    assert.equal((await api.ask("GET", "/v1/tasks")).status, 200);
    const empty = await api.ask("GET", "/v1/tasks");
    assert.deepEqual([empty.status, empty.json.code], [429, "api/rate-limited"]);
    assert(Number(empty.headers.get("retry-after")) > 1);
    assert.equal((await api.ask("GET", "/v1/tasks", { key: THEIRS })).status, 200);
  });

  it("is refused with 503 while the service ends", async () => {
    await using api = await openTestApi();
    await api.service.drain(0, AbortSignal.abort());
    const answer = await api.ask("POST", "/v1/rollouts", REQUEST);
    assert.deepEqual([answer.status, answer.json.code], [503, "rollout/draining"]);
    assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.equal((await api.ask("GET", "/v1/rollouts")).status, 200);
  });
});

describe("bundles to be graded again", () => {
  it("are refused past their bound, and taken again when one is done", () => {
    const slots = new Slots(2);
    const places = [slots.enter(), slots.enter()];
    assert.throws(() => slots.enter(), { code: "api/grades-full" });
    places[0]?.[Symbol.dispose]();
    slots.enter();
    assert.throws(() => slots.enter(), { code: "api/grades-full" });
  });
});
