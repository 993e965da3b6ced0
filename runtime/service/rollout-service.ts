import type { Grade } from "../grading/grade.ts";
import type { ToolInfo } from "../mcp/link/handshake.ts";
import { rolloutFault } from "../rollout/faults.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { WarmPool } from "../rollout/pool/pool.ts";
import type { Bundle } from "../store/bundle.ts";
import { DiskRoom } from "../store/disk-room.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { RecordQuery } from "../store/record-query.ts";
import type { RecordPage } from "../store/records.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { Admission } from "./admission.ts";
import { ExternalPolicy } from "./external-policy.ts";
import { gatedEngine } from "./gated-engine.ts";
import { Groups } from "./groups.ts";
import { Room, StageQueues } from "./queue.ts";
import { ReadyTasks } from "./ready-tasks.ts";
import { type RecoveryParts, recoverRollouts } from "./recovery.ts";
import { Regrades } from "./regrades.ts";
import { rolloutEvents } from "./rollout-events.ts";
import { Runner } from "./runner.ts";
import type {
  Caller,
  GroupRequest,
  GroupView,
  Recovered,
  RolloutEvent,
  RolloutRequest,
  RolloutService,
  RolloutView,
  ServiceStats,
  ToolAnswer,
  ToolCall,
} from "./service.ts";
import type { ServiceOptions } from "./service-options.ts";
import { Sweeper } from "./sweeper.ts";
import { openTokens } from "./tokens.ts";
import { groupView, rolloutView } from "./views.ts";
import { slept, unlessAborted } from "./waits.ts";

/**
 * Opens the service on a data folder and an engine, which stay the caller's to close after it.
 * Rejects as `openTokens` does. Call `recover` before the first request.
 */
export async function openRolloutService(
  parts: RolloutParts,
  options: ServiceOptions,
): Promise<RolloutService> {
  const tokenOf = await openTokens(parts.data);
  await parts.records.admissions.forgetClaims(parts.clock.now());
  return new Service({ ...parts, tokenOf }, options);
}

const SWEEP_MS = 60_000;
const ATTEMPTS = 3;
/** How often a rollout of another process is looked at for its events. */
const LOOK_MS = 1_000;

class Service implements RolloutService {
  readonly #parts: RolloutParts;
  readonly #pool: WarmPool;
  readonly #runner: Runner;
  readonly #groups: Groups;
  readonly #admission: Admission;
  readonly #sweeper: Sweeper;
  readonly #recovery: RecoveryParts;
  readonly #regrades: Regrades;
  readonly #writer = new AbortController();
  #disposed: Promise<void> | undefined;

  constructor(bare: RolloutParts, options: ServiceOptions) {
    const { observer = {}, attempts = ATTEMPTS, sweepMs = SWEEP_MS, tasksRoot } = options;
    const { clock, images, data, process, log } = bare;
    const queues = new StageQueues(options);
    const engine = gatedEngine(bare.engine, queues, clock, observer);
    const owner = { owner: data.owner, process };
    const { manifests = {} } = bare;
    this.#pool = new WarmPool({ engine, owner, clock, log, manifests }, options.pool);
    const parts = { sandboxes: this.#pool, ...bare, engine };
    const tasks = new ReadyTasks(tasksRoot, {
      engine,
      graderImage: images.grader,
      blobs: new BlobFolder(data.blobs),
      cacheFolder: data.cache,
      labels: owner,
      signal: this.#writer.signal,
      log,
    });
    this.#regrades = new Regrades(parts, tasks, queues, observer);
    const room = new Room(clock, options);
    const policyOf = (name: string, leaseMs: number) => new ExternalPolicy(name, leaseMs, clock);
    this.#parts = parts;
    this.#groups = new Groups(parts, attempts, room, () => this.#runner, policyOf);
    this.#runner = new Runner(parts, queues, room, observer, (open, record) =>
      this.#groups.noteEnd(open, record),
    );
    const [runner, groups] = [this.#runner, this.#groups];
    const disk = new DiskRoom(data.path);
    this.#admission = new Admission({ parts, room, disk, tasks, runner, policyOf });
    this.#sweeper = new Sweeper(parts, sweepMs, observer);
    // What waited and was not taken over cannot be gone on with.
    const reap = () => this.#sweeper.sweep({ endWaiting: true });
    this.#recovery = { parts, room, tasks, runner, groups, policyOf, reap };
  }

  async request(request: RolloutRequest, caller: Caller): Promise<RolloutView> {
    return await this.view(await this.#admission.accept(request, caller), caller);
  }

  async requestGroup(request: GroupRequest, caller: Caller): Promise<GroupView> {
    return await this.groupView(await this.#admission.accept(request, caller), caller);
  }

  async view(id: string, caller: Caller): Promise<RolloutView> {
    const record = await this.#record(id, caller);
    return await this.#viewOf(record);
  }

  async groupView(id: string, { key }: Caller): Promise<GroupView> {
    const { records } = this.#parts;
    const group = await records.admissions.group(id);
    if (group === undefined || group.key !== key) throw unknown("group", id);
    const attempts = Array.from({ length: group.n }, (): RolloutView[] => []);
    for (const { rollout, member } of await records.admissions.members(id)) {
      const record = this.#runner.open.get(rollout)?.record ?? (await records.get(rollout));
      if (record) attempts[member - 1]?.push(await this.#viewOf(record));
    }
    return groupView(group, attempts, (view) => this.#groups.isLost(view));
  }

  async list(query: RecordQuery, { key }: Caller): Promise<RecordPage> {
    const { records, next } = await this.#parts.records.list({ ...query, key });
    const asTheyAre = records.map((record) => this.#runner.open.get(record.id)?.record ?? record);
    return { records: asTheyAre, next };
  }

  async untilServing(id: string, caller: Caller, signal: AbortSignal): Promise<RolloutView> {
    await this.#record(id, caller);
    const over = this.#either(signal);
    for (;;) {
      const open = this.#runner.open.get(id);
      if (open === undefined || !isEarly(open.record)) break;
      if (!(await unlessAborted(open.changed, over))) break;
    }
    return await this.view(id, caller);
  }

  async tools(id: string, caller: Caller): Promise<readonly ToolInfo[]> {
    const { proxy } = await this.#serving(id, caller);
    return proxy.surface.tools;
  }

  async call(
    id: string,
    calls: readonly ToolCall[],
    caller: Caller,
  ): Promise<readonly ToolAnswer[]> {
    const { proxy } = await this.#serving(id, caller);
    const called = calls.map(({ name, arguments: args, ...known }) => {
      return proxy.callTool(name, args, known);
    });
    return await Promise.all(called);
  }

  async heartbeat(id: string, caller: Caller): Promise<Date> {
    const { lease } = await this.#serving(id, caller);
    lease.renew();
    return lease.until ?? this.#parts.clock.now();
  }

  async finish(id: string, answer: string | null, caller: Caller): Promise<RolloutRecord> {
    const record = await this.#record(id, caller);
    const open = this.#runner.open.get(id);
    if (open === undefined) return requireEnded(record);
    if (isEarly(open.record) && !open.isComingBack) throw notServing(open.record);
    open.policy.submit(answer);
    return await open.ended;
  }

  async cancel(id: string, caller: Caller): Promise<RolloutRecord> {
    const record = await this.#record(id, caller);
    const open = this.#runner.open.get(id);
    if (open === undefined) return requireEnded(record);
    open.cancelled.abort(new Error("the caller cancelled it"));
    return await open.ended;
  }

  async *events(
    id: string,
    after: number,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncGenerator<RolloutEvent> {
    await this.#record(id, caller);
    const over = this.#either(signal);
    const source = {
      data: this.#parts.data,
      now: () => this.#record(id, caller),
      change: () => {
        const open = this.#runner.open.get(id);
        return open ? unlessAborted(open.changed, over) : slept(LOOK_MS, over);
      },
    };
    yield* rolloutEvents(source, after);
  }

  async regrade(
    bundle: Bundle,
    grader: "recorded" | "current",
    signal: AbortSignal,
  ): Promise<Grade> {
    return await this.#regrades.grade(bundle, grader, signal);
  }

  stats(): ServiceStats {
    const open: Partial<Record<RolloutRecord["phase"], number>> = {};
    for (const { record } of this.#runner.open.values())
      open[record.phase] = (open[record.phase] ?? 0) + 1;
    return {
      open,
      ended: { ...this.#runner.ended },
      queued: this.#runner.queued,
      pool: this.#pool.level,
      leaksFound: this.#sweeper.leaksFound,
      unconfirmed: this.#parts.engine.holdings.unconfirmed.size,
    };
  }

  async recover(): Promise<Recovered> {
    return await recoverRollouts(this.#recovery);
  }

  async drain(graceMs: number, now: AbortSignal): Promise<void> {
    this.#admission.close();
    const emptied = this.#pool[Symbol.asyncDispose](); // Nobody will ask for what it holds.
    await this.#runner.drain(graceMs, now);
    await this.#groups.stop();
    await emptied;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    await this.drain(0, AbortSignal.abort());
    this.#writer.abort(new Error("the service is closed"));
    await this.#sweeper[Symbol.asyncDispose]();
  }

  async #record(id: string, { key }: Caller): Promise<RolloutRecord> {
    const record = this.#runner.open.get(id)?.record ?? (await this.#parts.records.get(id));
    if (record === undefined || record.key !== key) throw unknown("rollout", id);
    return record;
  }

  async #viewOf(record: RolloutRecord): Promise<RolloutView> {
    const open = this.#runner.open.get(record.id);
    const { admissions } = this.#parts.records;
    const told = open?.spec.prepared.instruction ?? (await admissions.instructionOf(record.id));
    return rolloutView(record, told ?? "", open);
  }

  async #serving(id: string, caller: Caller) {
    await this.#record(id, caller);
    let open = this.#runner.open.get(id);
    while (open?.isComingBack) {
      if (!(await unlessAborted(open.changed, this.#writer.signal))) break;
      open = this.#runner.open.get(id);
    }
    if (open?.proxy === undefined) throw notServing(await this.#record(id, caller));
    return { proxy: open.proxy, lease: open.policy.lease };
  }

  #either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#writer.signal]);
  }
}

function isEarly({ phase }: RolloutRecord): boolean {
  return phase === "requested" || phase === "seeded";
}

function unknown(what: string, id: string): Error {
  return rolloutFault("unknown", `there is no ${what} "${id}" of this key`);
}

function notServing({ id, phase, outcome }: RolloutRecord): Error {
  const message = `rollout ${id} does not serve: it is in phase "${phase}"`;
  return rolloutFault("not-serving", message, { detail: { phase, outcome } });
}

/** The record of a rollout that nobody here conducts. */
function requireEnded(record: RolloutRecord): RolloutRecord {
  if (record.outcome === null) throw notServing(record);
  return record;
}
