export type Unit = "ms" | "MB" | "per second";

/** One thing that was measured, as it is printed. */
export interface Figure {
  /** "<suite>.<what>", as in docs/benchmarks.md. */
  readonly name: string;
  readonly what: string;
  readonly unit: Unit;
  /** How many times it was measured. */
  readonly n: number;
  readonly p50: number;
  readonly p10: number;
  readonly p90: number;
  /** The figure that was measured beside it, in turns with it; null for an anchor itself. */
  readonly anchor: string | null;
  /** This p50 by the anchor's. */
  readonly ratio: number | null;
  /** This p50 less the anchor's, in `unit`. */
  readonly added: number | null;
}

/** Measurements of one thing, before they are compared. */
export interface Samples {
  readonly name: string;
  readonly what: string;
  readonly unit: Unit;
  readonly anchor?: string;
  readonly values: readonly number[];
}

/** Quantiles of each, and how it stands to its anchor, which must be among them. */
export function figuresOf(all: readonly Samples[]): readonly Figure[] {
  const p50s = new Map(all.map(({ name, values }) => [name, quantile(values, 0.5)]));
  return all.map(({ name, what, unit, values, anchor }) => {
    const p50 = quantile(values, 0.5);
    const beside = anchor === undefined ? undefined : p50s.get(anchor);
    return {
      ...{ name, what, unit, n: values.length },
      ...{ p50: rounded(p50), p10: rounded(quantile(values, 0.1)) },
      p90: rounded(quantile(values, 0.9)),
      anchor: anchor ?? null,
      ratio: beside === undefined ? null : rounded(p50 / beside),
      added: beside === undefined ? null : rounded(p50 - beside),
    };
  });
}

/** How long `work` took, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now();
  await work();
  return performance.now() - fromMs;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
