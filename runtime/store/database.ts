import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { storeFault } from "./faults.ts";

const BUSY_MS = 10_000;

/** What brings a file from each version to the next; the first one makes it. */
const STEPS: readonly string[] = [
  `CREATE TABLE records (
    id TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    policy TEXT NOT NULL,
    outcome TEXT,
    requested_at TEXT NOT NULL,
    process TEXT NOT NULL,
    bundle TEXT,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_by_time ON records (requested_at DESC, id DESC);
  CREATE INDEX records_by_task ON records (task, requested_at DESC, id DESC);
  CREATE INDEX records_by_outcome ON records (outcome, requested_at DESC, id DESC);
  CREATE INDEX records_by_process ON records (process);`,
  `ALTER TABLE records ADD COLUMN key TEXT NOT NULL DEFAULT 'local';
  ALTER TABLE records ADD COLUMN group_id TEXT;
  CREATE INDEX records_by_key ON records (key, requested_at DESC, id DESC);
  CREATE INDEX records_by_key_task ON records (key, task, requested_at DESC, id DESC);
  CREATE INDEX records_by_key_outcome ON records (key, outcome, requested_at DESC, id DESC);
  CREATE INDEX records_by_key_policy ON records (key, policy, requested_at DESC, id DESC);
  CREATE INDEX records_by_group ON records (group_id, requested_at DESC, id DESC);
  CREATE TABLE instructions (
    sha256 TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE admissions (
    rollout TEXT PRIMARY KEY,
    group_id TEXT,
    member INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    instruction TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX admissions_by_group ON admissions (group_id, member, attempt);
  CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    task TEXT NOT NULL,
    variant INTEGER NOT NULL,
    n INTEGER NOT NULL,
    closed INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX groups_by_closed ON groups (closed);
  CREATE TABLE claims (
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    wish TEXT NOT NULL,
    target TEXT NOT NULL,
    claimed_at TEXT NOT NULL,
    PRIMARY KEY (key, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_by_time ON claims (claimed_at);`,
  `ALTER TABLE records ADD COLUMN split TEXT;
  ALTER TABLE records ADD COLUMN reward REAL;
  UPDATE records SET reward = document ->> ('$.reward.' || coalesce(document ->> '$.rewardKind', 'sparse'));
  DROP INDEX records_by_time;
  DROP INDEX records_by_key;
  CREATE INDEX records_by_time
    ON records (requested_at DESC, id DESC, task, policy, outcome, split, reward, group_id);
  CREATE INDEX records_by_key
    ON records (key, requested_at DESC, id DESC, task, policy, outcome, split, reward, group_id);
  CREATE INDEX records_by_bundle ON records (bundle);`,
];
const VERSION = STEPS.length;

/**
 * Opens the file of records, or makes it, and brings it up to date. What a transaction has written
 * when it ends survives a crash of the machine. Rejects with `store/database-newer` or
 * `store/database-unusable`.
 */
export async function openDatabase(path: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    await prepare(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw asFault(error, (cause) => unusable(path, "open", cause));
  }
}

/** Runs SQLite; what it refuses becomes `store/database-unusable`. */
export function running<T>(path: string, verb: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asFault(error, (cause) => unusable(path, verb, cause));
  }
}

/** All that `work` writes, or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Two processes that turn a new file into WAL at once can meet a lock that no timeout covers. */
async function prepare(database: DatabaseSync, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      transaction(database, () => migrate(database, path));
      return;
    } catch (error) {
      if (attempt === 50 || !/locked|busy/.test(messageOf(error))) throw error;
      await sleep(20 * Math.random() + 5);
    }
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > VERSION) {
    throw storeFault(
      "database-newer",
      `${path} has version ${found} and this Cloche knows ${VERSION}: use the newer one`,
    );
  }
  for (const step of STEPS.slice(found)) database.exec(step);
  if (found < VERSION) database.exec(`PRAGMA user_version = ${VERSION}`);
}

function unusable(path: string, verb: string, cause: unknown): Fault {
  const message = `cannot ${verb} ${path}: ${messageOf(cause)}`;
  return storeFault("database-unusable", message, { cause });
}
