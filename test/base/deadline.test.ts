import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pause } from "../../runtime/base/deadline.ts";

describe("a pause", () => {
  it("rejects with the reason of its signal, whenever that is aborted", async () => {
    const reason = new Error("enough");
    await assert.rejects(pause(60_000, AbortSignal.abort(reason)), (error) => error === reason);
    const later = new AbortController();
    const waiting = pause(60_000, later.signal);
    later.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
  });

  it("is over by itself, with a signal and without", async () => {
    await pause(1);
    await pause(1, new AbortController().signal);
  });
});
