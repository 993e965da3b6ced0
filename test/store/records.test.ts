import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { sampleRecord, temporaryFolder } from "./samples.ts";

const FINAL = {
  phase: "stored",
  outcome: "graded",
  reward: { sparse: 1, dense: 1 },
  endedAt: "2026-03-02T09:01:00.000Z",
} as const satisfies Partial<RolloutRecord>;

test("a file that is no database is refused", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  writeFileSync(path, "not a database, but long enough to be looked at ".repeat(30));
  await assert.rejects(RecordStore.open(path), {
    code: "store/database-unusable",
    message: /cannot open .*cloche\.db/,
  });
});

test("a database of a newer version is refused and left as it is", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 99");
  await assert.rejects(RecordStore.open(path), { code: "store/database-newer" });
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 99);
  database.close();
});

test("a final record cannot be changed", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  const final = sampleRecord(FINAL);
  await store.put(sampleRecord());
  await store.put(final);
  await store.put(final);
  for (const change of [
    { ...final, reward: { sparse: 0, dense: 0 } as const },
    { ...final, outcome: "cancelled" as const, reward: null },
    sampleRecord(),
  ]) {
    await assert.rejects(store.put(change), { code: "store/record-final" });
  }
  assert.deepEqual(await store.get(final.id), final);
});

test("what is no record is refused when it is put and when it is read", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  using store = await RecordStore.open(path);
  const odd = { ...sampleRecord(), steps: -1 };
  await assert.rejects(store.put(odd), { code: "store/record-damaged", message: /steps/ });
  for (const odd of [
    { ...FINAL, reward: null },
    { ...FINAL, outcome: "infra_error" as const },
  ]) {
    await assert.rejects(store.put(sampleRecord(odd)), { message: /reward: must be there if/ });
  }
  await store.put(sampleRecord());
  const database = new DatabaseSync(path);
  database.exec("UPDATE records SET document = replace(document, 'oracle', 'or')");
  database.exec(`UPDATE records SET document = replace(document, '"variant"', '"varient"')`);
  database.close();
  await assert.rejects(store.get(sampleRecord().id), { code: "store/record-damaged" });
});

test("a cursor that no list gave is refused", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  for (const cursor of ["", "x", Buffer.from("soon r1").toString("base64url")]) {
    await assert.rejects(store.list({ cursor }), { code: "store/bad-cursor" });
  }
});

test("a closed store is refused as unusable", async (context) => {
  const store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  store[Symbol.dispose]();
  store[Symbol.dispose]();
  await assert.rejects(store.get("r1"), { code: "store/database-unusable" });
});

test("a record comes back as it was put", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  const record = sampleRecord({
    ...FINAL,
    outcome: "infra_error",
    reward: null,
    ending: { kind: "sandbox_died", outOfMemory: true },
    fault: { code: "engine/x", blame: "engine", message: "m", detail: { a: [1] }, causes: ["c"] },
    labels: { grüße: "x y" },
    reachedMs: { requested: 0, seeded: 12.5 },
  });
  {
    using store = await RecordStore.open(path);
    await store.put(record);
  }
  using store = await RecordStore.open(path);
  assert.deepEqual(await store.get(record.id), record);
  assert.equal(await store.get("r-other"), undefined);
});

test("lists are newest first, filtered, and whole over their pages", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  for (let index = 0; index < 25; index++) {
    const requestedAt = `2026-03-02T09:00:${String(index >> 1).padStart(2, "0")}.000Z`;
    const policy = index % 2 === 0 ? "oracle" : "null";
    const end = index % 5 === 0 ? FINAL : {};
    await store.put(sampleRecord({ id: `r${index}`, requestedAt, policy, ...end }));
  }
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 7, ...(cursor ? { cursor } : {}) });
    ids.push(...page.records.map(({ id }) => id));
    cursor = page.next ?? undefined;
  } while (cursor);
  assert.equal(new Set(ids).size, 25);
  assert.equal(ids[0], "r24");
  assert.equal((await store.list({ policy: "null" })).records.length, 12);
  assert.equal((await store.list({ outcome: "graded" })).records.length, 5);
  assert.equal((await store.list({ outcome: null })).records.length, 20);
  assert.equal((await store.list({ task: "desk/other" })).records.length, 0);
  assert.equal((await store.unfinished()).length, 20);
  assert.equal((await store.withPrefix("r2")).length, 6);
});

test("times in other zones are put in the order of instants", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  await store.put(sampleRecord({ id: "later", requestedAt: "2026-03-02T09:30:00Z" }));
  await store.put(sampleRecord({ id: "earlier", requestedAt: "2026-03-02T10:00:00+01:00" }));
  const { records } = await store.list();
  assert.deepEqual(
    records.map(({ id }) => id),
    ["later", "earlier"],
  );
});

test("six processes that open a new database at once all store their records", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  const writers = Array.from({ length: 6 }, (_, index) => child("write-records.ts", path, index));
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, "exit"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0, 0, 0]);
  using store = await RecordStore.open(path);
  assert.equal((await store.unfinished()).length, 120);
});

test("what put has said is stored is there after kill -9 of the writer", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  const writer = child("write-records.ts", path, 0, "forever");
  let output = "";
  for await (const chunk of writer.stdout) {
    output += chunk;
    if (output.length > 500) writer.kill("SIGKILL");
  }
  const said = output.split("\n").slice(0, -1);
  assert.ok(said.length > 50);
  using store = await RecordStore.open(path);
  const there = new Set((await store.unfinished()).map(({ id }) => id));
  assert.deepEqual(
    said.filter((id) => !there.has(id)),
    [],
  );
});

function child(script: string, ...args: readonly (string | number)[]) {
  const path = join(import.meta.dirname, script);
  return spawn(process.execPath, [path, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}
