import { canonicalJson } from "../../base/canonical-json.ts";
import { messageOf } from "../../base/fault.ts";
import { SeedArchives } from "../../workspace/seed-archives.ts";
import {
  ColdSource,
  type SandboxClaim,
  type SandboxNeed,
  type SandboxSource,
  type TakenSandbox,
} from "../sandbox-source.ts";
import { shareOut } from "./demand.ts";
import { type Fill, KindPool } from "./kind-pool.ts";
import {
  handedOver,
  type PreparedSandbox,
  type PrepareParts,
  prepareSandbox,
} from "./prepare-sandbox.ts";

export interface PoolOptions {
  /** Sandboxes held and in the making, of all kinds together. Default 8; 0: none is held. */
  readonly max?: number;
  /** Held of each kind that was lately asked for, at least, while there is room. Default 1. */
  readonly min?: number;
  /** Made at the same time; none is begun while somebody waits for a cold one. Default 2. */
  readonly fills?: number;
  /** Older ones are removed and made again. Default 15 minutes. */
  readonly maxAgeMs?: number;
  /** For how long it is remembered what was asked for. Default 5 minutes. */
  readonly memoryMs?: number;
  /** How often the boxes of those that are held are asked for. Default 15 seconds. */
  readonly lookMs?: number;
}

export interface PoolLevel {
  readonly ready: number;
  readonly filling: number;
  /** Takes that had not to wait for the engine, and those that had. */
  readonly hits: number;
  readonly misses: number;
}

const TEND_MS = 1_000;
const REFILL_DELAY_MS = 100;
const RETRY_MS = { least: 1_000, most: 60_000 } as const;

/**
 * Sandboxes made beforehand: boxes running, servers greeted, the seeding program at its input, and
 * no agent has been near them. It keeps as many of each kind as were lately taken at once, makes
 * new ones in the background, and hands each out once. Where it has none, it makes one.
 */
export class WarmPool implements SandboxSource, AsyncDisposable {
  readonly #parts: PrepareParts;
  readonly #options: Required<PoolOptions>;
  readonly #cold: ColdSource;
  readonly #kinds = new Map<string, KindPool>();
  readonly #archives = new SeedArchives();
  readonly #over = new AbortController();
  readonly #background = new Set<Promise<void>>();
  readonly #timers: readonly NodeJS.Timeout[];
  #waiting = 0;
  #hits = 0;
  #misses = 0;

  constructor(parts: PrepareParts, options: PoolOptions = {}) {
    const { max = 8, min = 1, fills = 2, maxAgeMs = 900_000 } = options;
    const { memoryMs = 300_000, lookMs = 15_000 } = options;
    this.#parts = parts;
    this.#options = { max, min, fills, maxAgeMs, memoryMs, lookMs };
    this.#cold = new ColdSource(parts.engine, parts.owner);
    this.#timers = [
      setInterval(() => this.#tend(), TEND_MS).unref(),
      setInterval(() => this.#look(), lookMs).unref(),
    ];
  }

  get level(): PoolLevel {
    const kinds = [...this.#kinds.values()];
    const sum = (of: (kind: KindPool) => number) => kinds.reduce((all, one) => all + of(one), 0);
    const [hits, misses] = [this.#hits, this.#misses];
    return { ready: sum((one) => one.ready), filling: sum((one) => one.fills.size), hits, misses };
  }

  async take(need: SandboxNeed, claim: SandboxClaim, signal: AbortSignal): Promise<TakenSandbox> {
    signal.throwIfAborted();
    const kind = this.#kindOf(need, claim);
    kind.demand.note(this.#nowMs());
    const ready = kind.pop(this.#parts.clock.now(), claim.holdMs);
    if (ready !== undefined) {
      this.#hits += 1;
      // Making the next one would slow down who has just taken this one.
      setTimeout(() => this.#tend(), REFILL_DELAY_MS).unref();
      return handedOver(ready, this.#archives);
    }
    this.#misses += 1;
    const begun = await this.#begun(kind, claim, signal);
    return begun ?? (await this.#makeCold(need, claim, signal));
  }

  /** Says what will be asked for, so that `count` are made ready before anybody asks. */
  expect(need: SandboxNeed, claim: Pick<SandboxClaim, "holdMs">, count: number): void {
    this.#kindOf(need, claim).demand.note(this.#nowMs(), count);
    this.#tendSoon();
  }

  /** Removes all that it holds. Afterwards every sandbox is made when it is asked for. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#over.abort(new Error("the pool is closed"));
    for (const kind of this.#kinds.values()) {
      for (const prepared of kind.clear()) this.#remove(prepared);
    }
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** One that is in the making is nearer to its end than one that is not begun. */
  async #begun(
    kind: KindPool,
    { holdMs }: SandboxClaim,
    signal: AbortSignal,
  ): Promise<TakenSandbox | undefined> {
    const fill = kind.claimFill(this.#parts.clock.now(), holdMs);
    if (fill === undefined) return undefined;
    const aborted = Promise.withResolvers<undefined>();
    const onAbort = () => {
      fill.isClaimed = false; // At once: it may be made before we are back here.
      aborted.resolve(undefined);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const prepared = await Promise.race([fill.made, aborted.promise]);
      if (prepared !== undefined) return handedOver(prepared, this.#archives);
      signal.throwIfAborted();
      return undefined;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #makeCold(
    need: SandboxNeed,
    claim: SandboxClaim,
    signal: AbortSignal,
  ): Promise<TakenSandbox> {
    this.#waiting += 1;
    try {
      return await this.#cold.take(need, claim, signal);
    } finally {
      this.#waiting -= 1;
      this.#tendSoon();
    }
  }

  #kindOf(need: SandboxNeed, { holdMs }: Pick<SandboxClaim, "holdMs">): KindPool {
    const key = canonicalJson(need);
    const kind = this.#kinds.get(key) ?? new KindPool(need, this.#options.memoryMs);
    this.#kinds.set(key, kind);
    kind.holdMs = Math.max(kind.holdMs, holdMs);
    return kind;
  }

  #tendSoon(): void {
    setImmediate(() => this.#tend());
  }

  /** Brings every kind nearer to what it should hold. */
  #tend(): void {
    if (this.#over.signal.aborted) return;
    const nowMs = this.#nowMs();
    const requests = this.#requests(nowMs);
    for (const [kind, request] of requests) {
      for (const old of kind.surplus(request, nowMs - this.#options.maxAgeMs)) this.#remove(old);
    }
    let filling = this.level.filling;
    let room = this.#options.max - this.level.ready - filling;
    for (const [kind, request] of requests) {
      while (this.#waiting === 0 && filling < this.#options.fills && room > 0) {
        if (kind.held >= request || kind.retryMs > nowMs) break;
        this.#fill(kind);
        filling += 1;
        room -= 1;
      }
    }
    for (const [key, kind] of this.#kinds) {
      if (kind.isIdle(nowMs)) this.#kinds.delete(key);
    }
  }

  /** What each kind should hold; who was asked last comes first. */
  #requests(nowMs: number): [KindPool, number][] {
    const { min, max } = this.#options;
    const last = (kind: KindPool) => kind.demand.lastMs(nowMs) ?? Number.NEGATIVE_INFINITY;
    const kinds = [...this.#kinds.values()].sort((a, b) => last(b) - last(a));
    const wanted = kinds.map(({ demand }) => {
      const count = demand.wanted(nowMs);
      return count === 0 ? 0 : Math.max(min, count);
    });
    const shares = shareOut(wanted, max);
    return kinds.map((kind, index) => [kind, shares[index] ?? 0]);
  }

  #fill(kind: KindPool): void {
    const { clock, log } = this.#parts;
    const expires = new Date(clock.now().getTime() + this.#options.maxAgeMs + kind.holdMs);
    const making = prepareSandbox(kind.need, expires, this.#parts, this.#over.signal);
    const made = making.catch((error: unknown) => {
      if (this.#over.signal.aborted) return undefined;
      kind.noteFailure(this.#nowMs(), RETRY_MS);
      log.warn({ error: messageOf(error) }, "a sandbox could not be prepared");
      return undefined;
    });
    const fill: Fill = { made, expires, isClaimed: false };
    kind.fills.add(fill);
    this.#run(async () => {
      const prepared = await made;
      kind.fills.delete(fill);
      if (prepared !== undefined) this.#keep(kind, fill, prepared);
      this.#tendSoon();
    });
  }

  #keep(kind: KindPool, fill: Fill, prepared: PreparedSandbox): void {
    kind.noteSuccess();
    if (fill.isClaimed) return;
    if (this.#over.signal.aborted) {
      this.#remove(prepared);
      return;
    }
    kind.push(prepared);
    void prepared.broken.then((reason) => this.#discard(kind, prepared, reason));
  }

  /** A box can go without a word to us, as a keeper does: nothing of ours runs in it. */
  #look(): void {
    for (const kind of this.#kinds.values()) {
      for (const prepared of kind.all()) {
        this.#run(async () => {
          const { keeper } = prepared.sandbox;
          const states = [prepared.sandbox.state(), ...(keeper ? [keeper.state()] : [])];
          const isWhole = (await Promise.all(states)).every(({ running }) => running);
          if (!isWhole) this.#discard(kind, prepared, "one of its boxes is gone");
        });
      }
    }
  }

  /** Unless somebody has taken it meanwhile: then it is theirs. */
  #discard(kind: KindPool, prepared: PreparedSandbox, reason: string): void {
    if (!kind.drop(prepared)) return;
    this.#parts.log.warn({ sandbox: prepared.sandbox.id, reason }, "a prepared sandbox is lost");
    this.#remove(prepared);
    this.#tendSoon();
  }

  #remove(prepared: PreparedSandbox): void {
    this.#run(async () => await prepared[Symbol.asyncDispose]());
  }

  #run(work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        this.#parts.log.warn({ error: messageOf(error) }, "the pool of sandboxes met an error");
      })
      .finally(() => this.#background.delete(running));
    this.#background.add(running);
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }
}
