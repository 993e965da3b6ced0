import fc from "fast-check";
import type { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { comparePaths, parentOf } from "../../runtime/workspace/entry-path.ts";
import type { Snapshot, SnapshotEntry } from "../../runtime/workspace/snapshot.ts";

/** What a file tree is made of, before its contents lie in a folder of blobs. */
export type Leaf =
  | { readonly type: "file"; readonly content: Uint8Array; readonly mode: number }
  | { readonly type: "link"; readonly target: string }
  | { readonly type: "directory"; readonly mode: number };

const HOSTILE = [
  "-rf",
  "a b",
  " ",
  "new\nline",
  "tab\t",
  "\u202egnp.exe",
  "é",
  "e\u0301",
  "README",
  "readme",
  "back\\slash",
  "\\xff",
  "*?[x]",
  "'\"`$(true)",
  "..a",
  "...",
  "~",
  "PaxHeader",
  "\u{1f600}",
  "\uffff",
  "\ue000",
  "\ufffd",
  "con",
  "x".repeat(100),
  "x".repeat(99),
  "é".repeat(127),
  "a.b=c\n12 path=/etc",
  "__proto__",
  "constructor",
];

/** Any name that a Linux file system takes and UTF-8 can say. */
const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .map((text) => text.replace(/[/\0]/g, "_"))
    .filter((text) => text !== "." && text !== ".." && text.isWellFormed()),
);

const mode = fc.integer({ min: 0, max: 0o777 });

const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    type: fc.constant("file"),
    content: fc.oneof(fc.uint8Array({ maxLength: 1500 }), fc.constant(new Uint8Array(512).fill(7))),
    mode,
  }),
  fc.record({ type: fc.constant("directory"), mode }),
  fc.record({
    type: fc.constant("link"),
    target: fc.oneof(
      fc.constantFrom("/etc/shadow", "../../../x", ".", "x".repeat(300), "ü".repeat(60), "a\nb"),
      segment,
    ),
  }),
);

/** Trees by path. Parents may be missing or may be files: `snapshotOf` sorts that out. */
export const trees = fc
  .array(fc.tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), leaf), { maxLength: 12 })
  .map((items) => new Map(items.map(([segments, what]) => [segments.join("/"), what])));

/** Puts a tree's contents into `blobs`; what lies below a file or link is left out. */
export async function snapshotOf(
  tree: ReadonlyMap<string, Leaf>,
  blobs: BlobFolder,
): Promise<Snapshot> {
  const entries = new Map<string, SnapshotEntry>();
  for (const [path, what] of [...tree].sort(([a], [b]) => comparePaths(a, b))) {
    const missing: string[] = [];
    let parent = parentOf(path);
    for (; parent !== "" && !entries.has(parent); parent = parentOf(parent)) missing.push(parent);
    if (parent !== "" && entries.get(parent)?.type !== "directory") continue;
    for (const each of missing) entries.set(each, { type: "directory", path: each, mode: 0o775 });
    entries.set(path, await entryOf(path, what, blobs));
  }
  const sorted = [...entries.values()].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  const bytes = sorted.reduce((sum, each) => sum + (each.type === "file" ? each.size : 0), 0);
  return { schema: "cloche.snapshot/1", entries: sorted, bytes, skipped: [] };
}

async function entryOf(path: string, what: Leaf, blobs: BlobFolder): Promise<SnapshotEntry> {
  if (what.type === "file") {
    return { type: "file", path, mode: what.mode, ...(await blobs.put(what.content)) };
  }
  return what.type === "link"
    ? { type: "link", path, target: what.target }
    : { type: "directory", path, mode: what.mode };
}
