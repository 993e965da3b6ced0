import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { byDigest, requireImages } from "../../runtime/cli/set-up/require-images.ts";
import { digestsOnly } from "../../runtime/engine/by-digest.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { faultOf, openTestEngine, sandboxImage, smallSpec } from "../support/engine.ts";
import { openTestRuntime, play } from "../support/runtime.ts";
import { smallTask } from "../support/small-task.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

describe("a deployment that says that images come by digest", () => {
  let engine: Engine;

  before(async () => {
    engine = await openTestEngine();
  });

  after(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  it("T23 makes no sandbox of an image that is named otherwise, for whatever purpose", async () => {
    const image = await sandboxImage(engine);
    const spec = smallSpec(image, "test-digests");
    const only = digestsOnly(engine);
    const keeper = spec.keeper && { ...spec.keeper, image: "evil:latest" };
    const changes = [
      {},
      { image: "evil" },
      { image: `${image}@sha256:12` },
      { image: DIGEST, ...(keeper && { keeper }) },
    ];
    for (const change of changes) {
      const fault = await faultOf(only.create({ ...spec, ...change }), "engine/spec-refused");
      assert.match(fault.message, /is not named by its digest/);
    }
    assert.deepEqual(await engine.find("test-digests"), []);
  });

  it("T23 takes no base image by its name, and runs rollouts by what its images are", async () => {
    await using runtime = await openTestRuntime();
    const held = await requireImages(runtime.engine, process.env);
    assert.throws(
      () => byDigest(held, { CLOCHE_BASE_IMAGE: "debian:bookworm" }),
      (error) => error instanceof Fault && error.code === "cli/bad-option",
    );
    byDigest(held, { CLOCHE_BASE_IMAGE: `debian@${DIGEST}` });
    const { images, manifests } = byDigest(held, {});
    const parts = { ...runtime, images, manifests, engine: digestsOnly(runtime.engine) };
    await using root = await smallTask();
    const record = await play(parts, root.path, "test/note", nullPolicy);
    assert.equal(record.outcome, "graded", record.fault?.message);
    for (const image of Object.values(record.images)) assert.match(image, /^sha256:[0-9a-f]{64}$/);
    await runtime.assertNothingLeft();
  });
});
