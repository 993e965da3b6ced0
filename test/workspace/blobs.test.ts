import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { faultOf } from "../support/engine.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ABSENT = "0".repeat(64);

test("a name that is no sha256 is refused before any file is looked for", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  for (const name of ["", "../../etc/passwd", "A".repeat(64), `${ABSENT}\n`, "0".repeat(63)]) {
    await faultOf(blobs.bytes(name, 10), "workspace/blob-name-invalid");
    await faultOf(blobs.has(name), "workspace/blob-name-invalid");
    await faultOf(blobs.verify(name), "workspace/blob-name-invalid");
    assert.throws(() => blobs.read(name), { code: "workspace/blob-name-invalid" });
  }
});

test("content over its bound is refused and leaves nothing behind", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const chunks = Readable.from([Buffer.alloc(6), Buffer.alloc(6)]);
  await faultOf(blobs.put(chunks, { maxBytes: 10 }), "workspace/blob-too-large");
  await faultOf(blobs.put(Buffer.alloc(11), { maxBytes: 10 }), "workspace/blob-too-large");
  assert.deepEqual(await filesIn(folder.path), []);
});

test("a stream that fails leaves nothing behind and its error is handed on", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const failing = Readable.from(
    (function* () {
      yield Buffer.alloc(10);
      throw new Error("the line went dead");
    })(),
  );
  await assert.rejects(blobs.put(failing), /the line went dead/);
  assert.deepEqual(await filesIn(folder.path), []);
});

test("content that was changed, cut or replaced by a link is not handed out", async () => {
  for (const damage of [
    (file: string) => writeFile(file, "hallo"),
    (file: string) => truncate(file, 2),
    (file: string) => truncate(file, 0),
    async (file: string) => {
      await rename(file, `${file}-away`);
      await symlink(`${file}-away`, file);
    },
    async (file: string) => {
      await rename(dirname(file), `${dirname(file)}-away`);
      await symlink(`${dirname(file)}-away`, dirname(file));
    },
    async (file: string) => {
      await rename(file, `${file}-away`);
      await mkdir(file);
    },
  ]) {
    await using folder = await tempFolder();
    const { sha256 } = await new BlobFolder(folder.path).put(Buffer.from("hello"));
    await damage(join(folder.path, sha256.slice(0, 2), sha256));
    const blobs = new BlobFolder(folder.path);
    await faultOf(blobs.bytes(sha256, 100), "workspace/blob-broken");
    await faultOf(blobs.verify(sha256), "workspace/blob-broken");
    await faultOf(Array.fromAsync(blobs.read(sha256)), "workspace/blob-broken");
  }
});

test("content that is not there is missing", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await faultOf(blobs.bytes(ABSENT, 10), "workspace/blob-missing");
  await faultOf(Array.fromAsync(blobs.read(ABSENT)), "workspace/blob-missing");
  assert.equal(await blobs.has(ABSENT), false);
});

test("a folder that can't be written says so", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "file"), "");
  const blobs = new BlobFolder(join(folder.path, "file"));
  const fault = await faultOf(blobs.put(Buffer.from("a")), "workspace/blob-unwritten");
  assert.equal(fault.blame, "store");
});

test("content is kept once, under its hash, for its owner only, and never executable", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const content = Buffer.alloc(700_000, "abc");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const pieces = Readable.from([content.subarray(0, 9), content.subarray(9)]);
  assert.deepEqual(await blobs.put(pieces), { sha256, size: 700_000 });
  assert.deepEqual(await blobs.put(content, { fsync: true }), { sha256, size: 700_000 });
  assert.deepEqual(await filesIn(folder.path), [join(sha256.slice(0, 2), sha256)]);
  const { mode } = await stat(join(folder.path, sha256.slice(0, 2), sha256));
  assert.equal(mode & 0o777, 0o600);
  assert.ok((await blobs.bytes(sha256, 700_000)).equals(content));
  assert.ok(Buffer.concat(await Array.fromAsync(blobs.read(sha256))).equals(content));
  await faultOf(blobs.bytes(sha256, 699_999), "workspace/blob-too-large");
  await blobs.sync();
});

test("a blob that a crash left cut is written again", async () => {
  await using folder = await tempFolder();
  const { sha256 } = await new BlobFolder(folder.path).put(Buffer.from("hello"));
  await truncate(join(folder.path, sha256.slice(0, 2), sha256), 0);
  await new BlobFolder(folder.path).put(Buffer.from("hello"));
  assert.equal((await new BlobFolder(folder.path).bytes(sha256, 5)).toString(), "hello");
});

test("many puts of one content at once agree", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const all = await Promise.all(Array.from({ length: 40 }, () => blobs.put(Buffer.from("same"))));
  assert.equal(new Set(all.map(({ sha256 }) => sha256)).size, 1);
  assert.equal((await filesIn(folder.path)).length, 1);
});

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((each) => !each.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}
