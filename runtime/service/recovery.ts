import { messageOf } from "../base/fault.ts";
import { isAlive } from "../base/process-identity.ts";
import { imagesFor, type RolloutParts } from "../rollout/parts.ts";
import type { Reaped } from "../rollout/reaper.ts";
import { resumeRollout } from "../rollout/resume.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { ExternalPolicy } from "./external-policy.ts";
import type { Groups } from "./groups.ts";
import type { Room } from "./queue.ts";
import type { ReadyTasks } from "./ready-tasks.ts";
import type { Beginning, Conduct, OpenSpec, Runner } from "./runner.ts";
import type { Recovered } from "./service.ts";

export interface RecoveryParts {
  readonly parts: RolloutParts;
  readonly room: Room;
  readonly tasks: ReadyTasks;
  readonly runner: Runner;
  readonly groups: Groups;
  readonly policyOf: (name: string, leaseMs: number) => ExternalPolicy;
  readonly reap: () => Promise<Reaped>;
}

interface TakenOver {
  readonly spec: OpenSpec;
  readonly record: RolloutRecord;
  readonly conduct?: Conduct;
}

/**
 * Goes on with what a service that died has left: a rollout whose agent never had its turn is run
 * from the start under the same id; one that served, or had ended but for its record, is resumed.
 * What cannot be gone on with is ended, and what nobody owns is removed.
 */
export async function recoverRollouts(recovery: RecoveryParts): Promise<Recovered> {
  const { parts, runner, room, groups, reap } = recovery;
  const left = (await parts.records.unfinished()).filter((record) => isLeft(record, parts));
  const taken: TakenOver[] = [];
  for (const record of left) {
    const over = await takeOver(record, recovery);
    if (over) taken.push(over);
  }
  // A sandbox that a living process's record names is spared; names of the others become free.
  const { removed, ended } = await reap();
  for (const { spec, record, conduct } of taken) {
    const [place] = room.takeAnyway(record.key, 1);
    if (!place) continue;
    const requestedAgoMs = parts.clock.now().getTime() - Date.parse(record.requestedAt);
    const rank = conduct ? "resumed" : "urgent";
    const beginning: Beginning = { record, place, rank, requestedAgoMs };
    runner.begin(spec, conduct ? { ...beginning, conduct } : beginning);
  }
  for (const { id } of await parts.records.admissions.openGroups()) {
    await groups
      .goOn(id, (record) => specOf(record, recovery))
      .catch((error) => {
        parts.log.error({ group: id, error: messageOf(error) }, "a group could not be continued");
      });
  }
  const resumed = taken.map(({ record }) => record.id);
  return { resumed, ended, removed: removed.map(({ id }) => id) };
}

/** Only what a service had accepted: a policy of our own died with its process. */
function isLeft({ leaseMs, process }: RolloutRecord, parts: RolloutParts): boolean {
  return leaseMs !== null && process !== parts.process && !isAlive(process);
}

/** From here on the record is this process's. Undefined for one that cannot be gone on with. */
async function takeOver(
  left: RolloutRecord,
  recovery: RecoveryParts,
): Promise<TakenOver | undefined> {
  const { parts } = recovery;
  const spec = await specOf(left, recovery);
  if (spec === undefined) return undefined;
  const { process } = parts;
  if (left.phase === "requested" || left.phase === "seeded") {
    const fresh = { phase: "requested", reachedMs: { requested: 0 }, sandbox: null } as const;
    const images = imagesFor(spec.task.servers, parts.images);
    const record: RolloutRecord = { ...left, ...fresh, process, images };
    await parts.records.put(record);
    return { spec, record };
  }
  const record = { ...left, process };
  await parts.records.put(record);
  const conduct: Conduct = async (resumed, own, signal, watcher) => {
    const found = await own.engine.find(own.data.owner, { signal });
    const sandbox = found.find(({ id }) => id === record.sandbox);
    return await resumeRollout(record, sandbox, resumed, own, signal, watcher);
  };
  return { spec, record, conduct };
}

/** As it was asked for; undefined if its task is no more what it was. */
async function specOf(
  record: RolloutRecord,
  { parts, tasks, policyOf }: RecoveryParts,
): Promise<OpenSpec | undefined> {
  const { id, variant, group, attempt, labels, key, policy: named, budget, limits } = record;
  const leaseMs = record.leaseMs ?? 0;
  try {
    const { task, prepared } = await tasks.ready(record.task.id, variant);
    if (task.sha256 !== record.task.sha256) throw new Error("the task has changed");
    const policy = policyOf(named, leaseMs);
    const lowered = { ...task, budget, limits };
    return { ...{ id, group, attempt, labels, key, leaseMs, policy }, task: lowered, prepared };
  } catch (error) {
    parts.log.warn({ rollout: id, problem: messageOf(error) }, "a rollout cannot be gone on with");
    return undefined;
  }
}
