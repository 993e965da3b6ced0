import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { describeDiff, diffSnapshots, sameSnapshot } from "../../runtime/workspace/diff.ts";
import { mergeSnapshots } from "../../runtime/workspace/merge.ts";
import { parseSnapshot } from "../../runtime/workspace/snapshot-text.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type Leaf, snapshotOf, trees } from "./trees.ts";

const text = (content: string, mode = 0o664): Leaf => ({
  type: "file",
  content: Buffer.from(content),
  mode,
});

test("a diff names what was added, removed, changed and only re-moded, and nothing else", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const before = await snapshotOf(
    new Map([
      ["gone", text("1")],
      ["kept", text("2")],
      ["modes", text("3")],
      ["turned", text("4")],
      ["written", text("5")],
      ["link", { type: "link", target: "a" }],
    ]),
    blobs,
  );
  const after = await snapshotOf(
    new Map<string, Leaf>([
      ["kept", text("2")],
      ["modes", text("3", 0o700)],
      ["turned", { type: "directory", mode: 0o775 }],
      ["turned/new\n", text("6")],
      ["written", text("55")],
      ["link", { type: "link", target: "b" }],
    ]),
    blobs,
  );
  const diff = diffSnapshots(before, after);
  const paths = (items: readonly { readonly path: string }[]) => items.map(({ path }) => path);
  assert.deepEqual(paths(diff.added), ["turned/new\n"]);
  assert.deepEqual(paths(diff.removed), ["gone"]);
  assert.deepEqual(paths(diff.modified), ["link", "turned", "written"]);
  assert.deepEqual(paths(diff.modeChanged), ["modes"]);
  assert.deepEqual(
    describeDiff(diff).map((line) => line.replace(/, [0-9a-f]{8}/g, "")),
    [
      '+ "turned/new\\u{a}" (1 bytes)',
      '- "gone" (1 bytes)',
      '~ "link" (link to "b"), was link to "a"',
      '~ "turned" (directory), was 1 bytes',
      '~ "written" (2 bytes), was 1 bytes',
      '~ "modes" mode 664 to 700',
    ],
  );
  assert.deepEqual(describeDiff(diff, { maxLines: 2 }).at(-1), "and 4 more");
});

test("a snapshot differs from itself in nothing, and from others in something", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await fc.assert(
    fc.asyncProperty(trees, trees, async (a, b) => {
      const [first, second] = [await snapshotOf(a, blobs), await snapshotOf(b, blobs)];
      assert.ok(sameSnapshot(first, await snapshotOf(a, blobs)));
      const equal = JSON.stringify(first) === JSON.stringify(second);
      assert.equal(sameSnapshot(first, second), equal);
      const skipped = [{ path: "p", type: "fifo" } as const];
      assert.equal(sameSnapshot(first, { ...first, skipped }), false);
    }),
    { numRuns: 50 },
  );
});

test("a merge is a valid snapshot, holds all of the overlay, and of the base what is not covered", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await fc.assert(
    fc.asyncProperty(trees, trees, async (a, b) => {
      const [base, overlay] = [await snapshotOf(a, blobs), await snapshotOf(b, blobs)];
      const merged = mergeSnapshots(base, overlay);
      assert.deepEqual(parseSnapshot(JSON.parse(JSON.stringify(merged))), merged);
      const { removed, modified, modeChanged } = diffSnapshots(overlay, merged);
      assert.deepEqual([...removed, ...modified, ...modeChanged], []);
      assert.ok(sameSnapshot(mergeSnapshots(base, base), base));
    }),
    { numRuns: 50 },
  );
});

test("a file of the overlay takes the place of a directory with all that is in it", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const base = await snapshotOf(
    new Map([
      ["d/e/f", text("1")],
      ["d-", text("2")],
    ]),
    blobs,
  );
  const overlay = await snapshotOf(new Map([["d", text("3")]]), blobs);
  const merged = mergeSnapshots(base, overlay);
  assert.deepEqual(
    merged.entries.map(({ path }) => path),
    ["d", "d-"],
  );
  assert.equal(merged.bytes, 2);
});
