import assert from "node:assert/strict";
import { chmod, lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { blobPath } from "../../runtime/store/bundle-layout.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { layeredBlobs } from "../../runtime/workspace/blob-source.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { SnapshotFile } from "../../runtime/workspace/snapshot.ts";
import { sampleContents, temporaryFolder } from "./samples.ts";

const COUNT = 300;

test("a bundle takes the captured files as they are, by links, and is sound without them", async (context) => {
  const folder = temporaryFolder(context);
  const { bundles } = await openDataFolder(join(folder, "data"));
  const { contents, blobs } = await sampleContents(folder);
  const captured = new BlobFolder(join(folder, "captured"), { given: true });
  const entries = await Promise.all(Array.from({ length: COUNT }, (_, n) => made(captured, n)));
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  const after = { schema: "cloche.snapshot/1", entries, bytes, skipped: [] } as const;
  const { path } = await writeBundle(
    bundles,
    { ...contents, after },
    layeredBlobs(captured, blobs),
  );
  for (const { sha256, path: name } of entries) {
    const stat = await lstat(join(path, blobPath(sha256)));
    assert.deepEqual([stat.nlink, stat.mode & 0o777], [2, 0o444], name);
    assert.equal(await readFile(join(path, blobPath(sha256)), "utf8"), `the file ${name}`);
  }
  assert.equal((await openBundle(path)).after?.entries.length, COUNT);
});

test("contents that are damaged when they are linked make no bundle", async (context) => {
  const folder = temporaryFolder(context);
  const { bundles } = await openDataFolder(join(folder, "data"));
  const { contents, blobs } = await sampleContents(folder);
  const captured = new BlobFolder(join(folder, "captured"), { given: true });
  const entry = await made(captured, 1);
  const file = captured.giveable(entry.sha256) ?? "";
  await chmod(file, 0o644);
  await writeFile(file, "the file 0001.txU");
  const after = {
    schema: "cloche.snapshot/1",
    entries: [entry],
    bytes: entry.size,
    skipped: [],
  } as const;
  await assert.rejects(
    writeBundle(bundles, { ...contents, after }, layeredBlobs(captured, blobs)),
    { code: "store/bundle-unwritten", message: new RegExp(entry.sha256) },
  );
});

async function made(blobs: BlobFolder, number: number): Promise<SnapshotFile> {
  const path = `${String(number).padStart(4, "0")}.txt`;
  const blob = await blobs.put(Buffer.from(`the file ${path}`));
  return { type: "file", path, mode: 0o644, ...blob };
}
