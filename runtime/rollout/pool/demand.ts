/** Takes within this are one burst: a group asks for all its members at once. */
const BURST_MS = 2_000;
const REMEMBERED = 1_000;

/** What was lately asked for, and so what is worth having ready. */
export class Demand {
  readonly #memoryMs: number;
  #takenMs: number[] = [];

  /** Forgets what was longer ago than `memoryMs`. */
  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  note(nowMs: number, count = 1): void {
    for (let i = 0; i < count; i++) this.#takenMs.push(nowMs);
    this.#takenMs = this.#takenMs.slice(-REMEMBERED);
  }

  /** The time of the last take; undefined if it is forgotten. */
  lastMs(nowMs: number): number | undefined {
    this.#forget(nowMs);
    return this.#takenMs.at(-1);
  }

  /** As many as were taken at once, at most, in the time that is remembered. */
  wanted(nowMs: number): number {
    this.#forget(nowMs);
    let most = 0;
    let first = 0;
    for (const [index, atMs] of this.#takenMs.entries()) {
      while (atMs - (this.#takenMs[first] ?? atMs) > BURST_MS) first += 1;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }

  #forget(nowMs: number): void {
    const oldest = nowMs - this.#memoryMs;
    if ((this.#takenMs[0] ?? nowMs) >= oldest) return;
    this.#takenMs = this.#takenMs.filter((atMs) => atMs >= oldest);
  }
}

/**
 * Shares out `room` places: each request gets one before any gets a second, in the order given, then
 * the first ones get what they want.
 */
export function shareOut(requests: readonly number[], room: number): readonly number[] {
  const shares = requests.map(() => 0);
  let left = room;
  const give = (index: number, most: number) => {
    const given = Math.max(0, Math.min(most, (requests[index] ?? 0) - (shares[index] ?? 0), left));
    shares[index] = (shares[index] ?? 0) + given;
    left -= given;
  };
  for (const index of requests.keys()) give(index, 1);
  for (const index of requests.keys()) give(index, left);
  return shares;
}
