import { messageOf } from "../base/fault.ts";
import { rolloutId } from "../base/id.ts";
import { isAlive } from "../base/process-identity.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { firstRecord } from "../rollout/record-writer.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { ExternalPolicy } from "./external-policy.ts";
import { isGroupId } from "./group-name.ts";
import type { OpenRollout } from "./open-rollout.ts";
import type { Room } from "./queue.ts";
import type { OpenSpec, Runner } from "./runner.ts";

/** The least that a lost member's next attempt is made of. */
export type MemberSpec = Omit<OpenSpec, "id" | "policy">;

/** Sees to it that each member of a group ends with a grade, or has been tried often enough. */
export class Groups {
  readonly #parts: RolloutParts;
  readonly #attempts: number;
  readonly #room: Room;
  readonly #runner: () => Runner;
  readonly #policyOf: (name: string, leaseMs: number) => ExternalPolicy;
  /** Attempts that cannot be followed by another one. */
  readonly #givenUp = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #isStopped = false;

  constructor(
    parts: RolloutParts,
    attempts: number,
    room: Room,
    runner: () => Runner,
    policyOf: (name: string, leaseMs: number) => ExternalPolicy,
  ) {
    this.#parts = parts;
    this.#attempts = attempts;
    this.#room = room;
    this.#runner = runner;
    this.#policyOf = policyOf;
  }

  /** Whether an attempt that ended so is followed by another one. Only what is ours is repeated. */
  isLost({ id, outcome, attempt }: Pick<RolloutRecord, "id" | "outcome" | "attempt">): boolean {
    return outcome === "infra_error" && attempt < this.#attempts && !this.#givenUp.has(id);
  }

  /** A member has ended. What follows from it happens in the background. */
  noteEnd(open: OpenRollout, record: RolloutRecord): void {
    const { group } = record;
    if (group === null || !isGroupId(group) || this.#isStopped) return;
    const { spec } = open;
    const leaseMs = open.policy.lease.ms;
    const after = this.#afterEnd(group, record, { ...spec, leaseMs }).catch((error) => {
      const { log } = this.#parts;
      this.#givenUp.add(record.id);
      log.error({ group, error: messageOf(error) }, "a group could not be continued");
    });
    this.#underWay.add(after);
    void after.then(() => this.#underWay.delete(after));
  }

  /** Replaces nothing any more; resolves once what was under way has been done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#underWay);
  }

  /** Makes and starts the next attempt at a member that was lost. */
  async replace(group: string, lost: RolloutRecord, spec: MemberSpec): Promise<void> {
    const { records, clock } = this.#parts;
    const rows = await records.admissions.members(group);
    const member = rows.find(({ rollout }) => rollout === lost.id)?.member;
    if (member === undefined) throw new Error(`${lost.id} is no member of ${group}`);
    const policy = this.#policyOf(lost.policy, spec.leaseMs);
    const next = { ...spec, id: rolloutId(), group, attempt: lost.attempt + 1, policy };
    const record = { ...firstRecord(next, this.#parts), reachedMs: { requested: 0 } };
    const { instruction } = spec.prepared;
    await records.admissions.admit({ members: [{ record, member }], instruction }, clock.now());
    const [place] = this.#room.takeAnyway(record.key, 1);
    if (place) this.#runner().begin(next, { record, place, rank: "urgent" });
  }

  /** Goes on with a group that a dead service left. `specOf` says undefined if it cannot be. */
  async goOn(
    group: string,
    specOf: (record: RolloutRecord) => Promise<MemberSpec | undefined>,
  ): Promise<void> {
    for (const record of await this.#newest(group)) {
      if (!this.isLost(record) || this.#isElsewhere(record)) continue;
      const spec = await specOf(record);
      if (spec) await this.replace(group, record, spec);
      else this.#givenUp.add(record.id);
    }
    await this.closeIfEnded(group);
  }

  /** Closes the group if each of its members has ended for good. */
  async closeIfEnded(group: string): Promise<void> {
    const newest = await this.#newest(group);
    if (newest.some((record) => record.outcome === null || this.isLost(record))) return;
    await this.#parts.records.admissions.closeGroup(group);
  }

  /** The newest attempt of each member. */
  async #newest(group: string): Promise<readonly RolloutRecord[]> {
    const { records } = this.#parts;
    const ids = new Map<number, string>();
    for (const { member, rollout } of await records.admissions.members(group))
      ids.set(member, rollout);
    const newest = await Promise.all([...ids.values()].map((id) => records.get(id)));
    return newest.flatMap((record) => record ?? []);
  }

  /** Another service on the same data folder sees to it. */
  #isElsewhere({ process }: RolloutRecord): boolean {
    return process !== this.#parts.process && isAlive(process);
  }

  async #afterEnd(group: string, record: RolloutRecord, spec: MemberSpec): Promise<void> {
    if (this.isLost(record)) await this.replace(group, record, spec);
    else await this.closeIfEnded(group);
  }
}
