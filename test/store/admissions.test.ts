import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { RecordStore } from "../../runtime/store/records.ts";
import { sampleRecord, temporaryFolder } from "./samples.ts";

const NOW = new Date("2026-03-02T09:00:00Z");
const GROUP = { id: "group-1", key: "me", task: "desk/count-lines", variant: 1, n: 2 };

function member(number: number, attempt = 1) {
  const id = `r000000000000000000${number}${attempt}`;
  return { record: sampleRecord({ id, key: "me", group: GROUP.id, attempt }), member: number };
}

test("a taken idempotency key keeps everything that comes with it from being written", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  const claim = { key: "me", name: "k", request: "1", target: "group-1" };
  const first = { members: [member(1), member(2)], instruction: "do", group: GROUP, claim };
  assert.equal(await store.admissions.admit(first, NOW), undefined);
  const again = { members: [member(3)], instruction: "do", claim: { ...claim, request: "2" } };
  assert.deepEqual(await store.admissions.admit(again, NOW), claim);
  assert.equal(await store.get(member(3).record.id), undefined);
  assert.equal(await store.admissions.claim("other", "k"), undefined);
  assert.deepEqual(await store.admissions.claim("me", "k"), claim);
});

test("an admission of which one part is refused leaves nothing of the others", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  const twice = { members: [member(1), member(1)], instruction: "do", group: GROUP };
  await assert.rejects(store.admissions.admit(twice, NOW), { code: "store/database-unusable" });
  assert.equal(await store.get(member(1).record.id), undefined);
  assert.equal(await store.admissions.group(GROUP.id), undefined);
});

test("groups, their attempts and what they were told are there after the file is opened again", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  {
    using store = await RecordStore.open(path);
    const members = [member(2), member(1)];
    await store.admissions.admit({ members, instruction: "do", group: GROUP }, NOW);
    await store.admissions.admit({ members: [member(1, 2)], instruction: "do" }, NOW);
  }
  using store = await RecordStore.open(path);
  assert.deepEqual(await store.admissions.group(GROUP.id), { ...GROUP, closed: false });
  assert.deepEqual(
    (await store.admissions.members(GROUP.id)).map(({ member, attempt }) => [member, attempt]),
    [
      [1, 1],
      [1, 2],
      [2, 1],
    ],
  );
  assert.equal(await store.admissions.instructionOf(member(1, 2).record.id), "do");
  assert.equal(await store.admissions.instructionOf("r1"), undefined);
  assert.equal((await store.list({ key: "me", group: GROUP.id })).records.length, 3);
  assert.equal((await store.list({ key: "other" })).records.length, 0);
  assert.equal((await store.admissions.openGroups()).length, 1);
  await store.admissions.closeGroup(GROUP.id);
  assert.deepEqual(await store.admissions.openGroups(), []);
});

test("idempotency keys are remembered for seven days", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  const claim = { key: "me", name: "k", request: "1", target: "r1" };
  await store.admissions.admit({ members: [], instruction: "do", claim }, NOW);
  const day = 24 * 3_600_000;
  await store.admissions.forgetClaims(new Date(NOW.getTime() + 7 * day));
  assert.ok(await store.admissions.claim("me", "k"));
  await store.admissions.forgetClaims(new Date(NOW.getTime() + 7 * day + 1));
  assert.equal(await store.admissions.claim("me", "k"), undefined);
});

test("a file of the first version is brought up to date, its records those of the local key", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  const { attempt, key, sandbox, leaseMs, split, ...old } = sampleRecord();
  assert.equal(split, "train");
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE records (
    id TEXT PRIMARY KEY, task TEXT NOT NULL, policy TEXT NOT NULL, outcome TEXT,
    requested_at TEXT NOT NULL, process TEXT NOT NULL, bundle TEXT, document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_by_time ON records (requested_at DESC, id DESC);
  PRAGMA user_version = 1;`);
  database
    .prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .run(
      old.id,
      old.task.id,
      old.policy,
      null,
      old.requestedAt,
      "b.1.2",
      null,
      JSON.stringify(old),
    );
  database.close();
  using store = await RecordStore.open(path);
  assert.deepEqual(await store.get(old.id), {
    ...{ ...old, attempt, key, sandbox, leaseMs, split: null },
  });
  assert.equal((await store.list({ key: "local" })).records.length, 1);
});
