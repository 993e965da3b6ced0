import fc from "fast-check";
import { type FuzzTarget, Tally } from "./fuzz-target.ts";

export interface FuzzResult {
  readonly cases: number;
  readonly tally: Tally;
  readonly slowestMs: number;
  /** What did not hold, with the seed and the smallest input that fast-check found. */
  readonly failure: string | undefined;
}

const BATCH = 1000;

/** Gives a target `cases` inputs, in batches each of a seed of its own, until one does not hold. */
export async function fuzz(
  target: FuzzTarget,
  folder: string,
  { cases, seed }: { readonly cases: number; readonly seed: number },
  onBatch: (done: number, seed: number) => void = () => {},
): Promise<FuzzResult> {
  const tally = new Tally();
  const property = await target.open(folder, tally);
  let slowestMs = 0;
  let done = 0;
  for (let batch = 0; done < cases; batch++) {
    const from = performance.now();
    const numRuns = Math.min(BATCH, cases - done);
    const found = await fc.check(property, { numRuns, seed: (seed + batch) | 0 });
    done += found.numRuns;
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - from));
    if (found.failed) {
      return { cases: done, tally, slowestMs, failure: reportOf(found) };
    }
    onBatch(done, seed + batch);
  }
  return { cases: done, tally, slowestMs, failure: undefined };
}

function reportOf(found: fc.RunDetails<[unknown]>): string {
  const { errorInstance: error } = found;
  return `${fc.defaultReportMessage(found)}\n${error instanceof Error ? error.stack : error}`;
}
