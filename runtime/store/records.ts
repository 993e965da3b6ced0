import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { canonicalJson } from "../base/canonical-json.ts";
import { asFault, messageOf } from "../base/fault.ts";
import { paidBy } from "../grading/reward.ts";
import { Admissions } from "./admissions.ts";
import { openDatabase, running, transaction } from "./database.ts";
import { storeFault } from "./faults.ts";
import type { RolloutRecord } from "./record.ts";
import {
  conditionsOf,
  cursorOf,
  type RecordQuery,
  sortableTime,
  startsWith,
} from "./record-query.ts";
import { firstIssue, recordSchema } from "./schemas.ts";

export interface RecordPage {
  /** Newest request first. */
  readonly records: readonly RolloutRecord[];
  /** Null on the last page. */
  readonly next: string | null;
}

/**
 * The records of all rollouts in one SQLite file, which several processes may use at a time. What
 * a call has stored when it resolves survives a crash of the machine. Every call rejects with
 * `store/database-unusable` if SQLite refuses.
 */
export class RecordStore implements Disposable {
  readonly path: string;
  /** Groups and idempotency keys, in the same file. */
  readonly admissions: Admissions;
  readonly #database: DatabaseSync;

  private constructor(path: string, database: DatabaseSync) {
    this.path = path;
    this.#database = database;
    this.admissions = new Admissions(database, path, (record) =>
      this.#write(record, documentOf(record)),
    );
  }

  /** Opens the file, or makes it. Rejects with `store/database-newer` if this Cloche is too old. */
  static async open(path: string): Promise<RecordStore> {
    return new RecordStore(path, await openDatabase(path));
  }

  /**
   * Stores a record: a new one, or a later state of one without outcome. Storing a final record
   * again as it stands is no error; changing it rejects with `store/record-final`.
   */
  async put(record: RolloutRecord): Promise<void> {
    const document = documentOf(record);
    this.#run("write", () => transaction(this.#database, () => this.#write(record, document)));
  }

  async get(id: string): Promise<RolloutRecord | undefined> {
    return this.#select("WHERE id = ?", [id])[0];
  }

  /** Those whose id, or whose bundle's id, begins with these letters: at most `limit`, by id. */
  async withPrefix(prefix: string, limit = 10): Promise<readonly RolloutRecord[]> {
    const [ofRollout, ...own] = startsWith("id", prefix);
    const [ofBundle, ...bundles] = startsWith("bundle", prefix);
    const where = `WHERE (${ofRollout}) OR (${ofBundle}) ORDER BY id LIMIT ?`;
    return this.#select(where, [...own, ...bundles, limit]);
  }

  /** The records that fit, newest request first. Rejects with `store/bad-cursor`. */
  async list(query: RecordQuery = {}): Promise<RecordPage> {
    const limit = Math.min(Math.max(1, query.limit ?? 100), 1000);
    const { where, values } = conditionsOf(query);
    const order = "ORDER BY requested_at DESC, id DESC";
    // An index alone finds the ids: what does not fit is never read.
    const ids = `SELECT id FROM records ${where} ${order} LIMIT ?`;
    const found = this.#select(`WHERE id IN (${ids}) ${order}`, [...values, limit + 1]);
    const records = found.slice(0, limit);
    const last = records.at(-1);
    return { records, next: found.length > limit && last ? cursorOf(last) : null };
  }

  /** All records without an outcome, oldest first: under way, or left by a process that died. */
  async unfinished(): Promise<readonly RolloutRecord[]> {
    return this.#select("WHERE outcome IS NULL ORDER BY requested_at, id", []);
  }

  /** Harmless when closed already. */
  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #write(record: RolloutRecord, document: string): void {
    const sql = "SELECT outcome, document FROM records WHERE id = ?";
    const stored = this.#database.prepare(sql).get(record.id);
    if (stored !== undefined && stored["outcome"] !== null) {
      // What an older Cloche wrote lacks what records say today.
      if (documentOf(parsed(String(stored["document"]), record.id)) === document) return;
      throw storeFault(
        "record-final",
        `record ${record.id} has ended as "${stored["outcome"]}" and cannot be changed any more`,
      );
    }
    this.#database.prepare(INSERT).run(...columns(record), document);
  }

  #select(rest: string, values: readonly SQLInputValue[]): RolloutRecord[] {
    return this.#run("read", () =>
      this.#database
        .prepare(`SELECT id, document FROM records ${rest}`)
        .all(...values)
        .map((row) => parsed(String(row["document"]), String(row["id"]))),
    );
  }

  #run<T>(verb: string, work: () => T): T {
    return running(this.path, verb, work);
  }
}

/** What of a record changes; the other columns are in indexes that need not be touched then. */
const INSERT = `INSERT INTO records
  (id, task, policy, outcome, requested_at, process, bundle, key, group_id, split, reward, document)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, process = excluded.process,
    bundle = excluded.bundle, reward = excluded.reward, document = excluded.document`;

/** As it is stored. Throws `store/record-damaged` for what is no record. */
function documentOf(record: RolloutRecord): string {
  return canonicalJson(checked(JSON.parse(canonicalJson(record)), record.id));
}

function columns(record: RolloutRecord): SQLInputValue[] {
  const { id, task, policy, outcome, split, process, bundle, key, group } = record;
  const at = sortableTime(new Date(record.requestedAt));
  const reward = paidBy(record.rewardKind, record.reward);
  return [id, task.id, policy, outcome, at, process, bundle, key, group, split, reward];
}

function parsed(document: string, id: string): RolloutRecord {
  try {
    return checked(JSON.parse(document), id);
  } catch (error) {
    throw asFault(error, () =>
      storeFault("record-damaged", `record ${id} is not JSON: ${messageOf(error)}`, {
        cause: error,
      }),
    );
  }
}

function checked(value: unknown, id: string): RolloutRecord {
  const result = recordSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = firstIssue(result.error);
  throw storeFault("record-damaged", `record ${id} is not a record of a rollout: ${issue}`);
}
