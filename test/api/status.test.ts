import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CODES } from "../../runtime/api/codes.ts";
import { problemResponse } from "../../runtime/api/problem.ts";
import { hasStatus, statusOf } from "../../runtime/api/status.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { sourceFaults } from "../support/source-faults.ts";
import { jsonOf } from "./test-api.ts";

/** Rooms that no request reaches. */
const TERMINAL = /^(bench|cli|client|policy|proof|setup)\//;
const ASKED = { method: "GET", path: "/v1/x", requestId: "req-1" };

describe("the status of a fault", () => {
  it("is chosen for every code that blames the caller", async () => {
    const codes = (await sourceFaults())
      .filter(([code, { blame }]) => blame === "caller" && !TERMINAL.test(code))
      .map(([code]) => code);
    assert.deepEqual(
      codes.filter((code) => !hasStatus(code)),
      [],
      "give each a line in runtime/api/status.ts",
    );
  });

  it("is explained at /docs for every code that an answer can hold", async () => {
    const codes = (await sourceFaults()).map(([code]) => code);
    const reached = codes.filter((code) => !TERMINAL.test(code));
    assert.deepEqual([...CODES.keys()].sort(), reached);
  });

  it("says whose doing it was", () => {
    const expected = {
      "rollout/unknown": 404,
      "rollout/queue-full": 429,
      "rollout/over-limit": 429,
      "rollout/draining": 503,
      "rollout/key-reused": 409,
      "rollout/not-serving": 409,
      "rollout/bad-request": 400,
      "task/generate-failed": 422,
      "engine/unreachable": 503,
      "store/database-unusable": 500,
    };
    for (const [code, status] of Object.entries(expected)) {
      const blame = CODES.get(code)?.blame ?? assert.fail(`there is no code ${code}`);
      assert.equal(statusOf({ code, blame }), status, code);
    }
  });
});

describe("a problem document", () => {
  it("says when to come back, in whole seconds, never zero", () => {
    const detail = { retryAfterMs: 1 };
    const full = new Fault("rollout/queue-full", "caller", "full", { detail });
    assert.equal(problemResponse(full, ASKED, silentLog).headers.get("retry-after"), "1");
    const draining = new Fault("rollout/draining", "engine", "ending");
    assert.equal(problemResponse(draining, ASKED, silentLog).headers.get("retry-after"), "5");
  });

  it("shows nothing of what is no fault", async () => {
    const answer = problemResponse(new Error("a secret of ours"), ASKED, silentLog);
    assert.equal(answer.status, 500);
    const text = await answer.text();
    assert(!text.includes("secret"), text);
    assert.equal(JSON.parse(text).code, "api/internal");
  });

  it("keeps facts about our machine to ourselves", async () => {
    const detail = { path: "/var/lib/cloche" };
    const ours = new Fault("store/database-unusable", "store", "cannot write", { detail });
    const document = await jsonOf(problemResponse(ours, ASKED, silentLog));
    assert.equal("context" in document, false);
  });
});
