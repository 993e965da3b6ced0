import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { AppendFile } from "../../runtime/mcp/record/append-file.ts";

describe("a file that only grows", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-append-"));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("says with the next line that one that was held could not be written", async () => {
    const file = new AppendFile("/dev/full");
    file.hold("first");
    await new Promise((resolve) => setImmediate(resolve));
    assert.throws(() => file.append("second"), { code: "mcp/record-failed" });
    assert.throws(() => file.flush(), { code: "mcp/record-failed" });
    assert.throws(() => file.close(), { code: "mcp/record-failed" });
    assert.equal(file.isOpen, false);
  });

  it("takes no line when it is closed", () => {
    const file = new AppendFile(join(folder, "closed"));
    file.close();
    file.close();
    assert.throws(() => file.append("late"), { code: "mcp/record-failed" });
  });

  it("writes what was held before what follows it", async () => {
    const path = join(folder, "lines");
    using file = new AppendFile(path);
    file.hold("one");
    file.hold("two");
    file.append("three");
    assert.equal(await readFile(path, "utf8"), "one\ntwo\nthree\n");
  });

  it("writes what was held by the end of the turn, or when it is closed", async () => {
    const path = join(folder, "held");
    const file = new AppendFile(path);
    file.hold("one");
    await Promise.resolve();
    assert.equal(await readFile(path, "utf8"), "one\n");
    file.hold("two");
    file.close();
    assert.equal(await readFile(path, "utf8"), "one\ntwo\n");
  });
});
