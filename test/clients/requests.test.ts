import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { Cloche, ClocheError } from "../../runtime/api/client/client.ts";
import { endedDocument, problem, standIn, viewDocument } from "./stand-in.ts";

const QUICK = { attempts: 4, firstPauseMs: 1, longestPauseMs: 5 };

function clocheAt(url: string, key?: string): Cloche {
  return new Cloche({ url, retry: QUICK, ...(key !== undefined && { key }) });
}

async function errorOf(promise: Promise<unknown>): Promise<ClocheError> {
  const error = await promise.then(
    () => assert.fail("it was to be refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ClocheError, String(error));
  return error;
}

describe("the TypeScript client's requests", () => {
  it("reject with the problem's code, status, detail and document", async () => {
    await using service = await standIn([problem(404, "rollout/unknown")]);
    const error = await errorOf(clocheAt(service.url).get("r1"));
    assert.equal(error.code, "rollout/unknown");
    assert.equal(error.status, 404);
    assert.equal(error.detail, "said rollout/unknown");
    assert.equal(error.problem?.["type"], "about:blank");
    assert.equal(service.seen.length, 1);
  });

  it("reject with client/bad-answer where something else than Cloche answers", async () => {
    await using service = await standIn([
      { status: 418, body: "<html>teapot</html>" },
      { body: "<html>welcome</html>" },
    ]);
    const refused = await errorOf(clocheAt(service.url).get("r1"));
    assert.equal(refused.code, "client/bad-answer");
    assert.equal(refused.status, 418);
    assert.match(refused.detail, /teapot/);
    const strange = await errorOf(clocheAt(service.url).get("r1"));
    assert.equal(strange.code, "client/bad-answer");
    assert.ok(strange.cause instanceof SyntaxError);
  });

  it("give up on a service that is not there after the attempts, and say where it was looked for", async () => {
    const url = await closedPort();
    const error = await errorOf(clocheAt(url).tasks());
    assert.equal(error.code, "client/unreachable");
    assert.equal(error.status, null);
    assert.match(error.detail, /ECONNREFUSED/);
    assert.ok(error.detail.includes(url));
  });

  it("end their waiting with the signal's reason", async () => {
    await using service = await standIn([
      problem(503, "rollout/draining", { "retry-after": "60" }),
    ]);
    const signal = AbortSignal.timeout(50);
    await assert.rejects(clocheAt(service.url).get("r1", { signal }), { name: "TimeoutError" });
  });

  it("are repeated when a GET loses its connection, also in the middle of an answer", async () => {
    const whole = JSON.stringify(viewDocument());
    await using service = await standIn([
      null,
      { headers: { "content-length": String(whole.length) }, cutAfter: whole.slice(0, 40) },
      { body: viewDocument() },
    ]);
    assert.equal((await clocheAt(service.url).get("r1")).id, "r1");
    assert.equal(service.seen.length, 3);
  });

  it("are repeated with one idempotency key and one body when a rollout is asked for", async () => {
    await using service = await standIn([
      null,
      problem(503, "api/not-ready"),
      { body: viewDocument() },
    ]);
    const rollout = await clocheAt(service.url, "secret").rollout({
      task: "test/note",
      leaseMs: 5000,
    });
    await rollout.release();
    assert.equal(service.seen.length, 3);
    const keys = new Set(service.seen.map(({ headers }) => headers["idempotency-key"]));
    assert.equal(keys.size, 1);
    assert.match([...keys][0] as string, /^[0-9a-f-]{36}$/);
    assert.equal(new Set(service.seen.map(({ body }) => body)).size, 1);
    assert.deepEqual(JSON.parse(service.seen[0]?.body ?? ""), { task: "test/note", leaseMs: 5000 });
    assert.equal(service.seen[0]?.headers["authorization"], "Bearer secret");
    assert.match(service.seen[0]?.headers["prefer"] as string, /^wait=\d+$/);
  });

  it("use another idempotency key for another rollout", async () => {
    await using service = await standIn([{ body: viewDocument() }]);
    const cloche = clocheAt(service.url);
    for (let n = 0; n < 2; n++) await (await cloche.rollout({ task: "test/note" })).release();
    assert.notEqual(
      service.seen[0]?.headers["idempotency-key"],
      service.seen[1]?.headers["idempotency-key"],
    );
  });

  it("are never repeated for a tool's call that may have arrived", async () => {
    for (const lost of [null, problem(503, "x/y"), problem(502, "x/y"), problem(500, "x/y")]) {
      await using service = await standIn([{ body: viewDocument() }, lost]);
      const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
      await errorOf(rollout.call("write_file", { path: "/workspace/a" }));
      await rollout.release();
      assert.equal(service.seen.filter(({ path }) => path.endsWith("/tools")).length, 1);
    }
  });

  it("are repeated for a tool's call that the service says it did not take", async () => {
    const result = { content: [{ type: "text", text: "well" }] };
    await using service = await standIn([
      { body: viewDocument() },
      problem(429, "api/rate-limited", { "retry-after": "0" }),
      problem(503, "api/not-ready", { "retry-after": "0" }),
      { body: { answers: [{ result }] } },
    ]);
    const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
    assert.deepEqual(await rollout.call("read"), result);
    await rollout.release();
  });

  it("do not come back at all if Retry-After is too far off", async () => {
    await using service = await standIn([
      problem(429, "rollout/queue-full", { "retry-after": "1" }),
      problem(429, "rollout/queue-full", { "retry-after": "3600" }),
    ]);
    const error = await errorOf(clocheAt(service.url).rollout({ task: "test/note" }));
    assert.equal(error.code, "rollout/queue-full");
    assert.equal(service.seen.length, 2);
  });

  it("are bounded in number when the service stays overloaded", async () => {
    await using service = await standIn([
      problem(429, "rollout/over-limit", { "retry-after": "0" }),
    ]);
    await errorOf(clocheAt(service.url).group({ task: "test/note", n: 2 }));
    assert.equal(service.seen.length, QUICK.attempts);
  });
});

describe("a rollout of the TypeScript client", () => {
  it("is looked at until it serves", async () => {
    const ahead = { body: viewDocument({ phase: "requested", mcp: null }) };
    await using service = await standIn([ahead, ahead, { body: viewDocument() }]);
    const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
    assert.equal(rollout.token, "t");
    await rollout.release();
    assert.equal(service.seen.length, 3);
  });

  it("that ended before it served is refused with its fault", async () => {
    const fault = { code: "engine/image-missing", message: "no such image" };
    await using service = await standIn([{ body: endedDocument("infra_error", { fault }) }]);
    const error = await errorOf(clocheAt(service.url).rollout({ task: "test/note" }));
    assert.equal(error.code, "client/rollout-ended");
    assert.match(error.detail, /engine\/image-missing: no such image/);
  });

  it("is cancelled when the waiting for it is ended", async () => {
    await using service = await standIn(({ method }) =>
      method === "DELETE"
        ? { body: endedDocument("cancelled") }
        : { body: viewDocument({ phase: "requested", mcp: null }) },
    );
    const signal = AbortSignal.timeout(300);
    await assert.rejects(clocheAt(service.url).rollout({ task: "test/note" }, { signal }));
    assert.equal(service.seen.at(-1)?.method, "DELETE");
  });

  it("is cancelled when it is left unfinished, once, and without throwing if that fails", async () => {
    await using service = await standIn([{ body: viewDocument() }, problem(500, "api/internal")]);
    {
      await using rollout = await clocheAt(service.url).rollout({ task: "test/note" });
      assert.equal(rollout.record, null);
    }
    assert.deepEqual(
      service.seen.map(({ method }) => method),
      ["POST", "DELETE"],
    );
  });

  it("is not cancelled when it was finished or let go", async () => {
    await using service = await standIn([
      { body: viewDocument() },
      { body: endedDocument() },
      { body: viewDocument() },
    ]);
    {
      await using rollout = await clocheAt(service.url).rollout({ task: "test/note" });
      const record = await rollout.finish("done");
      assert.deepEqual(record.reward, { sparse: 1, dense: 1 });
    }
    {
      await using rollout = await clocheAt(service.url).rollout({ task: "test/note" });
      await rollout.release();
    }
    assert.deepEqual(
      service.seen.map(({ method }) => method),
      ["POST", "POST", "POST"],
    );
  });

  it("beats its heart until it is finished, whatever a beat comes to", async () => {
    const beats = Promise.withResolvers<void>();
    let count = 0;
    await using service = await standIn(({ path }) => {
      if (path.endsWith("/finish")) return { body: endedDocument() };
      if (!path.endsWith("/heartbeat")) return { body: viewDocument() };
      if (++count === 3) beats.resolve();
      return count === 1 ? problem(500, "api/internal") : { body: { leaseUntil: "" } };
    });
    const rollout = await clocheAt(service.url).rollout({ task: "test/note", leaseMs: 60 });
    await beats.promise;
    await rollout.finish();
    const before = count;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(count, before);
  });

  it("throws for a call that reached no tool, and returns what a tool says of its failure", async () => {
    const failed = { content: [{ type: "text", text: "no such file" }], isError: true };
    const unknown = { code: -32602, message: "Unknown tool: nonsense" };
    await using service = await standIn([
      { body: viewDocument() },
      { body: { answers: [{ result: failed }] } },
      { body: { answers: [{ error: unknown }] } },
      { body: { answers: [{ error: unknown }, { result: failed }] } },
    ]);
    const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
    assert.deepEqual(await rollout.call("read_file"), failed);
    const error = await errorOf(rollout.call("nonsense"));
    assert.equal(error.code, "client/tool-protocol-error");
    assert.deepEqual(error.problem?.["jsonrpc"], unknown);
    const calls = [
      { name: "nonsense", arguments: {} },
      { name: "read_file", arguments: {} },
    ];
    const content = [{ type: "text", text: unknown.message }];
    assert.deepEqual(await rollout.callAll(calls), [
      { content, isError: true, error: unknown },
      failed,
    ]);
    await rollout.release();
  });
});

describe("the events of a rollout", () => {
  const phase = (seq: number, name: string) => {
    const event = JSON.stringify({ seq, type: "phase", phase: name, at: "2026-01-01T00:00:00Z" });
    return `id: ${seq}\nevent: phase\ndata: ${event}\n\n`;
  };

  it("go on after a lost connection where they were, and end with the phase stored", async () => {
    const headers = { "content-type": "text/event-stream" };
    await using service = await standIn([
      { body: viewDocument() },
      {
        headers,
        cutAfter: `retry: 1000\n\n: hello\n\n${phase(1, "serving")}${phase(2, "fin").slice(0, 20)}`,
      },
      problem(503, "api/not-ready"),
      { headers, body: phase(2, "finished").replaceAll("\n", "\r\n") + phase(3, "stored") },
    ]);
    const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
    const seqs = (await Array.fromAsync(rollout.events())).map(({ seq }) => seq);
    assert.deepEqual(seqs, [1, 2, 3]);
    assert.equal(service.seen[1]?.headers["last-event-id"], "0");
    assert.equal(service.seen.at(-1)?.headers["last-event-id"], "1");
    await rollout.release();
  });

  it("end at once where nothing is left", async () => {
    await using service = await standIn([{ body: viewDocument() }, { status: 204, body: "" }]);
    const rollout = await clocheAt(service.url).rollout({ task: "test/note" });
    assert.deepEqual(await Array.fromAsync(rollout.events({ after: 9 })), []);
    await rollout.release();
  });
});

/** A port where nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
