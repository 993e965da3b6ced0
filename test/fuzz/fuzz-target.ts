import type { IAsyncPropertyWithHooks } from "fast-check";

/** A parser that meets bytes which an agent could write, and what must hold for whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  /** `folder` is empty, is the target's own, and may be on a disk in memory. */
  open(folder: string, tally: Tally): Promise<IAsyncPropertyWithHooks<[unknown]>>;
}

/** How the cases ended: a fuzz run in which nothing was ever accepted has proved little. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(ending: string): void {
    this.counts.set(ending, (this.counts.get(ending) ?? 0) + 1);
  }

  /** "accepted 12, workspace/archive-broken 3". */
  toString(): string {
    const sorted = [...this.counts].sort(([, a], [, b]) => b - a);
    return sorted.map(([ending, count]) => `${ending} ${count}`).join(", ");
  }
}
