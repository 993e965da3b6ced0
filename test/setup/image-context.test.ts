import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import fc from "fast-check";
import { extract } from "tar-stream";
import { type ContextFile, contextArchive, folderFiles } from "../../runtime/image/context.ts";

describe("a build context", () => {
  it("refuses a path that the format has no room for", async () => {
    const file = { path: "x".repeat(101), content: Buffer.of(1) };
    await assert.rejects(buffer(contextArchive([file])), /longer than 100 bytes/);
  });

  it("fails when a file is not there", async () => {
    const file = { path: "node", content: { file: "/nonexistent/node" } };
    await assert.rejects(buffer(contextArchive([file])), { code: "ENOENT" });
  });

  it("is read by another tar implementation as it was written, whatever the bytes", async () => {
    const content = fc.uint8Array({ maxLength: 1500 });
    const path = fc.stringMatching(/^[a-z][a-z0-9/._-]{0,80}[a-z]$/);
    const file = fc.record({ path, content, executable: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 5 }), async (files) => {
        const expected = files.map(({ path, content, executable }) => ({
          path,
          mode: executable ? 0o755 : 0o644,
          bytes: Buffer.from(content),
        }));
        assert.deepEqual(await read(files), expected);
      }),
      { numRuns: 50 },
    );
  });

  it("has the same bytes each time, also for files on disk", async () => {
    const file = { path: "a/b", content: { file: import.meta.filename } };
    const [one, two] = [await buffer(contextArchive([file])), await buffer(contextArchive([file]))];
    assert.deepEqual(one, two);
    assert.equal(one.length % 512, 0);
  });

  it("takes a folder's files sorted and without Python's caches", () => {
    const folder = mkdtempSync(join(tmpdir(), "cloche-context-"));
    mkdirSync(join(folder, "sub", "__pycache__"), { recursive: true });
    for (const path of ["z.py", "a.py", "sub/m.py", "sub/__pycache__/m.pyc"]) {
      writeFileSync(join(folder, path), path);
    }
    const paths = folderFiles(folder, "cloche").map(({ path }) => path);
    assert.deepEqual(paths, ["cloche/a.py", "cloche/sub/m.py", "cloche/z.py"]);
    rmSync(folder, { recursive: true });
  });
});

async function read(files: readonly ContextFile[]) {
  const found: { path: string; mode: number | undefined; bytes: Buffer }[] = [];
  const entries = contextArchive(files).pipe(extract());
  for await (const entry of entries) {
    const bytes = await buffer(entry);
    found.push({ path: entry.header.name, mode: entry.header.mode, bytes });
  }
  return found;
}
