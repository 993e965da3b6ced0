import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eventSchema, stepDocument } from "../../runtime/api/schemas.ts";
import { ofNote } from "../support/small-task.ts";
import { openTestApi, type TestApi, THEIRS } from "./test-api.ts";

const WRITE = { path: "/workspace/note.txt", content: "hello-1\n" };

describe("a rollout over HTTP", () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi();
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
  });

  it("is asked for, worked in, finished and graded, with its evidence to be read", async () => {
    const { ask } = api;
    const labels = { run: "r-7" };
    const made = await ask("POST", "/v1/rollouts", {
      json: { task: "test/note", labels, policy: "me" },
      headers: { prefer: "wait=60" },
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("preference-applied"), "wait=60");
    const { id, phase, instruction, mcp } = made.json;
    const path = made.headers.get("location") ?? "";
    assert.equal(path, `/v1/rollouts/${id}`);
    assert.equal(phase, "serving");
    assert.match(instruction, /hello-1/);
    assert(mcp.url.endsWith(`/rollouts/${id}/mcp`));

    const early = await ask("GET", `${path}/bundle`);
    assert.deepEqual([early.status, early.json.code], [409, "api/not-ended"]);

    const written = await ask("POST", `${path}/tools/write_file`, { json: { arguments: WRITE } });
    assert.equal(written.json.result._meta["cloche/call_id"], `${id}-1`);
    const several = await ask("POST", `${path}/tools`, {
      json: {
        calls: [{ name: "list_directory", arguments: { path: "/workspace" } }, { name: "no" }],
      },
    });
    assert.match(several.json.answers[0].result.content[0].text, /note\.txt/);
    assert.equal(several.json.answers[1].error.code, -32602);

    const lease = await ask("POST", `${path}/heartbeat`);
    assert.match(lease.json.leaseUntil, /^\d{4}-/);
    const live = await ask("GET", `${path}/steps`);
    assert.equal(live.text.trim().split("\n").length, 3);

    const ended = await ask("POST", `${path}/finish`, { json: { answer: "done" } });
    assert.equal(ended.status, 200);
    assert.deepEqual(ended.json.record.reward, { sparse: 1, dense: 1, gain: 1 });
    assert.deepEqual(ended.json.record.ending, { kind: "submitted", answer: "done" });
    assert.equal(ended.json.mcp, null);
    const again = await ask("POST", `${path}/finish`);
    assert.deepEqual(again.json.record, ended.json.record);
    const cancelled = await ask("DELETE", path);
    assert.deepEqual(cancelled.json.record, ended.json.record);

    const stored = await ask("GET", `${path}/steps`);
    assert.equal(stored.text, live.text);
    for (const line of stored.text.trim().split("\n")) stepDocument.parse(JSON.parse(line));
    const rest = await ask("GET", `${path}/steps?after=2`);
    assert.equal(rest.text, `${live.text.split("\n")[2]}\n`);
    assert.equal((await ask("GET", `${path}/steps?after=3`)).text, "");

    const late = await ask("POST", `${path}/tools/write_file`, { json: {} });
    assert.deepEqual([late.status, late.json.code], [409, "rollout/not-serving"]);
    assert.equal(late.json.context.phase, "stored");
  });

  it("is seen by nobody with another key, as if it were not there", async () => {
    const id = await api.serving();
    const absent = await api.ask("GET", "/v1/rollouts/rnobody", { key: THEIRS });
    const requests = [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/heartbeat"],
      ["POST", "/finish"],
      ["GET", "/tools"],
      ["POST", "/tools/write_file"],
      ["GET", "/events"],
      ["GET", "/steps"],
      ["GET", "/bundle"],
    ] as const;
    for (const [method, rest] of requests) {
      const answer = await api.ask(method, `/v1/rollouts/${id}${rest}`, { key: THEIRS });
      assert.equal(answer.status, 404, `${method} ${rest}: ${answer.text}`);
      assert.equal(answer.json.code, "rollout/unknown");
      assert.equal(answer.json.detail.replace(id, "rnobody"), absent.json.detail);
    }
    const graded = await api.ask("POST", "/v1/grade", { key: THEIRS, json: { rollout: id } });
    assert.equal(graded.json.code, "rollout/unknown");
    const listed = await api.ask("GET", "/v1/rollouts", { key: THEIRS });
    assert.deepEqual(listed.json, { records: [], next: null });
    assert.equal((await api.ask("GET", `/v1/rollouts/${id}`)).json.phase, "serving");
    const ended = await api.ask("DELETE", `/v1/rollouts/${id}`);
    assert.equal(ended.json.outcome, "cancelled");
    assert.equal(ended.json.record.reward, null);
  });

  it("is made once for an idempotency key, and refused for another body with it", async () => {
    const headers = { "idempotency-key": "abc" };
    const json = { task: "test/note", variant: 2 };
    const [one, two] = await Promise.all([
      api.ask("POST", "/v1/rollouts", { json, headers }),
      api.ask("POST", "/v1/rollouts", { json, headers }),
    ]);
    assert.equal(one.json.id, two.json.id);
    const other = await api.ask("POST", "/v1/rollouts", { json: { task: "test/note" }, headers });
    assert.deepEqual([other.status, other.json.code], [409, "rollout/key-reused"]);
    const cancelled = await api.ask("DELETE", `/v1/rollouts/${one.json.id}`);
    assert.equal(cancelled.status, 200);
  });

  it("can be ended without waiting for the end", async () => {
    const id = await api.serving();
    const headers = { prefer: "respond-async" };
    const accepted = await api.ask("POST", `/v1/rollouts/${id}/finish`, { headers });
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers.get("preference-applied"), "respond-async");
    const ended = await api.ask("POST", `/v1/rollouts/${id}/finish`);
    assert.equal(ended.json.outcome, "graded");
    const gone = await api.ask("DELETE", `/v1/rollouts/${id}`, { headers });
    assert.equal(gone.json.outcome, "graded");
  });

  it("is refused a finish before it serves", async () => {
    const made = await api.ask("POST", "/v1/rollouts", { json: { task: "test/note" } });
    const path = `/v1/rollouts/${made.json.id}`;
    if (made.json.phase === "requested") {
      for (const prefer of ["", "respond-async"]) {
        const early = await api.ask("POST", `${path}/finish`, { headers: { prefer } });
        assert.deepEqual([early.status, early.json.code], [409, "rollout/not-serving"]);
      }
    }
    await api.ask("DELETE", path);
  });

  it("tells its events from any point on, and tells a listener that has all to stay away", async () => {
    const id = await api.serving();
    const path = `/v1/rollouts/${id}/events`;
    const following = api.ask("GET", path);
    await api.ask("POST", `/v1/rollouts/${id}/tools/write_file`, { json: { arguments: WRITE } });
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const events = eventsOf((await following).text);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, at) => at + 1),
    );
    for (const event of events) eventSchema.parse(event);
    assert.equal(events.filter(({ type }) => type === "step").length, 1);
    assert.equal(events.filter(({ type }) => type === "grade").length, 1);
    assert.equal(events.at(-1)?.["phase"], "stored");

    const { signal } = new AbortController();
    const head = await api.app.request(path, {
      method: "HEAD",
      headers: { authorization: "Bearer key-of-mine" },
      signal,
    });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const headers = { "last-event-id": "3" };
    const resumed = eventsOf((await api.ask("GET", path, { headers })).text);
    assert.deepEqual(resumed, events.slice(3));
    const all = await api.ask("GET", `${path}?after=${events.length}`);
    assert.equal(all.status, 204);
  });

  it("leaves a bundle that is graded again, byte-equal, or with the task's newer grader", async () => {
    const id = await api.serving();
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const recorded = await api.ask("POST", "/v1/grade", { json: { rollout: id } });
    assert.equal(recorded.status, 200, recorded.text);
    assert.equal(recorded.json.same, true);
    const response = await api.app.request(`/v1/rollouts/${id}/bundle`, {
      headers: { authorization: "Bearer key-of-mine" },
    });
    const tar = await response.arrayBuffer();
    assert.equal(response.headers.get("content-length"), String(tar.byteLength));
    const headers = { "content-type": "application/x-tar" };
    const uploaded = await api.ask("POST", "/v1/grade", { headers, raw: tar });
    assert.deepEqual(uploaded.json, recorded.json);

    const grader = join(api.root, "tasks", "test", "note", "grader.py");
    const eased = ofNote("grader.py", "weight=3", "weight=1");
    await writeFile(grader, eased.replace("note.txt says the word", "renamed"));
    try {
      const newer = await api.ask("POST", "/v1/grade?grader=current", { headers, raw: tar });
      assert.equal(newer.status, 200, newer.text);
      assert.equal(newer.json.same, false);
      assert.deepEqual(newer.json.grade.reward, { sparse: 0, dense: 0.5, gain: 0 });
      assert.equal(newer.json.grade.criteria[0].name, "renamed");
    } finally {
      await writeFile(grader, ofNote("grader.py"));
    }
  });

  it("comes in groups, which are reported together", async () => {
    const made = await api.ask("POST", "/v1/groups", {
      json: { task: "test/note", n: 2 },
      headers: { prefer: "wait=60" },
    });
    assert.equal(made.status, 201);
    assert.deepEqual(
      made.json.members.map((member: { phase: string }) => member.phase),
      ["serving", "serving"],
    );
    for (const { id } of made.json.members) await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const path = made.headers.get("location") ?? "";
    const ended = await api.ask("GET", path);
    assert.deepEqual([ended.json.ended, ended.json.gradable], [true, 2]);
    const theirs = await api.ask("GET", path, { key: THEIRS });
    assert.equal(theirs.status, 404);
  });

  it("is listed with filters, page by page", async () => {
    const all = await api.ask("GET", "/v1/rollouts");
    const ids = all.json.records.map(({ id }: { id: string }) => id);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const next: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = await api.ask("GET", `/v1/rollouts?limit=2${next}`);
      seen.push(...page.json.records.map(({ id }: { id: string }) => id));
      cursor = page.json.next;
    }
    assert.deepEqual(seen, ids);
    const graded = await api.ask("GET", "/v1/rollouts?outcome=graded&policy=me");
    assert.equal(graded.json.records.length, 1);
    const open = await api.ask("GET", "/v1/rollouts?outcome=none");
    assert.equal(open.json.records.length, 0);
    const [record] = graded.json.records;
    assert.equal(record.split, "train");
    const at = encodeURIComponent(record.requestedAt.replace("Z", "+00:00"));
    const day = record.requestedAt.slice(0, 10);
    const fits = [`since=${at}`, `since=${day}`, "minReward=1&maxReward=1", "split=train"];
    for (const query of [...fits, `id=${record.id.slice(0, 12)}`]) {
      const { json } = await api.ask("GET", `/v1/rollouts?policy=me&${query}`);
      assert.deepEqual(json.records, [record], query);
    }
    for (const query of [`until=${at}`, "maxReward=0.5", "split=holdout", "id=rnone"]) {
      const { json } = await api.ask("GET", `/v1/rollouts?policy=me&${query}`);
      assert.deepEqual(json.records, [], query);
    }
  });
});

function eventsOf(text: string): Record<string, unknown>[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => {
      const lines = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      const event = JSON.parse(lines["data"]);
      assert.equal(lines["id"], String(event.seq));
      assert.equal(lines["event"], event.type);
      return event;
    });
}
