import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type Answer, openTestApi, type TestApi } from "./test-api.ts";

type Verb =
  | "view"
  | "heartbeat"
  | "tools"
  | "call"
  | "calls"
  | "steps"
  | "bundle"
  | "finish"
  | "finish-async"
  | "cancel"
  | "regrade";

const VERBS: readonly Verb[] = [
  "view",
  "heartbeat",
  "tools",
  "call",
  "calls",
  "steps",
  "bundle",
  "finish",
  "finish-async",
  "cancel",
  "regrade",
];

/** What is known of a rollout from what its caller did; `calls` are those that were answered. */
interface Model {
  ended: "no" | "finishing" | "graded" | "cancelled";
  calls: number;
}

describe("the verbs of a rollout, in any order", () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi({ service: { inFlight: 4 } });
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
  });

  it("answer by its phase, count every call, and end it once", async () => {
    const verbs = fc.array(fc.constantFrom(...VERBS), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(verbs, async (sequence) => {
        const id = await api.serving();
        const model: Model = { ended: "no", calls: 0 };
        for (const verb of sequence) await step(api, id, verb, model);
        const { json } = await api.ask("POST", `/v1/rollouts/${id}/finish`);
        assert.equal(json.phase, "stored");
        assert.equal(json.outcome, model.ended === "cancelled" ? "cancelled" : "graded");
        assert.equal(json.record.reward === null, json.outcome !== "graded");
        assert.equal(json.record.steps, model.calls);
        const { text } = await api.ask("GET", `/v1/rollouts/${id}/steps`);
        assert.equal(text.split("\n").length - 1, model.calls);
        const bundle = await api.ask("GET", `/v1/rollouts/${id}/bundle`);
        assert.equal(bundle.status, 200);
      }),
      { numRuns: 8 },
    );
    await api.runtime.assertNothingLeft();
  });
});

async function step(api: TestApi, id: string, verb: Verb, model: Model): Promise<void> {
  const answer = await perform(api, id, verb);
  const isOver = model.ended === "graded" || model.ended === "cancelled";
  const says = `${verb} after ${model.ended}: ${answer.status} ${answer.text.slice(0, 300)}`;
  switch (verb) {
    case "view":
      assert.equal(answer.status, 200, says);
      assert.equal(answer.json.record !== null, isOver || answer.json.phase === "stored", says);
      return;
    case "steps":
      assert.equal(answer.status, 200, says);
      return;
    case "bundle":
    case "regrade":
      if (model.ended === "graded") assert.equal(answer.status, 200, says);
      else if (model.ended === "no") assert.equal(answer.json.code, "api/not-ended", says);
      else assert([200, 404, 409].includes(answer.status), says);
      return;
    case "finish":
    case "finish-async":
      assert([200, 202].includes(answer.status), says);
      if (!isOver) model.ended = answer.status === 202 ? "finishing" : "graded";
      return;
    case "cancel":
      assert.equal(answer.status, 200, says);
      if (!isOver) model.ended = answer.json.outcome;
      return;
    default:
      if (model.ended === "no") assert.equal(answer.status, 200, says);
      else assert.deepEqual([answer.status, answer.json.code], [409, "rollout/not-serving"], says);
      if (answer.status === 200) model.calls += { call: 1, calls: 2 }[verb as string] ?? 0;
  }
}

function perform(api: TestApi, id: string, verb: Verb): Promise<Answer> {
  const path = `/v1/rollouts/${id}`;
  const read = { name: "read_text_file", arguments: { path: "/workspace/readme.txt" } };
  const asks: Readonly<Record<Verb, () => Promise<Answer>>> = {
    view: () => api.ask("GET", path),
    heartbeat: () => api.ask("POST", `${path}/heartbeat`),
    tools: () => api.ask("GET", `${path}/tools`),
    call: () => api.ask("POST", `${path}/tools/no_such_tool`),
    calls: () => api.ask("POST", `${path}/tools`, { json: { calls: [read, read] } }),
    steps: () => api.ask("GET", `${path}/steps`),
    bundle: () => api.ask("GET", `${path}/bundle`),
    finish: () => api.ask("POST", `${path}/finish`, { json: { answer: "x" } }),
    "finish-async": () =>
      api.ask("POST", `${path}/finish`, { headers: { prefer: "respond-async" } }),
    cancel: () => api.ask("DELETE", path),
    regrade: () => api.ask("POST", "/v1/grade", { json: { rollout: id } }),
  };
  return asks[verb]();
}
