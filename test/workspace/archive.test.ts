import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { extract } from "tar-stream";
import { Fault } from "../../runtime/base/fault.ts";
import { captureArchive } from "../../runtime/workspace/archive-reader.ts";
import { asSeeded, snapshotArchive } from "../../runtime/workspace/archive-writer.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { sameSnapshot } from "../../runtime/workspace/diff.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { faultOf } from "../support/engine.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { rawTar, sign, streamed } from "./raw-tar.ts";
import { snapshotOf, trees } from "./trees.ts";

const LIMITS = { bytes: 64 * 1024 * 1024, files: 1000, depth: 100 };
const OWNER = { uid: 4_000_000, gid: 300_016 };

test("an archive that is cut at any block is refused, never read as a smaller workspace", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const whole = await bytesOf(asSeeded(await snapshotOf(tree, blobs)), blobs);
      for (let cut = 0; cut < whole.length; cut += 512) {
        await refusesAs(
          "archive-broken",
          captureArchive(streamed(whole.subarray(0, cut)), blobs, LIMITS),
        );
      }
      const odd = whole.subarray(0, whole.length - 100);
      await refusesAs("archive-broken", captureArchive(streamed(odd), blobs, LIMITS));
    }),
    { numRuns: 25 },
  );
});

test("a byte changed in a header never yields another workspace", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const change = fc.tuple(
    fc.nat(),
    fc.integer({ min: 0, max: 511 }),
    fc.integer({ min: 1, max: 255 }),
  );
  await fc.assert(
    fc.asyncProperty(
      trees,
      fc.array(change, { minLength: 20, maxLength: 20 }),
      async (tree, changes) => {
        const snapshot = asSeeded(await snapshotOf(tree, blobs));
        const whole = await bytesOf(snapshot, blobs);
        const headers = headersOf(whole);
        for (const [which, at, by] of changes) {
          const start = headers[which % headers.length] ?? 0;
          const bytes = Buffer.from(whole);
          bytes[start + at] = (bytes[start + at] ?? 0) ^ by;
          const read = await captureArchive(streamed(bytes), blobs, LIMITS).catch((error) => error);
          if (!(read instanceof Fault))
            assert.ok(sameSnapshot(read, snapshot), `${start}+${at}^${by}`);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("bytes at random end in a fault, soon", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const random = fc.uint8Array({ maxLength: 8192 });
  await fc.assert(
    fc.asyncProperty(
      random,
      fc.boolean(),
      fc.integer({ min: 1, max: 700 }),
      async (bytes, signed, piece) => {
        const tar = Buffer.from(bytes);
        if (signed && tar.length >= 512) {
          tar.write("ustar\x0000", 257, "latin1");
          sign(tar);
        }
        const read = await captureArchive(streamed(tar, piece), blobs, LIMITS).catch(
          (error) => error,
        );
        assert.ok(read instanceof Fault && read.code.startsWith("workspace/"), String(read));
      },
    ),
    { numRuns: 300 },
  );
});

test("a snapshot written as an archive and read again is the same, whatever the names", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(`${folder.path}/from`);
  const others = new BlobFolder(`${folder.path}/to`);
  await fc.assert(
    fc.asyncProperty(trees, fc.integer({ min: 1, max: 3000 }), async (tree, piece) => {
      const snapshot = await snapshotOf(tree, blobs);
      const tar = streamed(await bytesOf(snapshot, blobs), piece);
      assert.deepEqual(await captureArchive(tar, others, LIMITS), asSeeded(snapshot));
      for (const entry of snapshot.entries) {
        if (entry.type === "file") await others.verify(entry.sha256);
      }
    }),
    { numRuns: 100 },
  );
});

test("another tar program reads the same names, targets, sizes and owners", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const snapshot = asSeeded(await snapshotOf(tree, blobs));
      const found: unknown[] = [];
      const reader = Readable.from([await bytesOf(snapshot, blobs)]).pipe(extract());
      for await (const entry of reader) {
        const { name, type, size, linkname, mode } = entry.header;
        const path = type === "directory" ? name.replace(/\/$/, "") : name;
        found.push({ path, type, size, target: linkname, mode: (mode ?? 0) & 0o777 });
        entry.resume();
      }
      const wanted = snapshot.entries.map((entry) => ({
        path: entry.path,
        type: entry.type === "link" ? "symlink" : entry.type,
        size: entry.type === "file" ? entry.size : 0,
        target: entry.type === "link" ? entry.target : null,
        mode: entry.type === "link" ? 0o777 : entry.mode,
      }));
      assert.deepEqual(found, wanted);
    }),
    { numRuns: 60 },
  );
});

test("the owner and group can use everything that was seeded, and links can be left out", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const tree = new Map([
    ["d", { type: "directory", mode: 0 } as const],
    ["d/f", { type: "file", mode: 0o401, content: Buffer.from("x") } as const],
    ["d/l", { type: "link", target: "f" } as const],
  ]);
  const snapshot = await snapshotOf(tree, blobs);
  const mtime = new Date("2026-03-02T09:00:00Z");
  const tar = snapshotArchive(snapshot, blobs, { ...OWNER, mtime, prefix: "in", links: "omit" });
  const found: unknown[] = [];
  for await (const entry of tar.pipe(extract())) {
    const { name, mode, mtime: time, pax } = entry.header as typeof entry.header & { pax: unknown };
    found.push([name, mode, time?.toISOString(), { ...(pax as object) }]);
    entry.resume();
  }
  assert.deepEqual(found, [
    ["in/d/", 0o2770, "2026-03-02T09:00:00.000Z", { uid: "4000000" }],
    ["in/d/f", 0o661, "2026-03-02T09:00:00.000Z", { uid: "4000000" }],
  ]);
});

test("the same snapshot gives the same bytes, contents larger than a chunk included", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const content = Buffer.alloc(3 * 1024 * 1024 + 17, "cloche");
  const snapshot = await snapshotOf(
    new Map([["big", { type: "file", mode: 0o664, content }]]),
    blobs,
  );
  const bytes = await bytesOf(snapshot, blobs);
  assert.ok(bytes.equals(await bytesOf(snapshot, blobs)));
  assert.deepEqual(await captureArchive(streamed(bytes, 65_536), blobs, LIMITS), snapshot);
});

test("a content that is missing or of another size ends the archive's stream with a fault", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const file = {
    type: "file",
    path: "a",
    mode: 0o664,
    ...(await blobs.put(Buffer.from("abc"))),
  } as const;
  const withFile = (changed: object): Snapshot => ({
    schema: "cloche.snapshot/1",
    entries: [{ ...file, ...changed }],
    bytes: 3,
    skipped: [],
  });
  for (const size of [1, 4, 600]) {
    await refusesAs("blob-broken", bytesOf(withFile({ size }), blobs));
  }
  await refusesAs("blob-missing", bytesOf(withFile({ sha256: "0".repeat(64) }), blobs));
});

test("an empty workspace is an archive of two empty blocks", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  const empty = await captureArchive(streamed(rawTar([])), blobs, LIMITS);
  assert.deepEqual(empty.entries, []);
  assert.ok((await bytesOf(empty, blobs)).equals(Buffer.alloc(1024)));
});

async function bytesOf(snapshot: Snapshot, blobs: BlobFolder): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(snapshotArchive(snapshot, blobs, OWNER)));
}

/** Where header blocks begin, those of extended headers too. */
function headersOf(tar: Buffer): number[] {
  const headers: number[] = [];
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    headers.push(at);
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return headers.length > 0 ? headers : [0];
}

async function refusesAs(kind: string, work: Promise<unknown>): Promise<void> {
  await faultOf(work, `workspace/${kind}`);
}
