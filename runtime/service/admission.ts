import { rolloutId } from "../base/id.ts";
import { requireEgress } from "../rollout/egress/egress.ts";
import { rolloutFault } from "../rollout/faults.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { firstRecord } from "../rollout/record-writer.ts";
import type { Claim } from "../store/admissions.ts";
import type { DiskRoom } from "../store/disk-room.ts";
import type { ExternalPolicy } from "./external-policy.ts";
import { newGroupId } from "./group-name.ts";
import { loweredTask } from "./lowered-task.ts";
import type { Place, Room } from "./queue.ts";
import type { ReadyTask, ReadyTasks } from "./ready-tasks.ts";
import { type CheckedRequest, checkRequest, requestHash } from "./request.ts";
import type { OpenSpec, Runner } from "./runner.ts";
import type { Caller, GroupRequest, RolloutRequest } from "./service.ts";

export interface AdmissionParts {
  readonly parts: RolloutParts;
  readonly room: Room;
  readonly disk: DiskRoom;
  readonly tasks: ReadyTasks;
  readonly runner: Runner;
  readonly policyOf: (name: string, leaseMs: number) => ExternalPolicy;
}

interface Pending {
  readonly hash: string;
  readonly target: Promise<string>;
}

/** Takes requests, or refuses them with nothing made. What it has taken is on the disk. */
export class Admission {
  readonly #parts: AdmissionParts;
  /** By key and idempotency key: the same request asked twice at once is one. */
  readonly #pending = new Map<string, Pending>();
  #isClosed = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Whether everything is refused with `rollout/draining`. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Resolves with the id of the rollout or group. Rejects as `RolloutService.request` does. */
  async accept(request: RolloutRequest | GroupRequest, caller: Caller): Promise<string> {
    const checked = checkRequest(request);
    const { idempotencyKey: name } = request;
    if (name === undefined) return await this.#acceptNew(request, checked, caller);
    const hash = requestHash(request);
    const key = `${caller.key}\n${name}`;
    const pending = this.#pending.get(key);
    if (pending) return sameRequest(pending.hash, hash, name) ?? (await pending.target);
    const claim = { key: caller.key, name, request: hash };
    const target = this.#acceptClaimed(request, checked, caller, claim);
    this.#pending.set(key, { hash, target });
    try {
      return await target;
    } finally {
      this.#pending.delete(key);
    }
  }

  async #acceptClaimed(
    request: RolloutRequest | GroupRequest,
    checked: CheckedRequest,
    caller: Caller,
    claim: Omit<Claim, "target">,
  ): Promise<string> {
    const { admissions } = this.#parts.parts.records;
    const earlier = await admissions.claim(claim.key, claim.name);
    if (earlier) return sameRequest(earlier.request, claim.request, claim.name) ?? earlier.target;
    return await this.#acceptNew(request, checked, caller, claim);
  }

  async #acceptNew(
    request: RolloutRequest | GroupRequest,
    checked: CheckedRequest,
    caller: Caller,
    claim?: Omit<Claim, "target">,
  ): Promise<string> {
    const { room, disk, tasks, parts } = this.#parts;
    this.#requireOpen();
    await disk.require();
    const places = room.take(caller, "n" in request ? request.n : 1);
    try {
      requireEgress(await tasks.task(request.task), parts);
      const ready = await tasks.ready(request.task, checked.variant);
      const task = loweredTask(ready, request);
      this.#requireOpen();
      const { target, isNew } = await this.#admit(
        { task, prepared: ready.prepared },
        checked,
        "n" in request,
        places,
        claim,
        caller,
      );
      if (!isNew) give(places);
      return target;
    } catch (error) {
      give(places);
      throw error;
    }
  }

  /** Writes records, group and claim at once, then starts. */
  async #admit(
    { task, prepared }: ReadyTask,
    { policy: named, labels, leaseMs, group: label }: CheckedRequest,
    isGroup: boolean,
    places: readonly Place[],
    claim: Omit<Claim, "target"> | undefined,
    { key }: Caller,
  ): Promise<{ target: string; isNew: boolean }> {
    const { parts, runner, policyOf } = this.#parts;
    const made = isGroup ? newGroupId() : null;
    const group = made ?? label;
    const openings = places.map((place) => {
      const policy = policyOf(named, leaseMs);
      const spec: OpenSpec = {
        ...{ id: rolloutId(), task, prepared, policy, group, labels, key, leaseMs },
      };
      const record = { ...firstRecord(spec, parts), reachedMs: { requested: 0 } };
      return { spec, record, place };
    });
    const target = made ?? openings[0]?.spec.id ?? "";
    const row = { id: target, key, task: task.id, variant: prepared.variant, n: places.length };
    const earlier = await parts.records.admissions.admit(
      {
        members: openings.map(({ record }, index) => ({ record, member: index + 1 })),
        instruction: prepared.instruction,
        isLabelled: label !== null,
        ...(isGroup ? { group: row } : {}),
        ...(claim ? { claim: { ...claim, target } } : {}),
      },
      parts.clock.now(),
    );
    if (earlier && claim) {
      const known = sameRequest(earlier.request, claim.request, claim.name) ?? earlier.target;
      return { target: known, isNew: false };
    }
    for (const { spec, record, place } of openings) runner.begin(spec, { record, place });
    return { target, isNew: true };
  }

  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw rolloutFault("draining", "the service is shutting down: ask again once it is back");
  }
}

/** Undefined if it is the same. @throws Fault `rollout/key-reused` */
function sameRequest(earlier: string, now: string, name: string): undefined {
  if (earlier === now) return undefined;
  const message = `the idempotency key "${name}" was used with another request: use a new one`;
  throw rolloutFault("key-reused", message);
}

function give(places: readonly Place[]): void {
  for (const place of places) place[Symbol.dispose]();
}
