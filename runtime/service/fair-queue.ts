import PQueue, { type Queue, type QueueAddOptions } from "p-queue";

/** What is known of one that waits. */
export interface Turn {
  /** Who asked for it. */
  readonly key: string;
  /**
   * "resumed" has a sandbox already and waits for nobody; "urgent" goes before the others of its
   * key. Default: in the order of asking.
   */
  readonly rank?: "resumed" | "urgent" | undefined;
}

/**
 * Work that waits for one of so many places, fairly between keys: the next place goes to the key
 * that has the fewest, and among equals to the one that has waited longest since its last turn.
 * However much one key asks for, another's first is next but for those that are under way.
 */
export class FairQueue {
  readonly #places = new Map<string, number>();
  readonly #queue: PQueue<Lines, Waiting>;

  constructor(concurrency: number) {
    const places = this.#places;
    const queueClass = class extends Lines {
      constructor() {
        super(places);
      }
    };
    this.#queue = new PQueue<Lines, Waiting>({ concurrency, queueClass });
  }

  /** Does the work once there is a place for it, unless the signal is aborted before. */
  add(turn: Turn, work: () => Promise<void>, signal: AbortSignal): void {
    const held = async () => {
      try {
        await work();
      } finally {
        count(this.#places, turn.key, -1); // Before the queue looks for who is next.
      }
    };
    this.#queue.add(held, { ...turn, signal }).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Nobody gets a place any more. */
  pause(): void {
    this.#queue.pause();
  }
}

type Waiting = QueueAddOptions & Partial<Turn>;
type Run = () => Promise<unknown>;

interface Entry {
  readonly run: Run;
  readonly id: string | undefined;
}

interface Line {
  readonly urgent: Entry[];
  readonly usual: Entry[];
}

/** Those that wait, a line for each key. */
class Lines implements Queue<Run, Waiting> {
  readonly #places: Map<string, number>;
  readonly #lines = new Map<string, Line>();
  readonly #resumed = new Map<Entry, string>();
  /** By key, also of those that have nobody waiting: there are no more than there are keys. */
  readonly #lastTurn = new Map<string, number>();
  #turns = 0;
  #size = 0;

  constructor(places: Map<string, number>) {
    this.#places = places;
  }

  get size(): number {
    return this.#size;
  }

  enqueue(run: Run, { key = "", rank, id }: Partial<Waiting> = {}): void {
    this.#size += 1;
    const entry = { run, id };
    if (rank === "resumed") {
      this.#resumed.set(entry, key);
      return;
    }
    const line = this.#lines.get(key) ?? { urgent: [], usual: [] };
    this.#lines.set(key, line);
    line[rank === "urgent" ? "urgent" : "usual"].push(entry);
  }

  dequeue(): Run | undefined {
    const [key, entry] = this.#takeResumed() ?? this.#takeFair() ?? [];
    if (key === undefined) return undefined;
    this.#size -= 1;
    count(this.#places, key, 1);
    this.#turns += 1;
    this.#lastTurn.set(key, this.#turns);
    return entry?.run;
  }

  remove(id: string): void {
    const lists = [...this.#lines.values()].flatMap(({ urgent, usual }) => [urgent, usual]);
    for (const list of lists) {
      const at = list.findIndex((entry) => entry.id === id);
      if (at < 0) continue;
      list.splice(at, 1);
      this.#size -= 1;
    }
    for (const entry of this.#resumed.keys()) {
      if (entry.id === id && this.#resumed.delete(entry)) this.#size -= 1;
    }
    for (const [key, line] of this.#lines) if (isEmpty(line)) this.#lines.delete(key);
  }

  /** Part of what a queue is asked for; nobody here does. */
  filter(): Run[] {
    return [];
  }

  setPriority(): void {}

  #takeResumed(): [string, Entry] | undefined {
    const [first] = this.#resumed;
    if (first === undefined) return undefined;
    this.#resumed.delete(first[0]);
    return [first[1], first[0]];
  }

  #takeFair(): [string, Entry] | undefined {
    const [first, ...others] = this.#lines.keys();
    if (first === undefined) return undefined;
    const key = others.reduce((best, one) => (this.#isBefore(one, best) ? one : best), first);
    const line = this.#lines.get(key);
    const entry = line && (line.urgent.shift() ?? line.usual.shift());
    if (line === undefined || entry === undefined) return undefined;
    if (isEmpty(line)) this.#lines.delete(key);
    return [key, entry];
  }

  #isBefore(one: string, other: string): boolean {
    const placesOf = (key: string) => this.#places.get(key) ?? 0;
    const turnOf = (key: string) => this.#lastTurn.get(key) ?? 0;
    const fewer = placesOf(one) - placesOf(other);
    return fewer < 0 || (fewer === 0 && turnOf(one) < turnOf(other));
  }
}

function isEmpty({ urgent, usual }: Line): boolean {
  return urgent.length + usual.length === 0;
}

function count(places: Map<string, number>, key: string, change: 1 | -1): void {
  const now = (places.get(key) ?? 0) + change;
  if (now === 0) places.delete(key);
  else places.set(key, now);
}
