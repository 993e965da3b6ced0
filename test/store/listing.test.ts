import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { findRecord } from "../../runtime/store/find-record.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import type { RecordQuery } from "../../runtime/store/record-query.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { sampleRecord, temporaryFolder } from "./samples.ts";

function graded(
  changes: Partial<RolloutRecord>,
  reward: RolloutRecord["reward"] = { sparse: 1, dense: 1, gain: 1 },
): RolloutRecord {
  return sampleRecord({ phase: "stored", outcome: "graded", reward, ...changes });
}

const RECORDS: readonly RolloutRecord[] = [
  graded({ id: "rone", requestedAt: "2026-03-01T23:59:59.999Z", bundle: "a".repeat(64) }),
  graded(
    { id: "rtwo", requestedAt: "2026-03-02T00:00:00Z", split: "holdout", rewardKind: "dense" },
    { sparse: 0, dense: 0.5, gain: -0.25 },
  ),
  graded(
    { id: "rthree", requestedAt: "2026-03-02T02:00:00+02:00", rewardKind: "gain", variant: 2 },
    { sparse: 0, dense: 0.5, gain: -0.25 },
  ),
  sampleRecord({ id: "rfour", requestedAt: "2026-03-03T09:00:00Z", phase: "serving" }),
  sampleRecord({
    id: "rfive",
    requestedAt: "2026-03-04T09:00:00Z",
    phase: "stored",
    outcome: "cancelled",
    split: null,
  }),
];

async function filled(path: string): Promise<RecordStore> {
  const store = await RecordStore.open(path);
  for (const record of RECORDS) await store.put(record);
  return store;
}

test("records are listed by time, outcome, split, reward and the beginning of an id", async (context) => {
  using store = await filled(join(temporaryFolder(context), "cloche.db"));
  const cases: readonly (readonly [RecordQuery, readonly string[]])[] = [
    [{ since: new Date("2026-03-02T00:00:00Z") }, ["rfive", "rfour", "rtwo", "rthree"]],
    [{ until: new Date("2026-03-02T00:00:00Z") }, ["rone"]],
    [
      { since: new Date("2026-03-02"), until: new Date("2026-03-03T09:00:00.001Z") },
      ["rfour", "rtwo", "rthree"],
    ],
    [{ since: new Date("2026-03-05"), until: new Date("2026-03-01") }, []],
    [{ until: new Date(8.64e15) }, ["rfive", "rfour", "rtwo", "rthree", "rone"]],
    [{ since: new Date(-8.64e15), outcome: null }, ["rfour"]],
    [{ split: "holdout" }, ["rtwo"]],
    [{ split: "train", outcome: "graded" }, ["rthree", "rone"]],
    [{ minReward: 0.5 }, ["rtwo", "rone"]],
    [{ maxReward: 0.5 }, ["rtwo", "rthree"]],
    [{ minReward: -0.25, maxReward: 0 }, ["rthree"]],
    [{ minReward: 0.75, maxReward: 0.5 }, []],
    [{ id: "rt" }, ["rtwo", "rthree"]],
    [{ id: "rt%" }, []],
    [{ id: "r_" }, []],
  ];
  for (const [query, wanted] of cases) {
    const { records, next } = await store.list(query);
    const ids = records.map(({ id }) => id);
    assert.deepEqual([ids.sort(), next], [[...wanted].sort(), null], JSON.stringify(query));
  }
});

test("a filtered list is whole over its pages", async (context) => {
  using store = await RecordStore.open(join(temporaryFolder(context), "cloche.db"));
  for (let index = 0; index < 40; index++) {
    const requestedAt = new Date(Date.UTC(2026, 2, 2) + (index >> 2) * 1000).toISOString();
    const dense = (index % 5) / 4;
    await store.put(
      graded({ id: `r${index}`, requestedAt, rewardKind: "dense" }, { sparse: 0, dense }),
    );
  }
  const query = { minReward: 0.5, since: new Date("2026-03-02T00:00:02Z") };
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...query, limit: 5, ...(cursor ? { cursor } : {}) });
    ids.push(...page.records.map(({ id }) => id));
    cursor = page.next ?? undefined;
  } while (cursor);
  const wanted = Array.from({ length: 32 }, (_, index) => index + 8).filter(
    (index) => index % 5 >= 2,
  );
  assert.deepEqual(ids.toSorted(), wanted.map((index) => `r${index}`).toSorted());
});

test("an index alone finds what is listed, with a key and without one", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  using store = await filled(path);
  assert.equal(store.path, path);
  const database = new DatabaseSync(path);
  const filters = [
    "requested_at >= 'a' AND requested_at < 'b'",
    "reward >= 0.5 AND reward <= 1",
    "split IS 'holdout' AND reward >= 0.5",
    "outcome IS NULL AND split IS 'train'",
    "group_id IS 'g' AND task IS 't' AND policy IS 'p'",
  ];
  for (const filter of filters) {
    for (const where of [filter, `key IS 'me' AND ${filter}`]) {
      const sql = `EXPLAIN QUERY PLAN SELECT id FROM records WHERE ${where}
        ORDER BY requested_at DESC, id DESC LIMIT 101`;
      const plan = database
        .prepare(sql)
        .all()
        .map(({ detail }) => String(detail));
      assert.ok(
        plan.every((detail) => / USING (COVERING )?INDEX /.test(detail)),
        `${plan}`,
      );
      assert.doesNotMatch(plan.join("\n"), /TEMP B-TREE/, `${plan}`);
    }
  }
  database.close();
});

test("a file of the second version is brought up to date: rewards are known, splits are not", async (context) => {
  const path = join(temporaryFolder(context), "cloche.db");
  (await filled(path))[Symbol.dispose]();
  const database = new DatabaseSync(path);
  database.exec(`DROP INDEX records_by_time; DROP INDEX records_by_key; DROP INDEX records_by_bundle;
    ALTER TABLE records DROP COLUMN split; ALTER TABLE records DROP COLUMN reward;
    CREATE INDEX records_by_time ON records (requested_at DESC, id DESC);
    CREATE INDEX records_by_key ON records (key, requested_at DESC, id DESC);
    UPDATE records SET document = json_remove(document, '$.split');
    UPDATE records SET document = json_remove(document, '$.rewardKind') WHERE id = 'rone';
    PRAGMA user_version = 2;`);
  database.close();
  using store = await RecordStore.open(path);
  const { records } = await store.list({ minReward: 0.5 });
  assert.deepEqual(
    records.map(({ id, split }) => [id, split]),
    [
      ["rtwo", null],
      ["rone", null],
    ],
  );
  assert.deepEqual((await store.list({ split: "train" })).records, []);
  const old = records[1];
  assert.ok(old);
  await store.put(old); // As it stands: that changes nothing.
});

test("a record is found by the beginning of its id or of its bundle's", async (context) => {
  using store = await filled(join(temporaryFolder(context), "cloche.db"));
  for (const text of ["rone", "aaaa", "a".repeat(64)]) {
    assert.equal((await findRecord(store, text)).id, "rone", text);
  }
  await store.put(sampleRecord({ id: "rthreefold" }));
  assert.equal((await findRecord(store, "rthree")).id, "rthree");
  await assert.rejects(findRecord(store, "rthr"), {
    code: "store/record-ambiguous",
    message: /"rthr" fits several rollouts \(rthree, rthreefold\): give more letters/,
  });
  for (const text of ["", "ron", "rnone", "r%ne", "../../", "b".repeat(64), "r".repeat(101)]) {
    await assert.rejects(findRecord(store, text), { code: "store/record-missing" }, text);
  }
});
