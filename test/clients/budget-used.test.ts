import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cloche } from "../../runtime/api/client/client.ts";
import { standIn, viewDocument } from "./stand-in.ts";

describe("a call that the budget no longer allows", () => {
  it("says so in data, so that a worker can stop", async () => {
    const denied = { content: [{ type: "text", text: "used up" }], isError: true };
    await using service = await standIn([
      { body: viewDocument() },
      { body: { answers: [{ result: denied, budgetUsed: "calls" }] } },
    ]);
    const rollout = await new Cloche({ url: service.url }).rollout({ task: "test/note" });
    assert.equal((await rollout.call("read_file")).budgetUsed, "calls");
    await rollout.release();
  });
});
