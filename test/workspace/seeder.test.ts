import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { asSeeded } from "../../runtime/workspace/archive-writer.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { climbsOut } from "../../runtime/workspace/link-target.ts";
import { captureWorkspace, seedWorkspace } from "../../runtime/workspace/seed.ts";
import { SeedArchives } from "../../runtime/workspace/seed-archives.ts";
import { openSeeder } from "../../runtime/workspace/seeder.ts";
import { faultOf, MIB, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { snapshotOf, trees } from "./trees.ts";

const never = new AbortController().signal;
const LIST = "cd /workspace && find . -mindepth 1 -printf '%y %u %G %#m %l %P\\0' | sort -z";

describe("a workspace seeded by a program that waited for it", () => {
  const owner = namedId("test-seeder");
  let engine: Engine;
  let image: string;

  before(async () => {
    engine = await openTestEngine();
    image = await sandboxImage(engine);
  });
  after(async () => {
    for (const found of await engine.find(owner)) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
  });

  const create = (bytes = 64 * MIB) =>
    engine.create(
      smallSpec(image, owner, {
        workspace: { path: "/workspace", owner: "agent", bytes, files: 5_000 },
      }),
    );

  it("is a fault if it does not fit", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const content = Buffer.alloc(2 * MIB, "x");
    const large = await snapshotOf(new Map([["f", { type: "file", content, mode: 0o644 }]]), blobs);
    await using sandbox = await create(1 * MIB);
    await using seeder = await openSeeder(sandbox);
    const fault = await faultOf(
      seeder.fill(new SeedArchives().open(large, blobs), never),
      "engine/archive-refused",
    );
    assert.match(fault.message, /No space left|Wrote only/);
  });

  it("is a fault if its sandbox is gone, which the seeder hears of by itself", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    await using sandbox = await create();
    await using seeder = await openSeeder(sandbox);
    await sandbox.stop();
    await seeder.gone;
    const empty = await snapshotOf(new Map(), blobs);
    await faultOf(seeder.fill(new SeedArchives().open(empty, blobs), never), "engine/box-gone");
  });

  it("is the blob's fault if a content is missing", async () => {
    await using folder = await tempFolder();
    await using other = await tempFolder();
    const tree = new Map([
      ["f", { type: "file", content: Buffer.from("x"), mode: 0o644 } as const],
    ]);
    const snapshot = await snapshotOf(tree, new BlobFolder(folder.path));
    await using sandbox = await create();
    await using seeder = await openSeeder(sandbox);
    const seeding = seeder.fill(
      new SeedArchives().open(snapshot, new BlobFolder(other.path)),
      never,
    );
    await faultOf(seeding, "workspace/blob-missing");
  });

  it("is given up with the signal's reason", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    await using sandbox = await create();
    await using seeder = await openSeeder(sandbox);
    const over = AbortSignal.abort(new Error("no longer wanted"));
    const seeding = seeder.fill(
      new SeedArchives().open(await snapshotOf(new Map(), blobs), blobs),
      over,
    );
    await assert.rejects(seeding, /no longer wanted/);
  });

  it("is byte for byte, with modes and links, what the engine's archives make of it", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const many = fc.sample(trees, { numRuns: 80, seed: 3 });
    const tree = new Map(
      many.flatMap((one, index) => [...one].map(([path, leaf]) => [`${index}/${path}`, leaf])),
    );
    const whole = await snapshotOf(tree, blobs);
    // The engine refuses links that climb out: they are made afterwards.
    const entries = whole.entries.filter((entry) => entry.type !== "link" || !climbsOut(entry));
    assert(entries.length > 200);
    const snapshot = { ...whole, entries };
    await using one = await create();
    await using two = await create();
    await using three = await create();
    const archives = new SeedArchives();
    for (const sandbox of [one, three]) {
      await using seeder = await openSeeder(sandbox);
      await seeder.fill(archives.open(snapshot, blobs), never);
    }
    await seedWorkspace(two, snapshot, blobs);
    assert.deepEqual(await listed(one), await listed(two));
    assert.deepEqual(await listed(three), await listed(two));
    assert.equal(await sh(one, "stat -c '%a %U' /workspace"), "2770 agent\n");
  });

  it("holds every link as it stands, also one that climbs out, and is captured as it was seeded", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const many = fc.sample(trees, { numRuns: 80, seed: 5 });
    const tree = new Map(
      many.flatMap((one, index) => [...one].map(([path, leaf]) => [`${index}/${path}`, leaf])),
    );
    const snapshot = await snapshotOf(tree, blobs);
    assert(snapshot.entries.some((entry) => entry.type === "link" && climbsOut(entry)));
    await using sandbox = await create();
    await using seeder = await openSeeder(sandbox);
    await seeder.fill(new SeedArchives().open(snapshot, blobs), never);
    assert.equal(await sh(sandbox, "find /workspace -mindepth 1 -mmin +60"), "", "it is new");
    await seeder.gone;
    await sandbox.stop();
    const captured = await captureWorkspace(
      sandbox,
      blobs,
      { bytes: 64 * MIB, files: 5_000 },
      never,
    );
    assert.deepEqual(captured, asSeeded(snapshot));
  });
});

async function listed(sandbox: Sandbox): Promise<string[]> {
  const gid = String(sandbox.identity.gid);
  return (await sh(sandbox, LIST)).split("\0").map((line) => line.replace(gid, "group"));
}
