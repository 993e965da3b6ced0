import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { canonicalJson } from "../base/canonical-json.ts";
import { asFault, messageOf } from "../base/fault.ts";
import { Admissions } from "./admissions.ts";
import { openDatabase, running, transaction } from "./database.ts";
import { storeFault } from "./faults.ts";
import type { Outcome, RolloutRecord } from "./record.ts";
import { firstIssue, recordSchema } from "./schemas.ts";

export interface RecordQuery {
  readonly task?: string;
  readonly policy?: string;
  /** Null: only those without an outcome yet. */
  readonly outcome?: Outcome | null;
  readonly process?: string;
  /** The id of the caller's key. */
  readonly key?: string;
  readonly group?: string;
  /** At most this many; default 100, at most 1000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

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

  /** Ids beginning with these letters, at most `limit`. */
  async withPrefix(prefix: string, limit = 10): Promise<readonly RolloutRecord[]> {
    const where = "WHERE substr(id, 1, length(?)) = ? ORDER BY id LIMIT ?";
    return this.#select(where, [prefix, prefix, limit]);
  }

  /** Rejects with `store/bad-cursor`. */
  async list(query: RecordQuery = {}): Promise<RecordPage> {
    const limit = Math.min(Math.max(1, query.limit ?? 100), 1000);
    const { where, values } = conditions(query);
    const order = "ORDER BY requested_at DESC, id DESC LIMIT ?";
    const found = this.#select(`${where} ${order}`, [...values, limit + 1]);
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
      if (stored["document"] === document) return;
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
  (id, task, policy, outcome, requested_at, process, bundle, key, group_id, document)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, process = excluded.process,
    bundle = excluded.bundle, document = excluded.document`;

const COLUMNS = {
  task: "task",
  policy: "policy",
  outcome: "outcome",
  process: "process",
  key: "key",
  group: "group_id",
} as const satisfies Partial<Record<keyof RecordQuery, string>>;

/** As it is stored. Throws `store/record-damaged` for what is no record. */
function documentOf(record: RolloutRecord): string {
  return canonicalJson(checked(JSON.parse(canonicalJson(record)), record.id));
}

function conditions(query: RecordQuery): { where: string; values: SQLInputValue[] } {
  const clauses: string[] = [];
  const values: SQLInputValue[] = [];
  for (const [name, column] of Object.entries(COLUMNS)) {
    const value = query[name as keyof typeof COLUMNS];
    if (value === undefined) continue;
    clauses.push(`${column} IS ?`);
    values.push(value);
  }
  if (query.cursor !== undefined) {
    clauses.push("(requested_at, id) < (?, ?)");
    values.push(...fromCursor(query.cursor));
  }
  return { where: clauses.length === 0 ? "" : `WHERE ${clauses.join(" AND ")}`, values };
}

function columns(record: RolloutRecord): SQLInputValue[] {
  const { id, task, policy, outcome, process, bundle, key, group } = record;
  return [id, task.id, policy, outcome, sortableTime(record), process, bundle, key, group];
}

/** All in UTC, so that the order of texts is the order of instants. */
function sortableTime(record: RolloutRecord): string {
  return new Date(record.requestedAt).toISOString();
}

function cursorOf(record: RolloutRecord): string {
  return Buffer.from(`${sortableTime(record)} ${record.id}`).toString("base64url");
}

function fromCursor(cursor: string): [string, string] {
  const [time, id, ...more] = Buffer.from(cursor, "base64url").toString().split(" ");
  if (time === undefined || id === undefined || more.length > 0 || Number.isNaN(Date.parse(time))) {
    throw storeFault("bad-cursor", `"${cursor}" is not the cursor of a list; list without one`);
  }
  return [time, id];
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
