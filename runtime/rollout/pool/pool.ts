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
import {
  handedOver,
  type PreparedSandbox,
  type PrepareParts,
  prepareSandbox,
} from "./prepare-sandbox.ts";
import { type Fill, Shelf } from "./shelf.ts";

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
  readonly #shelves = new Map<string, Shelf>();
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
    const shelves = [...this.#shelves.values()];
    const sum = (of: (shelf: Shelf) => number) => shelves.reduce((all, one) => all + of(one), 0);
    const [hits, misses] = [this.#hits, this.#misses];
    return { ready: sum((one) => one.ready), filling: sum((one) => one.fills.size), hits, misses };
  }

  async take(need: SandboxNeed, claim: SandboxClaim, signal: AbortSignal): Promise<TakenSandbox> {
    signal.throwIfAborted();
    const shelf = this.#shelfOf(need, claim);
    shelf.demand.note(this.#nowMs());
    const ready = shelf.pop(this.#parts.clock.now(), claim.holdMs);
    if (ready !== undefined) {
      this.#hits += 1;
      // Making the next one would slow down who has just taken this one.
      setTimeout(() => this.#tend(), REFILL_DELAY_MS).unref();
      return handedOver(ready, this.#archives);
    }
    this.#misses += 1;
    const begun = await this.#begun(shelf, claim, signal);
    return begun ?? (await this.#makeCold(need, claim, signal));
  }

  /** Says what will be asked for, so that `count` are made ready before anybody asks. */
  expect(need: SandboxNeed, claim: Pick<SandboxClaim, "holdMs">, count: number): void {
    this.#shelfOf(need, claim).demand.note(this.#nowMs(), count);
    this.#tendSoon();
  }

  /** Removes all that it holds. Afterwards every sandbox is made when it is asked for. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#over.abort(new Error("the pool is closed"));
    for (const shelf of this.#shelves.values()) {
      for (const prepared of shelf.clear()) this.#remove(prepared);
    }
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** One that is in the making is nearer to its end than one that is not begun. */
  async #begun(
    shelf: Shelf,
    { holdMs }: SandboxClaim,
    signal: AbortSignal,
  ): Promise<TakenSandbox | undefined> {
    const fill = shelf.claimFill(this.#parts.clock.now(), holdMs);
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

  #shelfOf(need: SandboxNeed, { holdMs }: Pick<SandboxClaim, "holdMs">): Shelf {
    const key = canonicalJson(need);
    const shelf = this.#shelves.get(key) ?? new Shelf(need, this.#options.memoryMs);
    this.#shelves.set(key, shelf);
    shelf.holdMs = Math.max(shelf.holdMs, holdMs);
    return shelf;
  }

  #tendSoon(): void {
    setImmediate(() => this.#tend());
  }

  /** Brings every shelf nearer to what it should hold. */
  #tend(): void {
    if (this.#over.signal.aborted) return;
    const nowMs = this.#nowMs();
    const wishes = this.#wishes(nowMs);
    for (const [shelf, wish] of wishes) {
      for (const old of shelf.surplus(wish, nowMs - this.#options.maxAgeMs)) this.#remove(old);
    }
    let filling = this.level.filling;
    let room = this.#options.max - this.level.ready - filling;
    for (const [shelf, wish] of wishes) {
      while (this.#waiting === 0 && filling < this.#options.fills && room > 0) {
        if (shelf.held >= wish || shelf.retryMs > nowMs) break;
        this.#fill(shelf);
        filling += 1;
        room -= 1;
      }
    }
    for (const [key, shelf] of this.#shelves) {
      if (shelf.isIdle(nowMs)) this.#shelves.delete(key);
    }
  }

  /** What each shelf should hold; who was asked last comes first. */
  #wishes(nowMs: number): [Shelf, number][] {
    const { min, max } = this.#options;
    const last = (shelf: Shelf) => shelf.demand.lastMs(nowMs) ?? Number.NEGATIVE_INFINITY;
    const shelves = [...this.#shelves.values()].sort((a, b) => last(b) - last(a));
    const wanted = shelves.map(({ demand }) => {
      const count = demand.wanted(nowMs);
      return count === 0 ? 0 : Math.max(min, count);
    });
    const shares = shareOut(wanted, max);
    return shelves.map((shelf, index) => [shelf, shares[index] ?? 0]);
  }

  #fill(shelf: Shelf): void {
    const { clock, log } = this.#parts;
    const expires = new Date(clock.now().getTime() + this.#options.maxAgeMs + shelf.holdMs);
    const making = prepareSandbox(shelf.need, expires, this.#parts, this.#over.signal);
    const made = making.catch((error: unknown) => {
      if (this.#over.signal.aborted) return undefined;
      shelf.noteFailure(this.#nowMs(), RETRY_MS);
      log.warn({ error: messageOf(error) }, "a sandbox could not be prepared");
      return undefined;
    });
    const fill: Fill = { made, expires, isClaimed: false };
    shelf.fills.add(fill);
    this.#run(async () => {
      const prepared = await made;
      shelf.fills.delete(fill);
      if (prepared !== undefined) this.#keep(shelf, fill, prepared);
      this.#tendSoon();
    });
  }

  #keep(shelf: Shelf, fill: Fill, prepared: PreparedSandbox): void {
    shelf.noteSuccess();
    if (fill.isClaimed) return;
    if (this.#over.signal.aborted) {
      this.#remove(prepared);
      return;
    }
    shelf.push(prepared);
    void prepared.broken.then((reason) => this.#discard(shelf, prepared, reason));
  }

  /** A box can go without a word to us, as a keeper does: nothing of ours runs in it. */
  #look(): void {
    for (const shelf of this.#shelves.values()) {
      for (const prepared of shelf.all()) {
        this.#run(async () => {
          const { keeper } = prepared.sandbox;
          const states = [prepared.sandbox.state(), ...(keeper ? [keeper.state()] : [])];
          const isWhole = (await Promise.all(states)).every(({ running }) => running);
          if (!isWhole) this.#discard(shelf, prepared, "one of its boxes is gone");
        });
      }
    }
  }

  /** Unless somebody has taken it meanwhile: then it is theirs. */
  #discard(shelf: Shelf, prepared: PreparedSandbox, reason: string): void {
    if (!shelf.drop(prepared)) return;
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
