import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { ApiServer } from "../../runtime/api/api-server.ts";
import { createApi } from "../../runtime/api/app.ts";
import { Canary } from "../../runtime/api/canary.ts";
import { Keys } from "../../runtime/api/keys.ts";
import { ServiceMetrics } from "../../runtime/api/metrics.ts";
import { isLoopback, reachOf } from "../../runtime/api/reach.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { McpEndpoint } from "../../runtime/mcp/door/endpoint.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { openRolloutService } from "../../runtime/service/rollout-service.ts";
import type { RolloutService } from "../../runtime/service/service.ts";
import { openTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";
import { jsonOf } from "./test-api.ts";

const WRITE = { arguments: { path: "/workspace/note.txt", content: "hello-1\n" } };

describe("the port of the service", () => {
  let runtime: TestRuntime;
  let root: TestRoot;
  let server: ApiServer;
  let service: RolloutService;
  before(async () => {
    runtime = await openTestRuntime();
    root = await smallTask();
    server = await ApiServer.listen({ host: "127.0.0.1", port: 0, log: silentLog });
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await runtime[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  const post = (path: string, body?: unknown, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      ...init,
      headers: { "content-type": "application/json", ...init.headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const view = (id: string) => jsonOf(fetch(`${server.url}/v1/rollouts/${id}`));
  const serving = async () => {
    const headers = { prefer: "wait=60" };
    return jsonOf(post("/v1/rollouts", { task: "test/note" }, { headers }));
  };

  it("answers 503 until there is something to serve", async () => {
    const answer = await fetch(`${server.url}/healthz`);
    assert.equal(answer.status, 503);
    assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
    assert.equal((await jsonOf(answer)).code, "api/not-ready");
    const endpoint = new McpEndpoint({ url: server.url, log: silentLog, ...server.reach });
    const parts = { ...runtime, listener: endpoint };
    service = await openRolloutService(parts, { tasksRoot: root.path, pool: { max: 0 } });
    const keys = new Keys([], runtime.clock);
    const canary = new Canary(runtime);
    const rest = { service, keys, canary, metrics: new ServiceMetrics(), version: "0" };
    const state = () => "serving" as const;
    const api = createApi({ ...runtime, ...rest, state, tasksRoot: root.path });
    server.serve(api.fetch, endpoint);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  it("answers to its own names only, before anything else is looked at", async () => {
    const { port } = server;
    const own = `Host: 127.0.0.1:${port}`;
    const refused = [
      "Host: evil.example",
      `Host: evil.example:${port}`,
      `Host: 127.0.0.1.evil.example:${port}`,
      `Host: 127.0.0.1:${port}\r\nOrigin: http://evil.example`,
      `${own}\r\nOrigin: null`,
      `${own}\r\nOrigin: http://localhost:1`,
      "Host:",
    ];
    for (const path of ["/v1/rollouts", "/healthz", "/rollouts/r1/mcp", "/nothing"]) {
      for (const headers of refused) {
        const answer = await raw(port, `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 (403|400)/, `${path} ${headers}: ${answer}`);
      }
    }
    const allowed = [own, `Host: LOCALHOST:${port}`, `${own}\r\nOrigin: http://127.0.0.1:${port}`];
    for (const headers of allowed) {
      const request = `GET /healthz HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`;
      assert.match(await raw(port, request), /^HTTP\/1\.1 200/);
    }
  });

  it("refuses what is no request with 400 and lives on", async () => {
    const host = `Host: 127.0.0.1:${server.port}`;
    const requests = [
      "nonsense\r\n\r\n",
      `GET \\..\\x HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
      `GET http:// HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
      `GET /x HTTP/1.1\r\n${host}\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
      `POST /v1/rollouts HTTP/1.1\r\n${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ];
    for (const request of requests) {
      assert.match(await raw(server.port, request), /^HTTP\/1\.1 4\d\d/, request.slice(0, 60));
    }
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  it("serves each rollout's agents on its own path, for its own token only", async () => {
    const [one, other] = await Promise.all([serving(), serving()]);
    assert.equal(one.mcp.url, `${server.url}/rollouts/${one.id}/mcp`);
    const { signal } = new AbortController();
    await assert.rejects(connectClient(one.mcp.url, other.mcp.token, signal));
    await assert.rejects(connectClient(other.mcp.url, one.mcp.token, signal));
    const client = await connectClient(one.mcp.url, one.mcp.token, signal);
    const called = await client.callTool("write_file", WRITE.arguments);
    assert("result" in called && !called.result["isError"]);
    await client.close();
    const ended = await jsonOf(post(`/v1/rollouts/${one.id}/finish`));
    assert.deepEqual(ended.record.reward, { sparse: 1, dense: 1, gain: 1 });
    assert.equal(ended.record.steps, 1);
    await fetch(`${server.url}/v1/rollouts/${other.id}`, { method: "DELETE" });
  });

  it("loses nothing when the client vanishes while it waits for the rollout to serve", async () => {
    const key = { "idempotency-key": "vanishes", prefer: "wait=60" };
    const gone = new AbortController();
    const asking = post(
      "/v1/rollouts",
      { task: "test/note" },
      { headers: key, signal: gone.signal },
    );
    while (service.stats().open.requested === undefined) await new Promise(setImmediate);
    gone.abort();
    await assert.rejects(asking);
    const again = await jsonOf(post("/v1/rollouts", { task: "test/note" }, { headers: key }));
    assert.equal(again.phase, "serving");
    await fetch(`${server.url}/v1/rollouts/${again.id}`, { method: "DELETE" });
  });

  it("loses nothing when the client vanishes during a call, while it follows, or in its finish", async () => {
    const { id } = await serving();
    const path = `/v1/rollouts/${id}`;
    const gone = new AbortController();
    const { signal } = gone;
    const events = await fetch(`${server.url}${path}/events`, { signal });
    const reader = events.body?.getReader();
    await reader?.read();
    const late = "until [ -e /workspace/go.txt ]; do sleep 0.05; done; echo > /workspace/late.txt";
    const slow = { arguments: { command: late } };
    const { tools } = await jsonOf(fetch(`${server.url}${path}/tools`));
    const shell = tools.find((tool: { name: string }) => /run|exec|command/.test(tool.name));
    const calling = post(`${path}/tools/${shell.name}`, slow, { signal });
    const written = await post(`${path}/tools/write_file`, WRITE);
    assert.equal(written.status, 200);
    gone.abort();
    await assert.rejects(calling);
    const go = { arguments: { path: "/workspace/go.txt", content: "" } };
    assert.equal((await post(`${path}/tools/write_file`, go)).status, 200);
    const finish = new AbortController();
    const finishing = post(`${path}/finish`, { answer: "bye" }, { signal: finish.signal });
    while ((await view(id)).phase === "serving") await new Promise(setImmediate);
    finish.abort();
    await finishing.catch(() => {});
    const ended = await jsonOf(post(`${path}/finish`));
    assert.deepEqual(ended.record.ending, { kind: "submitted", answer: "bye" });
    assert.equal(ended.record.outcome, "graded");
    assert.equal(ended.record.steps, 3);
  });

  it("answers a client that has closed its writing side, and hangs up on one with half a body", async () => {
    const host = `Host: 127.0.0.1:${server.port}`;
    const half = await raw(server.port, `GET /healthz HTTP/1.1\r\n${host}\r\n\r\n`, { end: true });
    assert.match(half, /^HTTP\/1\.1 200/);
    const head = `POST /v1/rollouts HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\n`;
    await raw(server.port, `${head}Content-Length: 100\r\n\r\n{"task"`, { end: true });
    const list = await jsonOf(fetch(`${server.url}/v1/rollouts?outcome=none`));
    assert.deepEqual(list.records, []);
  });

  it("tells a client of a body that is too large before it was read, and hangs up", async () => {
    const head = [
      "POST /v1/rollouts HTTP/1.1",
      `Host: 127.0.0.1:${server.port}`,
      "Content-Type: application/json",
      "Content-Length: 999999999",
    ];
    const answer = await raw(server.port, `${head.join("\r\n")}\r\n\r\n{`);
    assert.match(answer, /^HTTP\/1\.1 413/);
    assert.match(answer, /connection: close/i);
  });

  it("serves others while clients hold connections open and send nothing", async () => {
    const idle = Array.from({ length: 200 }, () => connect(server.port, "127.0.0.1"));
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    for (const socket of idle) socket.write("POST /v1/rollouts HTTP/1.1\r\nHost: ");
    assert.equal((await fetch(`${server.url}/v1/tasks`)).status, 200);
    for (const socket of idle) socket.destroy();
    await runtime.assertNothingLeft();
  });

  it("puts away what it had begun for its clients before it is closed", async () => {
    const { id } = await serving();
    await post(`/v1/rollouts/${id}/finish`);
    const gone = new AbortController();
    const grading = post("/v1/grade", { rollout: id }, { signal: gone.signal });
    const { engine, data } = runtime;
    while ((await engine.find(data.owner)).length === 0);
    gone.abort();
    await assert.rejects(grading);
    await server[Symbol.asyncDispose]();
    await runtime.assertNothingLeft();
  });
});

describe("the names of a service", () => {
  it("are those of loopback, its own and those that were added", () => {
    const { hosts, origins } = reachOf("10.1.2.3", 80, ["cloche.example", "Proxy:443"]);
    for (const name of ["10.1.2.3:80", "localhost:80", "cloche.example", "proxy:443"]) {
      assert(hosts.includes(name), name);
      assert(origins.includes(`https://${name}`), name);
    }
    assert(!hosts.includes("localhost"));
    assert(reachOf("::1", 80).hosts.includes("[::1]:80"));
  });

  it("are every machine address if it listens on all of them", () => {
    assert(reachOf("0.0.0.0", 80).hosts.length > 3);
    assert(!reachOf("0.0.0.0", 80).hosts.includes("0.0.0.0:80"));
  });

  it("tell loopback from all else", () => {
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
      assert(isLoopback(host), host);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil", ""]) {
      assert(!isLoopback(host), host);
    }
  });
});

/** Sends bytes as they are and reads until the server hangs up. */
async function raw(port: number, request: string, { end = false } = {}): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write(request);
  if (end) socket.end();
  const answer = await text(socket).catch(() => "");
  socket.destroy();
  return answer;
}
