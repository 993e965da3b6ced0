import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type Answer, type Ask, openTestApi, type TestApi } from "./test-api.ts";

const REQUEST = { task: "test/note" };
/** Every path that takes a method, a live rollout's id in it. */
const ROUTES = [
  ["POST", "/v1/rollouts"],
  ["GET", "/v1/rollouts"],
  ["GET", "/v1/rollouts/ID"],
  ["POST", "/v1/rollouts/ID/heartbeat"],
  ["GET", "/v1/rollouts/ID/tools"],
  ["POST", "/v1/rollouts/ID/tools"],
  ["POST", "/v1/rollouts/ID/tools/read_file"],
  ["GET", "/v1/rollouts/ID/steps"],
  ["GET", "/v1/rollouts/ID/bundle"],
  ["POST", "/v1/groups"],
  ["GET", "/v1/groups/ID"],
  ["POST", "/v1/grade"],
  ["GET", "/v1/tasks"],
  ["GET", "/metrics"],
] as const;

describe("bad input", () => {
  let api: TestApi;
  let id: string;
  before(async () => {
    api = await openTestApi();
    id = await api.serving();
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
  });

  async function refused(method: string, path: string, ask: Ask, code: string): Promise<Answer> {
    const answer = await api.ask(method, path.replace("ID", id), ask);
    assert.equal(answer.json?.code, code, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  it("without a key, or with a rollout's token for one, is refused before anything is read", async () => {
    const { mcp } = (await api.ask("GET", `/v1/rollouts/${id}`)).json;
    for (const [method, path] of ROUTES) {
      const body = method === "POST" ? { raw: "{" } : {};
      const none = await refused(method, path, { key: null, ...body }, "api/no-key");
      assert.equal(none.headers.get("www-authenticate"), "Bearer");
      const wrong = await refused(method, path, { key: mcp.token }, "api/no-key");
      assert.equal(wrong.status, 401);
      assert.match(wrong.headers.get("www-authenticate") ?? "", /invalid_token/);
    }
  });

  it("of an unknown field is refused with the nearest one", async () => {
    const wrong = [
      ["/v1/rollouts", { ...REQUEST, lables: {} }, "labels"],
      ["/v1/rollouts", { ...REQUEST, budget: { call: 1 } }, "calls"],
      ["/v1/rollouts", { ...REQUEST, limits: { memoryByte: 1 } }, "memoryBytes"],
      ["/v1/groups", { ...REQUEST, n: 1, leasems: 9000 }, "leaseMs"],
      ["/v1/rollouts/ID/finish", { answr: "x" }, "answer"],
      ["/v1/rollouts/ID/tools", { calls: [{ name: "x", argumens: {} }] }, "arguments"],
      ["/v1/rollouts/ID/tools/read_file", { argument: {} }, "arguments"],
      ["/v1/grade", { rolout: id }, "rollout"],
    ] as const;
    for (const [path, json, nearest] of wrong) {
      const { status, json: problem } = await refused("POST", path, { json }, "api/bad-request");
      assert.equal(status, 400);
      assert(problem.detail.includes(`did you mean "${nearest}"`), problem.detail);
    }
    for (const [method, path] of ROUTES) {
      if (path === "/metrics") continue;
      const json = method === "POST" ? {} : undefined;
      await refused(method, `${path}?no_such_parameter=1`, { json }, "api/bad-request");
    }
  });

  it("of a wrong type or out of bounds is refused, naming the field", async () => {
    const wrong: readonly (readonly [object, string])[] = [
      [{}, "task"],
      [{ task: 1 }, "task"],
      [{ task: "" }, "task"],
      [{ task: "x".repeat(201) }, "task"],
      [{ ...REQUEST, variant: 0 }, "variant"],
      [{ ...REQUEST, variant: 1.5 }, "variant"],
      [{ ...REQUEST, variant: "1" }, "variant"],
      [{ ...REQUEST, labels: [] }, "labels"],
      [{ ...REQUEST, labels: { a: 1 } }, "labels.a"],
      [{ ...REQUEST, labels: { "": "x" } }, "labels"],
      [{ ...REQUEST, labels: { a: "x".repeat(257) } }, "labels.a"],
      [{ ...REQUEST, policy: "two words" }, "policy"],
      [{ ...REQUEST, leaseMs: 4999 }, "leaseMs"],
      [{ ...REQUEST, leaseMs: 3_600_001 }, "leaseMs"],
      [{ ...REQUEST, budget: { calls: -1 } }, "budget.calls"],
      [{ ...REQUEST, budget: { calls: 1e9 } }, "budget.calls"],
      [{ ...REQUEST, budget: null }, "budget"],
      [{ ...REQUEST, limits: { processes: 17.5 } }, "limits.processes"],
      [{ ...REQUEST, limits: { memoryBytes: 1e15 } }, "limits.memoryBytes"],
      [{ ...REQUEST, limits: { cpus: 0 } }, "limits.cpus"],
      [{ ...REQUEST, group: "two words" }, "group"],
      [{ ...REQUEST, group: `group-${"0".repeat(16)}` }, "group"],
    ];
    for (const [json, field] of wrong) {
      const answer = await api.ask("POST", "/v1/rollouts", { json });
      assert.equal(answer.status, 400, JSON.stringify(json));
      assert(answer.json.detail.includes(field), `${answer.json.detail} does not name ${field}`);
    }
    for (const n of [0, 257, 1.5, "1", null, undefined]) {
      await refused("POST", "/v1/groups", { json: { ...REQUEST, n } }, "api/bad-request");
    }
    const labelled = { ...REQUEST, n: 1, group: "a" };
    await refused("POST", "/v1/groups", { json: labelled }, "api/bad-request");
    await refused("POST", "/v1/rollouts/ID/tools", { json: { calls: [] } }, "api/bad-request");
    const calls = Array.from({ length: 257 }, () => ({ name: "read_file" }));
    await refused("POST", "/v1/rollouts/ID/tools", { json: { calls } }, "api/bad-request");
    const headers = { "idempotency-key": "ä" };
    await refused("POST", "/v1/rollouts", { json: REQUEST, headers }, "api/bad-request");
  });

  it("of a task or variant that is not there is 404, naming the nearest", async () => {
    const json = { task: "test/nite" };
    const { status, json: problem } = await refused(
      "POST",
      "/v1/rollouts",
      { json },
      "task/unknown",
    );
    assert.equal(status, 404);
    assert.match(problem.detail, /test\/note/);
    const far = { ...REQUEST, variant: 3 };
    await refused("POST", "/v1/rollouts", { json: far }, "task/no-such-variant");
  });

  it("that is no JSON, too deep, not UTF-8 or of another type is refused", async () => {
    const json = { "content-type": "application/json" };
    for (const path of ["/v1/rollouts", "/v1/groups", "/v1/rollouts/ID/tools", "/v1/grade"]) {
      for (const raw of ["{", "nul", '{"task":}', "\ufeff{}x", "[".repeat(101) + "]".repeat(101)]) {
        const answer = await refused("POST", path, { raw, headers: json }, "api/bad-json");
        assert.equal(answer.status, 400);
      }
      const bytes = Buffer.from([0x22, 0xff, 0x22]);
      await refused("POST", path, { raw: bytes, headers: json }, "api/bad-json");
      const headers = { "content-type": "text/plain" };
      const typed = await refused("POST", path, { raw: "{}", headers }, "api/unsupported-type");
      assert.equal(typed.status, 415);
    }
    const deep = `{"a":${"[".repeat(100_000)}`;
    await refused("POST", "/v1/rollouts", { raw: deep, headers: json }, "api/bad-json");
    const strings = JSON.stringify({ arguments: { path: "[{".repeat(500) } });
    const fine = await api.ask("POST", `/v1/rollouts/${id}/tools/read_file`, {
      raw: strings,
      headers: json,
    });
    assert.equal(fine.status, 200, "brackets in a string are no nesting");
  });

  it("that is too large is refused, whether it says its size or not", async () => {
    const json = { "content-type": "application/json" };
    const large = `{"task":"${"x".repeat(1_100_000)}"}`;
    const said = { ...json, "content-length": String(large.length) };
    for (const headers of [json, said]) {
      const answer = await refused(
        "POST",
        "/v1/rollouts",
        { raw: large, headers },
        "api/body-too-large",
      );
      assert.equal(answer.status, 413);
    }
    const call = { arguments: { path: "/workspace/a", content: "x".repeat(1_100_000) } };
    const written = await api.ask("POST", `/v1/rollouts/${id}/tools/write_file`, { json: call });
    assert.equal(written.status, 200, "a file has to fit into a call");
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(1024 * 1024, 0x20)),
    });
    const path = "/v1/rollouts/ID/tools/write_file";
    await refused("POST", path, { raw: endless, headers: json }, "api/body-too-large");
  });

  it("of a cursor that no list gave is refused", async () => {
    for (const cursor of ["x", "AAAA", Buffer.from("a b c").toString("base64url"), "%00"]) {
      await refused("GET", `/v1/rollouts?cursor=${cursor}`, {}, "store/bad-cursor");
    }
    const wrong = ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "outcome=won", "cursor="];
    const filters = ["since=soon", "until=2026-02-30", "since=2026-03-02T09:00", "split=test"];
    wrong.push(...filters, "minReward=x", "maxReward=2", "minReward=1e0", "minReward=", "id=");
    for (const query of wrong) await refused("GET", `/v1/rollouts?${query}`, {}, "api/bad-request");
    await refused("GET", "/v1/rollouts/ID/steps?after=-1", {}, "api/bad-request");
    const headers = { "last-event-id": "first" };
    await refused("GET", "/v1/rollouts/ID/events", { headers }, "api/bad-request");
  });

  it("of a path or method that is not there is answered with what is", async () => {
    await refused("GET", "/v2/rollouts", {}, "api/no-route");
    await refused("POST", "/v1/rollouts/ID/nothing", {}, "api/no-route");
    const answer = await refused("PUT", "/v1/rollouts/ID", {}, "api/wrong-method");
    assert.equal(answer.status, 405);
    assert.deepEqual(answer.headers.get("allow")?.split(", ").sort(), ["DELETE", "GET"]);
    for (const path of ["/v1/rollouts/..%2f..%2fetc", "/v1/rollouts/%00", "/v1/rollouts/%ff"]) {
      const absent = await api.ask("GET", path);
      assert.equal(absent.status, 404, path);
    }
  });

  it("of any shape never breaks the service, and the rollout goes on", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("test/note", id, "__proto__"),
    );
    const members = fc.dictionary(
      fc.constantFrom(
        "task",
        "variant",
        "n",
        "calls",
        "labels",
        "arguments",
        "rollout",
        "answr",
        "__proto__",
      ),
      fc.oneof(
        { weight: 1, arbitrary: text },
        { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
      ),
      { noNullPrototype: false },
    );
    const body = fc.oneof(members, fc.jsonValue(), text);
    const query = fc.dictionary(
      fc.constantFrom("limit", "cursor", "after", "format", "outcome"),
      text,
    );
    const inputs = [fc.constantFrom(...ROUTES), body, query] as const;
    await fc.assert(
      fc.asyncProperty(...inputs, async ([method, pattern], value, parameters) => {
        const search = new URLSearchParams(parameters as Record<string, string>);
        const path = `${pattern.replace("ID", id)}?${search}`;
        const answer = await api.ask(method, path, method === "POST" ? { json: value } : {});
        assert(answer.status < 500, `${method} ${path} ${JSON.stringify(value)}: ${answer.text}`);
        if (answer.status === 201) {
          const made = answer.json.members ?? [answer.json];
          for (const one of made) await api.ask("DELETE", `/v1/rollouts/${one.id}`);
        }
      }),
      { numRuns: 300 },
    );
    assert.equal((await api.ask("GET", `/v1/rollouts/${id}`)).json.phase, "serving");
  });
});
