import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { engineFault } from "../../runtime/engine/faults.ts";
import { type CaptureOptions, captureArchive } from "../../runtime/workspace/archive-reader.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import type { SnapshotLimits } from "../../runtime/workspace/snapshot-builder.ts";
import { faultOf } from "../support/engine.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type RawEntry, rawEntry, rawTar, sign, streamed } from "./raw-tar.ts";

const LIMITS: SnapshotLimits = { bytes: 10_000, files: 20 };
const ROOT: RawEntry = { name: "./", type: "5", mode: 0o2770 };
const file = (name: string | Buffer, content = "x"): RawEntry => ({
  name,
  content: Buffer.from(content),
});

/** Its target is not UTF-8, so it has no place in a snapshot. */
const UNTOLD = { type: "2", linkName: Buffer.of(0x80) };

for (const [title, end] of [
  ["without its end", Buffer.alloc(0)],
  ["with one of the two empty blocks at its end", Buffer.alloc(512)],
  ["that goes on after its end", Buffer.concat([Buffer.alloc(1024), rawEntry(file("late"))])],
  ["with an empty block between entries", Buffer.concat([Buffer.alloc(512), rawTar([file("b")])])],
  ["with endless zeros at its end", Buffer.alloc(4 * 1024 * 1024)],
] as const) {
  test(`an archive ${title} is broken`, async () => {
    await faultOf(capture(rawTar([file("a")], end)), "workspace/archive-broken");
  });
}

for (const [title, entry] of [
  ["of a type that is not read", { name: "a", type: "S" }],
  ["with a global header", { name: "a", type: "g", content: Buffer.from("11 path=b\n") }],
  ["that is a GNU sparse file", { ...file("a"), pax: { "GNU.sparse.major": "1" } }],
  ["with a size that is no number", { ...file("a"), pax: { size: "1e1" } }],
  ["with a size beyond counting", { ...file("a"), pax: { size: "9".repeat(30) } }],
  ["that is a link with content", { name: "a", type: "2", linkName: "b", content: Buffer.of(1) }],
  ["that is a directory with content", { name: "a/", type: "5", content: Buffer.of(1) }],
  ["with a malformed extended header", { name: "a", type: "x", content: Buffer.from("9 a") }],
  ["with an extended header too large", { name: "a", type: "x", size: 2 ** 30 }],
  ["whose content is cut", { ...file("a"), size: 5000 }],
] as const satisfies readonly (readonly [string, RawEntry])[]) {
  test(`an archive holding an entry ${title} is broken`, async () => {
    await faultOf(capture(rawTar([entry, file("z")])), "workspace/archive-broken");
  });
}

for (const [title, entries] of [
  ["an absolute name", [file("/etc/passwd")]],
  ["a name that climbs out", [file("a/../../b")]],
  ["a name with an empty segment", [file("a//b")]],
  ["a name with a dot segment", [file("a/./b")]],
  ["an empty name", [file("")]],
  ["a NUL in a name", [{ ...file("a"), pax: { path: "a\0b" } }]],
  ["a file's name that ends with a slash", [file("a/")]],
  ["one name twice", [file("a"), file("a")]],
  ["a pipe whose name climbs out", [{ name: "a/../../b", type: "6" }]],
  ["a device with an absolute name", [{ name: "/dev/null", type: "3" }]],
  ["a link that is only listed, by a directory's name", [{ ...UNTOLD, name: "a/" }]],
  ["a file below a link that is only listed", [file("a/b"), { ...UNTOLD, name: "a" }]],
  ["a file below a pipe", [{ name: "a", type: "6" }, file("a/b")]],
  [
    "one pipe twice",
    [
      { name: "p", type: "6" },
      { name: "p", type: "6" },
    ],
  ],
  ["a file and a directory of one name", [file("a"), { name: "a/", type: "5" }]],
  ["something below a file", [file("a"), file("a/b")]],
  ["something below a link", [{ name: "a", type: "2", linkName: "/etc" }, file("a/b")]],
  ["a link to nothing", [{ name: "a", type: "2" }]],
  ["a hard link to what is not there", [{ name: "a", type: "1", linkName: "b" }]],
  ["a hard link to a later file", [{ name: "a", type: "1", linkName: "b" }, file("b")]],
  ["a hard link to itself", [{ name: "a", type: "1", linkName: "a" }]],
  ["a hard link to the host", [{ name: "a", type: "1", linkName: "/etc/shadow" }]],
  [
    "a hard link to a directory",
    [
      { name: "d/", type: "5" },
      { name: "a", type: "1", linkName: "d" },
    ],
  ],
] as const satisfies readonly (readonly [string, readonly RawEntry[]])[]) {
  test(`an archive with ${title} is refused`, async () => {
    await faultOf(capture(rawTar(entries)), "workspace/capture-refused");
  });
}

test("an archive without its root, or with names outside of it, is refused", async () => {
  const root = { root: "." };
  await faultOf(capture(rawTar([]), {}, root), "workspace/archive-broken");
  await faultOf(capture(rawTar([file("./a")]), {}, root), "workspace/archive-broken");
  await faultOf(capture(rawTar([file("./")]), {}, root), "workspace/archive-broken");
  await faultOf(capture(rawTar([ROOT, file("a")]), {}, root), "workspace/capture-refused");
  await faultOf(capture(rawTar([ROOT, ROOT]), {}, root), "workspace/capture-refused");
});

test("a workspace over a limit is the agent's doing and is not read to its end", async () => {
  const endless = (entry: (index: number) => RawEntry) =>
    Readable.from(
      (function* () {
        for (let index = 0; ; index++) yield rawEntry(entry(index));
      })(),
      { objectMode: false },
    );
  await using folder = await tempFolder();
  for (const [limits, entry] of [
    [{ bytes: 5000, files: 1e9 }, (index: number) => file(`f${index}`, "x".repeat(900))],
    [{ bytes: 1e9, files: 50 }, (index: number) => file(`f${index}`)],
    [
      { bytes: 1e9, files: 1e9, entries: 50 },
      (index: number) => ({ name: `d${index}`, type: "5" }),
    ],
    [{ bytes: 1e9, files: 50 }, (index: number) => ({ name: `p${index}`, type: "6" })],
    [{ bytes: 1e9, files: 50 }, () => ({ name: "sparse", size: 2 ** 33 - 1 })],
  ] as const) {
    const fault = await faultOf(
      captureArchive(endless(entry), new BlobFolder(folder.path), limits),
      "workspace/capture-too-large",
    );
    assert.equal(fault.blame, "agent");
  }
});

test("a path near the longest that an archive can hold is refused, as what is below may be missing", async () => {
  const deep = `${"d".repeat(250)}/`.repeat(14);
  const entries = [{ name: "x", pax: { path: `${deep}x` }, type: "5" }];
  await faultOf(
    capture(rawTar(entries), { pathBytes: 1e9, depth: 1e9 }),
    "workspace/capture-too-large",
  );
  await faultOf(capture(rawTar([file("a/b/c")]), { depth: 2 }), "workspace/capture-too-large");
  await faultOf(capture(rawTar([file("é")]), { pathBytes: 1 }), "workspace/capture-too-large");
  assert.equal((await capture(rawTar([file("é")]), { pathBytes: 2 })).entries.length, 1);
});

test("fewer entries than the workspace is known to have are the agent's doing", async () => {
  const tar = rawTar([ROOT, file("./a"), { name: "./p", type: "6" }]);
  const options = (entries: number) => ({ root: ".", expected: { entries } });
  const fault = await faultOf(capture(tar, {}, options(4)), "workspace/capture-incomplete");
  assert.equal(fault.blame, "agent");
  assert.equal((await capture(tar, {}, options(3))).entries.length, 1);
});

test("a stream that fails is broken, a fault of the engine passes as it is", async () => {
  const failing = (error: Error) =>
    Readable.from(
      (function* () {
        yield rawEntry(file("a"));
        throw error;
      })(),
      { objectMode: false },
    );
  await faultOf(capture(failing(new Error("ECONNRESET"))), "workspace/archive-broken");
  await faultOf(capture(failing(engineFault("no-answer", "nothing came"))), "engine/no-answer");
});

test("a link is its text and nothing is followed", async () => {
  const links = ["/etc/shadow", "../../../etc", ".", "a\nb"];
  const { entries } = await capture(
    rawTar(
      links.map((linkName, index) => ({ name: `l${index}`, type: "2", mode: 0o777, linkName })),
    ),
  );
  assert.deepEqual(
    entries,
    links.map((target, index) => ({ type: "link", path: `l${index}`, target })),
  );
});

test("a hard link is one more file with the same content, a hard link to a link one more link", async () => {
  const snapshot = await capture(
    rawTar([
      ROOT,
      { ...file("./a", "twice"), mode: 0o6755 },
      { name: "./b", type: "1", linkName: "./a" },
      { name: "./l", type: "2", linkName: "a" },
      { name: "./m", type: "1", linkName: "./l" },
      { name: "./p", type: "6" },
      { name: "./q", type: "1", linkName: "./p" },
    ]),
    {},
    { root: "." },
  );
  const [a, b, l, m] = snapshot.entries;
  assert.deepEqual({ ...b, path: "a" }, a);
  assert.deepEqual({ ...m, path: "l" }, l);
  assert.equal(a?.type === "file" && a.mode, 0o755);
  assert.equal(snapshot.bytes, 10);
  assert.deepEqual(snapshot.skipped, [
    { path: "p", type: "fifo" },
    { path: "q", type: "fifo" },
  ]);
});

test("what a snapshot can't hold is said and not lost", async () => {
  const bad = Buffer.from("bad\xff\\\u00e9", "latin1");
  const snapshot = await capture(
    rawTar([
      file(bad, "kept"),
      { ...file("x"), pax: { path: Buffer.from("also\xfe", "latin1") } },
      { name: "again", type: "1", linkName: bad },
      { name: "link", type: "2", linkName: Buffer.from([0x80]) },
      { name: "null", type: "3" },
      { name: "disk", type: "4" },
      { name: "pipe\\n", type: "6" },
    ]),
  );
  assert.deepEqual(snapshot.skipped, [
    { path: "also\\xfe", type: "file" },
    { path: "bad\\xff\\\\\\xe9", type: "file" },
    { path: "disk", type: "device" },
    { path: "link", type: "link" },
    { path: "null", type: "device" },
    { path: "pipe\\\\n", type: "fifo" },
  ]);
  assert.deepEqual(
    snapshot.entries.map(({ path }) => path),
    ["again"],
  );
});

test("names that differ in case or in their Unicode form only are different files", async () => {
  const names = ["A", "a", "e\u0301", "\u00e9", "\ufffd"];
  const { entries } = await capture(rawTar(names.map((name) => file(name, name))));
  assert.deepEqual(
    entries.map(({ path }) => path),
    names,
  );
});

test("directories that an archive only implies are provided, in their place", async () => {
  const { entries } = await capture(rawTar([file("b/c/d"), file("b-"), file("a")]));
  assert.deepEqual(
    entries.map(({ path, type }) => `${type} ${path}`),
    ["file a", "directory b", "file b-", "directory b/c", "file b/c/d"],
  );
});

test("GNU's long names and binary sizes are read", async () => {
  const long = `${"n".repeat(200)}\0`;
  const entry = rawEntry({ ...file("short", "12345"), linkName: "" });
  entry.write("ustar  \0", 257, "latin1");
  entry.fill(0, 124, 136);
  entry[124] = 0x80;
  entry[135] = 5;
  sign(entry);
  const tar = Buffer.concat([
    rawEntry({ name: "././@LongLink", type: "L", content: Buffer.from(long) }),
    entry,
    Buffer.alloc(10_240),
  ]);
  const { entries, bytes } = await capture(tar);
  assert.equal(entries[0]?.path, "n".repeat(200));
  assert.equal(bytes, 5);
});

async function capture(
  tar: Buffer | Readable,
  limits: Partial<SnapshotLimits> = {},
  options: CaptureOptions = {},
): Promise<Snapshot> {
  await using folder = await tempFolder();
  const stream = Buffer.isBuffer(tar) ? streamed(tar, 700) : tar;
  const blobs = new BlobFolder(folder.path);
  const snapshot = await captureArchive(stream, blobs, { ...LIMITS, ...limits }, options);
  for (const entry of snapshot.entries) {
    if (entry.type === "file") await blobs.verify(entry.sha256);
  }
  return snapshot;
}
