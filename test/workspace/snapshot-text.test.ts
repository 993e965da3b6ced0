import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { comparePaths } from "../../runtime/workspace/entry-path.ts";
import { parseSnapshot } from "../../runtime/workspace/snapshot-text.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { snapshotOf, trees } from "./trees.ts";

const FILE = { type: "file", path: "f", mode: 0o644, size: 1, sha256: "a".repeat(64) };
const DIRECTORY = { type: "directory", path: "d", mode: 0o755 };
const LINK = { type: "link", path: "l", target: "x" };
const SNAPSHOT = {
  schema: "cloche.snapshot/1",
  entries: [DIRECTORY, FILE, LINK],
  bytes: 1,
  skipped: [],
};

for (const [title, value] of [
  ["no object", null],
  ["a list", []],
  ["of another schema", { ...SNAPSHOT, schema: "cloche.snapshot/2" }],
  ["without skipped", { ...SNAPSHOT, skipped: undefined }],
  ["with an unknown member", { ...SNAPSHOT, more: 1 }],
  ["with a wrong sum", { ...SNAPSHOT, bytes: 2 }],
  ["with a negative sum", { ...SNAPSHOT, bytes: -1 }],
  ["with entries out of order", { ...SNAPSHOT, entries: [FILE, DIRECTORY, LINK] }],
  ["with an entry twice", { ...SNAPSHOT, entries: [DIRECTORY, DIRECTORY, FILE, LINK] }],
  ["with a missing parent", one({ ...FILE, path: "a/b" })],
  ["with a file as parent", { ...SNAPSHOT, bytes: 2, entries: [FILE, { ...FILE, path: "f/g" }] }],
  ["with an entry of no known type", one({ ...FILE, type: "fifo" })],
  ["with the members of another type", one({ ...FILE, type: "directory" })],
  ["with an absolute path", one({ ...FILE, path: "/etc/passwd" })],
  ["with a path that climbs out", one({ ...FILE, path: "../x" })],
  ["with an empty path", one({ ...FILE, path: "" })],
  ["with a NUL in a path", one({ ...FILE, path: "a\0" })],
  ["with half a letter in a path", one({ ...FILE, path: "\ud800" })],
  ["with a path that is no text", one({ ...FILE, path: ["a"] })],
  ["with setuid bits", one({ ...FILE, mode: 0o4755 })],
  ["with a fractional mode", one({ ...FILE, mode: 1.5 })],
  ["with a size beyond counting", one({ ...FILE, size: 2 ** 53 })],
  ["with a hash that is a path", one({ ...FILE, sha256: "../".repeat(21) })],
  ["with a link to nothing", one({ ...LINK, target: "" }, 0)],
  ["with a skipped entry of no known type", { ...SNAPSHOT, skipped: [{ path: "a", type: "x" }] }],
] as const) {
  test(`a stored snapshot ${title} is refused`, () => {
    const parsed = value === null ? value : JSON.parse(JSON.stringify(value));
    assert.throws(() => parseSnapshot(parsed), { code: "workspace/snapshot-invalid" });
  });
}

test("a member named __proto__ is an unknown member", () => {
  const text = canonicalJson(SNAPSHOT).replace("{", '{"__proto__":{},');
  assert.throws(() => parseSnapshot(JSON.parse(text)), { code: "workspace/snapshot-invalid" });
});

test("whatever JSON is given, it is a snapshot or a fault", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.throws(() => parseSnapshot(value), Fault);
    }),
  );
});

test("a snapshot kept as canonical JSON comes back the same", async () => {
  await using folder = await tempFolder();
  const blobs = new BlobFolder(folder.path);
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const skipped = [{ path: "p\\xff", type: "fifo" as const }];
      const snapshot = { ...(await snapshotOf(tree, blobs)), skipped };
      assert.deepEqual(parseSnapshot(JSON.parse(canonicalJson(snapshot))), snapshot);
    }),
    { numRuns: 50 },
  );
});

test("paths are ordered as the bytes of their UTF-8 are", () => {
  const path = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed());
  fc.assert(
    fc.property(path, path, (a, b) => {
      const order = Math.sign(comparePaths(a, b));
      assert.equal(order, Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

function one(entry: object, bytes = 1): object {
  return { ...SNAPSHOT, entries: [entry], bytes };
}
