import assert from "node:assert/strict";
import { chmod, lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../../runtime/base/hash.ts";
import { blobPath } from "../../runtime/store/bundle-layout.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { layeredBlobs } from "../../runtime/workspace/blob-source.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { SmallContents } from "../../runtime/workspace/small-contents.ts";
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

test("many small contents are captured in batches, each whole, and a broken one is written anew", async (context) => {
  const folder = temporaryFolder(context);
  const captured = new BlobFolder(join(folder, "captured"), { given: true });
  const texts = Array.from({ length: 1_000 }, (_, n) => `content ${n % 900}`);
  const broken = captured.giveable(sha256("content 7")) ?? "";
  await mkdir(dirname(broken), { recursive: true });
  await writeFile(broken, "cont");
  await using small = new SmallContents(captured);
  const put = [];
  for (const text of texts) put.push(await small.add(Buffer.from(text)));
  await small.settle();
  const again = new BlobFolder(captured.path);
  for (const [index, blob] of put.entries()) {
    assert.deepEqual(blob, { sha256: sha256(texts[index] ?? ""), size: texts[index]?.length });
    assert.deepEqual(await again.verify(blob.sha256), blob);
  }
  assert.equal((await lstat(broken)).mode & 0o777, 0o444);
  const left = (await readdir(captured.path, { recursive: true })).filter((name) =>
    /new/.test(name),
  );
  assert.deepEqual(left, []);
});

test("a batch that cannot be written is a fault that says why", async (context) => {
  const folder = temporaryFolder(context);
  const captured = new BlobFolder(join(folder, "captured"), { given: true });
  const file = captured.giveable(sha256("content 7")) ?? "";
  await mkdir(file, { recursive: true });
  await using small = new SmallContents(captured);
  const adding = async () => {
    for (let n = 0; n < 600; n++) await small.add(Buffer.from(`content ${n}`));
    await small.settle();
  };
  await assert.rejects(adding, { code: "workspace/blob-unwritten", message: /EISDIR|directory/ });
});

test("of many parts the one that was altered is named", async (context) => {
  const folder = temporaryFolder(context);
  const { bundles } = await openDataFolder(join(folder, "data"));
  const { contents, blobs } = await sampleContents(folder);
  const captured = new BlobFolder(join(folder, "captured"), { given: true });
  const entries: SnapshotFile[] = [];
  for (let n = 0; n < COUNT; n++) entries.push(await made(captured, n));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  const after = { schema: "cloche.snapshot/1", entries, bytes, skipped: [] } as const;
  const all = layeredBlobs(captured, blobs);
  const { path } = await writeBundle(bundles, { ...contents, after }, all);
  const part = blobPath(entries[123]?.sha256 ?? "");
  await chmod(join(path, part), 0o644);
  await writeFile(join(path, part), "the file 0123.txU");
  await assert.rejects(openBundle(path), {
    code: "store/bundle-altered",
    message: new RegExp(part),
  });
});

async function made(blobs: BlobFolder, number: number): Promise<SnapshotFile> {
  const path = `${String(number).padStart(4, "0")}.txt`;
  const blob = await blobs.put(Buffer.from(`the file ${path}`));
  return { type: "file", path, mode: 0o644, ...blob };
}
