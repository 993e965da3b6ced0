import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { ensureImages } from "../../runtime/cli/set-up/ensure-images.ts";
import { pruneImages } from "../../runtime/cli/set-up/prune-images.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { contextArchive } from "../../runtime/image/context.ts";

const MB = 2 ** 20;

describe("pruning images", () => {
  let engine: Engine;
  let sandboxImage: string;
  const made: string[] = [];

  before(async () => {
    engine = await openEngine("docker", { env: process.env });
    sandboxImage = (await ensureImages(engine, { upTo: "office" })).office;
  });

  after(async () => {
    for (const reference of made) await engine.images.remove(reference);
    await engine[Symbol.asyncDispose]();
  });

  it("keeps an old image that a container needs, and says so", async () => {
    const old = await oldImage();
    const volume = { path: "/workspace", owner: "agent", bytes: MB, files: 10 };
    const sandbox = await engine.create({
      id: namedId("prune"),
      labels: {
        owner: "test-prune",
        rollout: "prune",
        expires: new Date(Date.now() + 60_000),
        process: processIdentity(),
      },
      image: old,
      users: ["agent"],
      workspace: volume,
      limits: {
        memoryBytes: 64 * MB,
        processes: 16,
        cpus: 1,
        tmpBytes: MB,
        fileBytes: MB,
        openFiles: 64,
      },
    });
    try {
      const { removed, inUse } = await pruneImages(onlyMine());
      assert.deepEqual(removed, []);
      assert.deepEqual(
        inUse.map(({ reference }) => reference),
        [old],
      );
    } finally {
      await sandbox[Symbol.asyncDispose]();
    }
  });

  it("removes what is of an older state and keeps what is current", async () => {
    const old = await oldImage();
    const { removed } = await pruneImages(onlyMine());
    assert.ok(removed.some(({ reference }) => reference === old));
    assert.equal(await engine.images.find(old), undefined);
    assert.notEqual(await engine.images.find(sandboxImage), undefined);
  });

  async function oldImage(): Promise<string> {
    const reference = `cloche/office:${namedId("old")}`;
    const dockerfile = Buffer.from(`FROM ${sandboxImage}\nENV OLD=${reference}\n`);
    const context = contextArchive([{ path: "Dockerfile", content: dockerfile }]);
    await engine.images.build(context, reference, { labels: { "cloche.image": "office" } });
    made.push(reference);
    return reference;
  }

  /** The same engine, where `list` shows this test's images and the current one: others' stay. */
  function onlyMine(): Engine {
    const { images } = engine;
    const list = async () =>
      (await images.list()).filter(({ reference }) => [...made, sandboxImage].includes(reference));
    const view = { list, remove: images.remove.bind(images) };
    return Object.create(engine, { images: { value: Object.assign(Object.create(images), view) } });
  }
});
