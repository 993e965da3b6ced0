import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CODES } from "../../runtime/api/codes.ts";
import { jsonOf, openTestApi, type TestApi } from "./test-api.ts";

describe("for whoever watches over the service", () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi();
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
  });

  it("says that it is ready after a sandbox was made, used and removed, and remembers it", async () => {
    const [one, two] = await Promise.all([
      api.ask("GET", "/readyz", { key: null }),
      api.ask("GET", "/readyz", { key: null }),
    ]);
    assert.equal(one.status, 200, one.text);
    assert.deepEqual(one.json, two.json);
    await api.runtime.assertNothingLeft();
    const later = await api.ask("GET", "/readyz");
    assert.deepEqual(later.json, one.json);
  });

  it("is not ready while it starts or drains, but healthy", async () => {
    for (const state of ["starting", "draining"] as const) {
      api.state = state;
      const ready = await api.ask("GET", "/readyz", { key: null });
      assert.deepEqual([ready.status, ready.json.code], [503, "api/not-ready"]);
      assert.match(ready.headers.get("retry-after") ?? "", /^\d+$/);
      const health = await api.ask("GET", "/healthz", { key: null });
      assert.deepEqual(health.json, { status: "ok", phase: state });
    }
    api.state = "serving";
  });

  it("counts what happened, for those with a key", async () => {
    assert.equal((await api.ask("GET", "/metrics", { key: null })).status, 401);
    const id = await api.serving();
    await api.ask("POST", `/v1/rollouts/${id}/tools/no_such_tool`);
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const { text } = await api.ask("GET", "/metrics");
    const value = (name: string) => {
      const line = text.split("\n").find((one) => one.startsWith(`${name} `));
      return Number(line?.split(" ")[1] ?? assert.fail(`there is no ${name}`));
    };
    assert.equal(value('cloche_rollouts_ended_total{outcome="graded"}'), 1);
    assert.equal(value('cloche_rollouts_open{phase="serving"}'), 0);
    assert.equal(value("cloche_queue_length"), 0);
    assert.equal(value("cloche_queue_wait_seconds_count"), 1);
    assert.equal(value('cloche_steps_total{outcome="invalid_args"}'), 1);
    assert.equal(value('cloche_step_seconds_count{part="proxy"}'), 1);
    assert.equal(value("cloche_capture_seconds_count"), 1);
    assert.equal(value("cloche_grade_seconds_count"), 1);
    assert(value('cloche_engine_call_seconds_count{call="create",ok="true"}') >= 1);
    assert.equal(value("cloche_leaks_found_total"), 0);
    assert(text.includes('route="/v1/rollouts/:id/finish",status="200"'));
    assert(!text.includes(id), "an id is a label with too many values");
  });

  it("describes itself in OpenAPI 3.1 with every route that it has", async () => {
    const json = await jsonOf(api.app.request("/openapi.json") as Promise<Response>);
    assert.equal(json.openapi, "3.1.0");
    const described = Object.entries(json.paths as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = api.app.routes
      .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
      .map(({ method, path }) => `${method} ${path.replace(/:([^/]+)/g, "{$1}")}`);
    const pages = ["GET /openapi.json", "GET /docs"];
    assert.deepEqual([...new Set(served)].sort(), [...described, ...pages].sort());
    const unresolved = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)]
      .map(([, name]) => name ?? "")
      .filter((name) => !(name in json.components.schemas));
    assert.deepEqual(unresolved, []);
  });

  it("can be read on a page that needs nothing from elsewhere", async () => {
    const page = await api.app.request("/docs");
    const text = await page.text();
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert(!/\b(src|href)="(https?:)?\/\//.test(text), "it refers to another host");
    assert(!/<script/i.test(text));
    for (const code of CODES.keys()) assert(text.includes(`id="${code}"`), code);
    const anchors = [...text.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor);
    const missing = anchors.filter((anchor) => !text.includes(`id="${anchor}"`));
    assert.deepEqual(missing, []);
  });
});
