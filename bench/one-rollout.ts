import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Where the time of one rollout goes: `npx node bench/one-rollout.ts [runs] [task]` plays a task with
 * the oracle, one run after the other in one process, and prints medians. Figures of one machine
 * at one time: compare them with others of the same run only.
 */
interface Rollout {
  readonly outcome: string;
  readonly reachedMs: Readonly<Record<string, number>>;
  readonly steps: readonly { readonly upstreamMs: number; readonly proxyMs: number }[];
}

const [runs = "20", task = "library/catalogue-update"] = process.argv.slice(2);
const main = fileURLToPath(new URL("../runtime/cli/main.ts", import.meta.url));
const variants = Array.from({ length: Number(runs) }, () => "1").join(",");
const words = [main, "run", task, "--policy", "oracle", "--variant", variants, "--json"];
const { stdout, stderr } = spawnSync(process.execPath, words, {
  encoding: "utf8",
  maxBuffer: 2 ** 30,
});
const { rollouts = [] } = (stdout ? JSON.parse(stdout) : {}) as { rollouts?: Rollout[] };
const graded = rollouts.filter(({ outcome }) => outcome === "graded");
if (graded.length === 0) throw new Error(`no rollout was graded: ${stderr}`);

const steps = graded.flatMap((one) => one.steps);
const rows: [string, number[]][] = [
  ["request to seeded", between("requested", "seeded")],
  ["seeded to serving", between("seeded", "serving")],
  ["request to serving", between("requested", "serving")],
  ["a call, at the server", steps.map(({ upstreamMs }) => upstreamMs)],
  ["a call, in the proxy", steps.map(({ proxyMs }) => proxyMs)],
  ["finished to captured", between("finished", "captured")],
  ["captured to graded", between("captured", "graded")],
  ["graded to stored", between("graded", "stored")],
];
process.stdout.write(
  `${graded.length} of ${runs} rollouts of ${task}, ${steps.length} calls; ms\n`,
);
for (const [name, values] of rows) {
  const figures = [quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9)];
  const [p50, p10, p90] = figures.map((value) => value.toFixed(value < 10 ? 2 : 0).padStart(7));
  process.stdout.write(`${name.padEnd(24)} p50 ${p50}  p10 ${p10}  p90 ${p90}\n`);
}

function between(from: string, to: string): number[] {
  return graded.map(({ reachedMs }) => (reachedMs[to] ?? Number.NaN) - (reachedMs[from] ?? 0));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
