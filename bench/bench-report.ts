import { megabytes, type Paint, table } from "../runtime/cli/terminal.ts";
import type { Figure } from "./figures.ts";
import type { BenchDocument } from "./run-bench.ts";

/** A run for a person: where it was, then a line for each figure. */
export function benchReport({ bench, figures, failed }: BenchDocument, paint: Paint): string {
  const { machine, engine, seconds } = bench;
  const load = machine.load.map((value) => value.toFixed(1)).join(" → ");
  const where = `${engine}; node ${machine.node}; ${machine.cpus} cpus, ${megabytes(machine.memoryBytes)}`;
  const head = [
    "figure",
    "p50",
    "p10",
    "p90",
    "unit",
    "n",
    "ratio",
    "added",
    "what, and beside what",
  ];
  return [
    table([head, ...figures.map((figure) => row(figure, paint))]),
    ...failed.map(({ suite, message }) => `${paint.red(`${suite} failed`)}: ${message}\n`),
    paint.dim("ratio, added: this p50 by, and less, the p50 of what was measured beside it\n"),
    paint.dim(`${where}; load ${load}; ${seconds} s\n`),
  ].join("");
}

function row(
  { name, what, unit, n, anchor, ratio, added, ...values }: Figure,
  paint: Paint,
): string[] {
  const { p50, p10, p90 } = values;
  return [
    name,
    paint.bold(text(p50)),
    ...[p10, p90].map(text),
    unit,
    String(n),
    ratio === null ? "" : `× ${text(ratio)}`,
    added === null ? "" : `${added < 0 ? "" : "+"}${text(added)}`,
    paint.dim(anchor === null ? what : `${what} (beside ${anchor})`),
  ];
}

function text(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
