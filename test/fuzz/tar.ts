import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import fc from "fast-check";
import { extract } from "tar-stream";
import { Fault } from "../../runtime/base/fault.ts";
import { captureArchive } from "../../runtime/workspace/archive-reader.ts";
import { asSeeded, snapshotArchive } from "../../runtime/workspace/archive-writer.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { parseSnapshot } from "../../runtime/workspace/snapshot-text.ts";
import { type RawEntry, rawEntry, sign } from "../workspace/raw-tar.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { mutated, mutation, oddBytes, pieceSizes, pieces, seldom } from "./mutations.ts";

const LIMITS = { bytes: 8192, files: 12, depth: 6 };
const OWNER = { uid: 4_000_000, gid: 300_016 };
const CODES = /^workspace\/(?:archive-broken|capture-(?:refused|too-large|incomplete))$/;

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "d/", "d/e", "d/e/", "d/e/f", "ü", "A", "é") },
  { weight: 1, arbitrary: fc.constantFrom("../x", "/etc/passwd", "./a", "d//x", "", ".", "d/..") },
  { weight: 1, arbitrary: fc.constantFrom("d/\xff", "x".repeat(100), "\n", "\x1b[2J", "-rf") },
  { weight: 1, arbitrary: oddBytes.map((bytes) => Buffer.from(bytes)) },
);

const content = fc.constantFrom("", "kept", "x".repeat(511), "y".repeat(512), "z".repeat(1500));

const entry: fc.Arbitrary<RawEntry> = fc.record(
  {
    name,
    type: fc.constantFrom(
      "0",
      "0",
      "0",
      "0",
      "5",
      "5",
      "2",
      "1",
      "6",
      "3",
      "4",
      "7",
      "S",
      "L",
      "K",
    ),
    mode: fc.constantFrom(0o644, 0o755, 0o6755, 0o7777),
    linkName: fc.oneof(name, fc.constantFrom("/etc/shadow", "../../..", "a\0b")),
    content: content.map((text) => Buffer.from(text)),
    size: fc.constantFrom(0, 1, 512, 4096, 2 ** 32, 8 ** 11 - 1),
    pax: fc.dictionary(
      fc.constantFrom("path", "linkpath", "size", "mtime", "GNU.sparse.major", "comment"),
      fc.oneof(name, fc.constantFrom("1", "512", "-1", "1e3", "")),
      { maxKeys: 2 },
    ),
  },
  { requiredKeys: ["name"] },
);

/** Entries that make sense, so that much is accepted and the odd one stands among them. */
const plainEntry: fc.Arbitrary<RawEntry> = fc.oneof(
  fc.record({ name, content: content.map((text) => Buffer.from(text)) }),
  fc.record({ name: fc.constantFrom("d/", "d/e/", "g/"), type: fc.constant("5") }),
  fc.record({ name, type: fc.constant("2"), linkName: name }),
);

/** A field of a header rewritten, its checksum made right again. */
const headerChange = fc.record({
  which: fc.nat(0x7fff),
  field: fc
    .constantFrom([0, 100], [100, 8], [124, 12], [148, 8], [156, 1], [157, 100])
    .chain((one) => fc.constantFrom(one, [257, 8], [345, 155])),
  bytes: oddBytes,
  signed: fc.boolean(),
});

const input = fc.record({
  entries: fc.array(
    fc.oneof({ weight: 4, arbitrary: plainEntry }, { weight: 1, arbitrary: entry }),
    {
      maxLength: 6,
    },
  ),
  folders: fc.boolean(),
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(headerChange, { minLength: 1, maxLength: 2 }) },
  ),
  bytes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
  ),
  trailer: fc.constantFrom(1024, 1024, 1024, 1024, 10_240, 512, 0),
  random: seldom(fc.uint8Array({ maxLength: 1200 }), 60),
  sizes: pieceSizes,
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

/** A workspace as an engine sends it: no crash, and what is accepted is what another reader finds. */
export const tarTarget: FuzzTarget = {
  name: "tar",
  open: async (folder, tally) => {
    const blobs = new BlobFolder(folder);
    return fc.asyncProperty(input, (one) => check(one, blobs, tally));
  },
};

async function check(one: Input, blobs: BlobFolder, tally: Tally): Promise<void> {
  const tar = archiveOf(one);
  const stream = Readable.from(pieces(tar, one.sizes), { objectMode: false });
  const read = await captureArchive(stream, blobs, LIMITS).catch((error: unknown) => error);
  if (read instanceof Error) {
    if (!(read instanceof Fault)) throw read;
    assert.match(read.code, CODES);
    tally.add(read.code);
    return;
  }
  const snapshot = read as Snapshot;
  tally.add("accepted");
  assert.ok(snapshot.bytes <= LIMITS.bytes && snapshot.entries.length <= LIMITS.files);
  assert.deepEqual(parseSnapshot(JSON.parse(JSON.stringify(snapshot))), snapshot);
  const again = await captureArchive(snapshotArchive(snapshot, blobs, OWNER), blobs, LIMITS);
  assert.deepEqual(again, asSeeded(snapshot));
  const others = await otherReader(tar);
  if (others === undefined) tally.add("accepted, but not by tar-stream");
  else assertSame(snapshot, others);
}

function archiveOf({ entries, folders, headers, bytes, trailer, random }: Input): Buffer {
  if (random) return Buffer.from(random);
  const first: RawEntry[] = folders ? ["d/", "d/e/"].map((name) => ({ name, type: "5" })) : [];
  const blocks = [...first, ...unlike(entries)].map(rawEntry);
  for (const { which, field, bytes: value, signed } of headers) {
    const block = blocks[which % Math.max(1, blocks.length)];
    if (block === undefined) continue;
    const [at = 0, length = 0] = field;
    Buffer.from(value).copy(block, at, 0, length);
    if (signed) sign(block);
  }
  return mutated(Buffer.concat([...blocks, Buffer.alloc(trailer)]), bytes);
}

/** Mostly each name once: else next to nothing is accepted. */
function unlike(entries: readonly RawEntry[]): RawEntry[] {
  const seen = new Set<string>();
  return entries.filter(({ name }) => {
    const text = Buffer.from(name).toString("latin1");
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew || text === "b";
  });
}

interface Found {
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
  readonly linkname: string | undefined;
}

/** What the tar-stream package finds, by name; undefined if it refuses the archive. */
function otherReader(tar: Buffer): Promise<Map<string, Found> | undefined> {
  const { promise, resolve } = Promise.withResolvers<Map<string, Found> | undefined>();
  const found = new Map<string, Found>();
  const parser = extract();
  parser.on("entry", (header, stream, next) => {
    const hash = createHash("sha256");
    stream.on("data", (chunk) => hash.update(chunk as Buffer));
    stream.on("end", () => {
      const { type, size = 0, linkname } = header;
      const sha256 = hash.digest("hex");
      found.set(header.name, {
        ...{ type: type ?? "", size, sha256 },
        linkname: linkname ?? undefined,
      });
      next();
    });
  });
  parser.on("error", () => resolve(undefined));
  parser.on("finish", () => resolve(found));
  parser.end(tar);
  return promise;
}

const TYPES = {
  file: ["file", "contiguous-file", "link"],
  directory: ["directory"],
  link: ["symlink", "link"],
};

/** Each finds what the other finds; directories that no entry names are made up for their children. */
function assertSame({ entries, skipped }: Snapshot, found: ReadonlyMap<string, Found>): void {
  let named = 0;
  for (const entry of entries) {
    const other = found.get(entry.path) ?? found.get(`${entry.path}/`);
    if (other === undefined) {
      const isParent = entries.some(({ path }) => path.startsWith(`${entry.path}/`));
      assert.ok(entry.type === "directory" && isParent, `only here: ${JSON.stringify(entry)}`);
      continue;
    }
    named += 1;
    assert.ok(TYPES[entry.type].includes(other.type), `${entry.path}: ${other.type}`);
    if (other.type === "link") continue;
    if (entry.type === "link") assert.equal(entry.target, other.linkname);
    if (entry.type !== "file") continue;
    assert.deepEqual([entry.size, entry.sha256], [other.size, other.sha256], entry.path);
  }
  // Names that are not UTF-8 may have become one name there.
  const isLossy = [...found.keys()].some((path) => path.includes("\ufffd"));
  if (!isLossy) assert.equal(named + skipped.length, found.size);
}
