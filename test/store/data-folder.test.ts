import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { draftName } from "../../runtime/base/draft.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { openDataFolder, rolloutFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { resolveBundle } from "../../runtime/store/resolve-bundle.ts";
import { sampleContents, sampleRecord, temporaryFolder } from "./samples.ts";

test("a data folder that cannot be made is refused with what to do", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "file"), "");
  for (const path of [join(folder, "file"), join(folder, "file/below"), "/proc/cloche"]) {
    await assert.rejects(openDataFolder(path), {
      code: "store/folder-unusable",
      message: /cannot be used: .*; give a folder that you may write with --data/,
    });
  }
});

test("a data folder without a sound id is refused", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "owner"), "somebody");
  await assert.rejects(openDataFolder(folder), { code: "store/folder-damaged" });
});

test("a data folder is made once, for its owner alone, and keeps its id", async (context) => {
  const path = join(temporaryFolder(context), "deep/data");
  const [first, ...others] = await Promise.all(
    Array.from({ length: 8 }, () => openDataFolder(path)),
  );
  for (const other of others) assert.deepEqual(other, first);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(path).sort(), [
    "blobs",
    "bundles",
    "cache",
    "log",
    "owner",
    "rollouts",
    "steps",
  ]);
  assert.equal((await openDataFolder(path)).owner, first?.owner);
});

test("drafts of dead processes are cleared away, those of living ones stay", async (context) => {
  const { path, bundles, cache } = await openDataFolder(temporaryFolder(context));
  const living = draftName();
  const dead = living.replace(/(\.draft-\w+)\.\d+\.\d+/, "$1.999999999.1");
  assert.notEqual(dead, living);
  mkdirSync(join(bundles, dead, "workspace"), { recursive: true });
  writeFileSync(join(bundles, dead, "workspace/before.json"), "{");
  mkdirSync(join(bundles, living));
  writeFileSync(join(cache, dead), "");
  await openDataFolder(path);
  assert.deepEqual(readdirSync(bundles), [living]);
  assert.deepEqual(readdirSync(cache), []);
});

test("a rollout has a folder of its own", async (context) => {
  const folder = await openDataFolder(temporaryFolder(context));
  assert.equal(statSync(await rolloutFolder(folder, "r1")).mode & 0o777, 0o700);
});

test("kill -9 while bundles are written leaves only whole ones", async (context) => {
  const path = temporaryFolder(context);
  const folder = await openDataFolder(path);
  for (const delay of [0, 7, 18, 31]) {
    const script = join(import.meta.dirname, "write-bundles.ts");
    const writer = spawn(process.execPath, [script, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(writer.stdout, "data");
    await sleep(delay);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    await openDataFolder(path);
    const names = readdirSync(folder.bundles);
    assert.ok(names.length > 0);
    for (const name of names) {
      assert.match(name, /^[0-9a-f]{64}$/);
      await openBundle(join(folder.bundles, name));
    }
  }
  using records = await RecordStore.open(folder.database);
  assert.ok((await records.unfinished()).length > 0);
});

test("a bundle is found by its folder, and by the beginning of an id", async (context) => {
  const folder = await openDataFolder(temporaryFolder(context));
  const { contents, blobs } = await sampleContents(folder.path);
  const { id, path } = await writeBundle(folder.bundles, contents, blobs);
  using records = await RecordStore.open(folder.database);
  const done = { outcome: "graded", reward: { sparse: 1, dense: 1 }, bundle: id } as const;
  await records.put(sampleRecord({ id: "rabcdefgh", ...done }));
  await records.put(sampleRecord({ id: "rabczzzzz" }));
  for (const text of [path, id, id.slice(0, 6), "rabcdefgh", "rabcd", "rabc"]) {
    assert.equal(await resolveBundle(folder, text), path, text);
  }
  for (const text of ["", "rabczz", "abc", "none-such", `${path}x`, "../bundles/x", "rab%"]) {
    await assert.rejects(resolveBundle(folder, text), { code: "store/bundle-missing" }, text);
  }
});

test("letters that fit several bundles are refused with those", async (context) => {
  const folder = await openDataFolder(temporaryFolder(context));
  mkdirSync(join(folder.bundles, `abcd${"0".repeat(60)}`));
  mkdirSync(join(folder.bundles, `abcd${"1".repeat(60)}`));
  await assert.rejects(resolveBundle(folder, "abcd"), {
    code: "store/bundle-ambiguous",
    message: /fits 2 bundles \(abcd000000000000, abcd111111111111\)/,
  });
});
