import assert from "node:assert/strict";
import { rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { KeyFile } from "../../runtime/api/key-file.ts";
import { Keys } from "../../runtime/api/keys.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ONE = `one ${sha256("k1")}`;
const TWO = `two ${sha256("k2")}`;

/** A file, who may call by it, and what was logged, a second later with every look. */
async function watched(context: TestContext, text: string) {
  const folder = await tempFolder();
  context.after(() => folder[Symbol.asyncDispose]());
  const path = join(folder.path, "keys");
  await writeFile(path, text);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const file = new KeyFile(path);
  let nowMs = 0;
  const clock = { now: () => new Date(), monotonicMs: () => nowMs };
  const keys = new Keys(file.keys, clock, () => file.changed(log));
  const admits = (key: string, laterMs = 1_000) => {
    nowMs += laterMs;
    try {
      return keys.admit(`Bearer ${key}`).key;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { path, admits, lines };
}

describe("a key file that changes", () => {
  const broken: [string, (path: string) => Promise<unknown>][] = [
    ["is broken", (path) => writeFile(path, `${ONE}\ntwo nonsense\n`)],
    ["is empty", (path) => writeFile(path, "")],
    ["holds nothing but comments", (path) => writeFile(path, "# nobody\n")],
    ["is gone", (path) => rm(path)],
  ];
  for (const [what, breakIt] of broken) {
    it(`changes nothing if it ${what}, says so once, and is read again when it is mended`, async (context) => {
      const { path, admits, lines } = await watched(context, `${ONE}\n`);
      await breakIt(path);
      for (const _ of [1, 2, 3]) assert.equal(admits("k1"), "one");
      assert.equal(admits("k2"), "api/no-key");
      assert.equal(admits(""), "api/no-key", "nobody gets in without a key");
      assert.equal(lines.length, 1, lines.join(""));
      assert.match(lines[0] ?? "", /the old keys stay in force/);
      assert(!lines.join("").includes(sha256("k1").slice(0, 16)));
      await writeFile(path, `${TWO}\n`);
      assert.equal(admits("k1"), "api/no-key");
      assert.equal(admits("k2"), "two");
    });
  }

  it("refuses the next request of a key that was taken out, within a second", async (context) => {
    const { path, admits } = await watched(context, `${ONE}\n${TWO}\n`);
    assert.deepEqual([admits("k1"), admits("k2")], ["one", "two"]);
    await writeFile(path, `${TWO}\n`);
    assert.equal(admits("k1", 999), "one", "it is looked at once a second");
    assert.deepEqual([admits("k1", 1), admits("k2")], ["api/no-key", "two"]);
  });

  it("is read when another one is put in its place, and when a key is written over another", async (context) => {
    const { path, admits } = await watched(context, `${ONE}\n`);
    await writeFile(`${path}.new`, `${TWO}\n`);
    await rename(`${path}.new`, path);
    assert.equal(admits("k2"), "two");
    const { atime, mtime } = { atime: new Date(0), mtime: new Date(0) };
    await utimes(path, atime, mtime);
    await writeFile(path, `six ${sha256("k6")}\n`); // As long, and at the same moment.
    await utimes(path, atime, mtime);
    assert.equal(admits("k6"), "six");
  });

  it("gives no requests back to a key that it leaves as it was", async (context) => {
    const rated = `${ONE} rate=0.001 burst=2`;
    const { path, admits } = await watched(context, `${rated}\n`);
    assert.deepEqual([admits("k1"), admits("k1")], ["one", "one"]);
    await writeFile(path, `${rated}\n${TWO}\n`);
    assert.equal(admits("k1"), "api/rate-limited");
    assert.equal(admits("k2"), "two");
    await writeFile(path, `${rated}0\n${TWO}\n`);
    assert.equal(admits("k1"), "one");
  });
});
