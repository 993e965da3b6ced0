import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cloche, type Rollout } from "../../runtime/api/client/client.ts";
import {
  endedDocument,
  problem,
  type Reply,
  type Seen,
  standIn,
  viewDocument,
} from "./stand-in.ts";

/** A group of two whose second member loses its first attempt when that is finished. */
function groupOfTwo({ replaced }: { readonly replaced: boolean }): (seen: Seen) => Reply {
  const members = ["a1", "b1"];
  const ended = new Map<string, object>();
  const view = (id: string) => ended.get(id) ?? viewDocument({ id });
  const group = () => ({
    id: "g1",
    members: members.map(view),
    ended: members.every((id) => ended.has(id)),
    gradable: 0,
  });
  return ({ method, path }) => {
    const [, , kind, id = "", verb] = path.split("/");
    if (kind === "groups") return { body: group() };
    if (method === "GET") return { body: view(id) };
    if (verb === "tools") return problem(409, "rollout/not-serving");
    const outcome = id === "b1" ? "infra_error" : verb === "finish" ? "graded" : "cancelled";
    ended.set(id, endedDocument(outcome, { id }));
    if (id === "b1" && replaced) members[1] = "b2";
    return { body: ended.get(id) };
  };
}

describe("a group of the TypeScript client", () => {
  it("is played to its end, a lost member again in its next attempt", async () => {
    await using service = await standIn(groupOfTwo({ replaced: true }));
    await using group = await new Cloche({ url: service.url }).group({ task: "test/note", n: 2 });
    const played: string[] = [];
    const view = await group.play(async (rollout, member) => {
      played.push(`${member} ${rollout.id}`);
      return "done";
    });
    assert.deepEqual(played.sort(), ["0 a1", "1 b1", "1 b2"]);
    assert.equal(view.ended, true);
    assert.ok(service.seen.every(({ method }) => method !== "DELETE"));
  });

  it("ends where a lost member is not replaced", async () => {
    await using service = await standIn(groupOfTwo({ replaced: false }));
    await using group = await new Cloche({ url: service.url }).group({ task: "test/note", n: 2 });
    const view = await group.play(async () => "done");
    assert.deepEqual(
      view.members.map(({ outcome }) => outcome),
      ["graded", "infra_error"],
    );
  });

  it("gives what a play threw beside the results of the others, and cancels its rollout", async () => {
    await using service = await standIn(groupOfTwo({ replaced: false }));
    await using group = await new Cloche({ url: service.url }).group({ task: "test/note", n: 2 });
    const play = async (_rollout: Rollout, member: number) => {
      if (member === 0) throw new Error("the model is not there");
    };
    const { members } = await group.play(play);
    assert.deepEqual(
      members.map(({ member, outcome, error }) => [member, outcome, error]),
      [
        [0, "cancelled", new Error("the model is not there")],
        [1, "infra_error", undefined],
      ],
    );
    const endings = service.seen.filter(
      ({ method, path }) => method === "DELETE" || /finish/.test(path),
    );
    assert.deepEqual(endings.map(({ method, path }) => `${method} ${path}`).sort(), [
      "DELETE /v1/rollouts/a1",
      "POST /v1/rollouts/b1/finish",
    ]);
  });

  it("takes an ending under the agent's hands for what it is", async () => {
    await using service = await standIn(groupOfTwo({ replaced: false }));
    await using group = await new Cloche({ url: service.url }).group({ task: "test/note", n: 2 });
    const view = await group.play(async (rollout) => {
      await rollout.call("read_file");
    });
    assert.equal(view.ended, true);
  });
});
