import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { sha256 } from "../base/hash.ts";
import { running, transaction } from "./database.ts";
import type { RolloutRecord } from "./record.ts";

/** Rollouts that are accepted together: all of them are on the disk, or none. */
export interface Admission {
  readonly members: readonly AdmittedMember[];
  /** What the agents are told; the same for all. */
  readonly instruction: string;
  /** The group in their records is a label of their caller's and no group of ours. */
  readonly isLabelled?: boolean;
  /** Absent if the group is there already, or if there is none. */
  readonly group?: Omit<GroupRow, "closed">;
  readonly claim?: Claim;
}

interface AdmittedMember {
  readonly record: RolloutRecord;
  /** Its number in its group, from 1. */
  readonly member: number;
}

/** An idempotency key that is taken: who used it, for which request, and what came of it. */
export interface Claim {
  readonly key: string;
  readonly name: string;
  /** A hash of what was asked for. */
  readonly request: string;
  /** The id of the rollout or group. */
  readonly target: string;
}

export interface GroupRow {
  readonly id: string;
  readonly key: string;
  readonly task: string;
  readonly variant: number;
  readonly n: number;
  /** All its members have ended and none is replaced any more. */
  readonly closed: boolean;
}

export interface MemberRow {
  readonly rollout: string;
  readonly member: number;
  readonly attempt: number;
}

type Row = Record<string, SQLOutputValue>;

/** How long an idempotency key is remembered. */
const CLAIM_MS = 7 * 24 * 3_600_000;

/**
 * What was asked for together and under which idempotency key, beside the records in the same
 * file. Every call rejects with `store/database-unusable` if SQLite refuses.
 */
export class Admissions {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #putRecord: (record: RolloutRecord) => void;

  /** `putRecord` writes a record into the same database, within this one's transaction. */
  constructor(database: DatabaseSync, path: string, putRecord: (record: RolloutRecord) => void) {
    this.#database = database;
    this.#path = path;
    this.#putRecord = putRecord;
  }

  /**
   * Writes all of it at once and resolves with undefined; if the idempotency key is taken already,
   * nothing is written and the earlier claim is what this resolves with.
   */
  async admit(admission: Admission, now: Date): Promise<Claim | undefined> {
    return this.#run("write", () =>
      transaction(this.#database, () => {
        const { claim } = admission;
        const earlier = claim && this.#claim(claim.key, claim.name);
        if (earlier === undefined) this.#write(admission, now);
        return earlier;
      }),
    );
  }

  /** The claim of this caller under this idempotency key. */
  async claim(key: string, name: string): Promise<Claim | undefined> {
    return this.#run("read", () => this.#claim(key, name));
  }

  /** Forgets claims of more than seven days ago. */
  async forgetClaims(now: Date): Promise<void> {
    const until = new Date(now.getTime() - CLAIM_MS).toISOString();
    this.#run("write", () =>
      this.#database.prepare("DELETE FROM claims WHERE claimed_at < ?").run(until),
    );
  }

  async group(id: string): Promise<GroupRow | undefined> {
    const sql = "SELECT * FROM groups WHERE id = ?";
    return this.#run("read", () => asGroup(this.#database.prepare(sql).get(id)));
  }

  /** Groups that are not closed. */
  async openGroups(): Promise<readonly GroupRow[]> {
    const sql = "SELECT * FROM groups WHERE closed = 0 ORDER BY id";
    return this.#run("read", () =>
      this.#database
        .prepare(sql)
        .all()
        .flatMap((row) => asGroup(row) ?? []),
    );
  }

  async closeGroup(id: string): Promise<void> {
    this.#run("write", () =>
      this.#database.prepare("UPDATE groups SET closed = 1 WHERE id = ?").run(id),
    );
  }

  /** All attempts of a group, by member and attempt. */
  async members(group: string): Promise<readonly MemberRow[]> {
    const sql = `SELECT rollout, member, attempt FROM admissions
      WHERE group_id = ? ORDER BY member, attempt`;
    return this.#run("read", () =>
      this.#database
        .prepare(sql)
        .all(group)
        .map((row) => ({
          rollout: String(row["rollout"]),
          member: Number(row["member"]),
          attempt: Number(row["attempt"]),
        })),
    );
  }

  /** What the agent of this rollout was told; undefined for one that no service accepted. */
  async instructionOf(rollout: string): Promise<string | undefined> {
    const sql = `SELECT text FROM admissions JOIN instructions ON sha256 = instruction
      WHERE rollout = ?`;
    const row = this.#run("read", () => this.#database.prepare(sql).get(rollout));
    return row === undefined ? undefined : String(row["text"]);
  }

  #claim(key: string, name: string): Claim | undefined {
    const sql = "SELECT wish, target FROM claims WHERE key = ? AND name = ?";
    const row = this.#database.prepare(sql).get(key, name);
    return row && { key, name, request: String(row["wish"]), target: String(row["target"]) };
  }

  #write({ members, instruction, isLabelled, group, claim }: Admission, now: Date): void {
    const database = this.#database;
    const told = sha256(instruction);
    database.prepare("INSERT OR IGNORE INTO instructions VALUES (?, ?)").run(told, instruction);
    const insert = database.prepare("INSERT INTO admissions VALUES (?, ?, ?, ?, ?)");
    for (const { record, member } of members) {
      this.#putRecord(record);
      insert.run(record.id, isLabelled ? null : record.group, member, record.attempt, told);
    }
    if (group) {
      const { id, key, task, variant, n } = group;
      const sql =
        "INSERT INTO groups (id, key, task, variant, n, closed) VALUES (?, ?, ?, ?, ?, 0)";
      database.prepare(sql).run(id, key, task, variant, n);
    }
    if (!claim) return;
    database
      .prepare("INSERT INTO claims VALUES (?, ?, ?, ?, ?)")
      .run(claim.key, claim.name, claim.request, claim.target, now.toISOString());
  }

  #run<T>(verb: string, work: () => T): T {
    return running(this.#path, verb, work);
  }
}

function asGroup(row: Row | undefined): GroupRow | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row["id"]),
    key: String(row["key"]),
    task: String(row["task"]),
    variant: Number(row["variant"]),
    n: Number(row["n"]),
    closed: row["closed"] === 1,
  };
}
