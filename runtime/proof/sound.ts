import type { ProofEvidence } from "./evidence.ts";
import type { Played } from "./plays.ts";
import { type Finding, finding } from "./proof.ts";

/** The most that doing nothing may earn of `dense`. */
const IDLE_DENSE_MAX = 0.05;

/** The solution earns 1, nothing earns nothing, and no cheat and no half work earns 1. */
export function sound(evidence: ProofEvidence): Finding {
  const { oracles, nulls, cheats, partials, trials, hasSolution } = evidence;
  const problems = [
    ...(hasSolution ? [] : ["the task has no solution.py: nobody knows that it can be solved"]),
    ...oracles.filter((run) => run.record.reward?.sparse !== 1).map(unsolved),
    ...nulls.flatMap(idle),
    ...cheats.filter((run) => run.record.reward?.sparse !== 0).map(rewarded),
    ...partials
      .filter(({ played, same }) => !same && played.record.reward?.sparse !== 0)
      .map(({ played }) => rewarded(played)),
    ...partials
      .filter(({ played, same }) => same && played.record.reward?.sparse === undefined)
      .map(({ played }) => `${nameOf(played)} was not graded: ${why(played)}`),
    ...(cheats.length > 0 || !hasSolution
      ? []
      : ["the task has no cheats/: write one, such as an answer made without reading"]),
  ];
  const families = ["partial", "wrong", "extra", "forbidden"].map((family) => {
    const all = trials.flatMap(({ report }) => report.mutants.filter((m) => m.family === family));
    return `${all.filter(({ passed }) => !passed).length} of ${all.length} ${family}`;
  });
  const notes = [
    ...nulls.slice(0, 1).flatMap(({ record }) =>
      (record.criteria ?? []).map(({ name, score, reason }) => {
        return `untouched: ${score ?? "error"} for "${name}" (${reason})`;
      }),
    ),
    ...cheats.map(earned),
    ...partials.map(({ played, same }) =>
      same ? `${nameOf(played)}: left what the whole leaves, so it is not judged` : earned(played),
    ),
    `variations of the solution that were refused: ${families.join(", ")}`,
  ];
  const idleDense = Math.max(0, ...nulls.map(({ record }) => record.reward?.dense ?? 0));
  const summary = `oracle 1 on ${solved(oracles)} of ${oracles.length} variants, nothing earns ${idleDense.toFixed(2)} dense, ${cheats.length} cheats below 1`;
  return finding("sound", summary, problems, notes);
}

function solved(oracles: readonly Played[]): number {
  return oracles.filter(({ record }) => record.reward?.sparse === 1).length;
}

function unsolved(run: Played): string {
  const lost = (run.record.criteria ?? [])
    .filter(({ score }) => score !== 1)
    .map(({ name, reason }) => `"${name}": ${reason}`);
  const what = lost.length > 0 ? lost.join("; ") : why(run);
  return `the solution does not earn 1 on variant ${run.variant}: ${what}`;
}

function idle(run: Played): string[] {
  const { outcome, reward } = run.record;
  const who = `doing nothing on variant ${run.variant}`;
  if (outcome !== "graded" || reward === null) return [`${who} was not graded: ${why(run)}`];
  if (reward.sparse === 1) return [`${who} earns sparse 1: every criterion holds untouched`];
  if (reward.dense <= IDLE_DENSE_MAX) return [];
  const held = (run.record.criteria ?? [])
    .filter(({ score }) => (score ?? 0) > 0)
    .map(({ name }) => `"${name}"`);
  return [`${who} earns dense ${reward.dense}, above ${IDLE_DENSE_MAX}: ${held.join(", ")}`];
}

function rewarded(run: Played): string {
  if (run.record.outcome !== "graded") return `${nameOf(run)} was not graded: ${why(run)}`;
  return `${nameOf(run)} earns sparse 1: no criterion refuses it`;
}

function earned(run: Played): string {
  const { reward, criteria } = run.record;
  const refused = (criteria ?? []).filter(({ score }) => score !== 1).length;
  return reward
    ? `${nameOf(run)}: dense ${reward.dense.toFixed(2)}, ${refused} criteria refuse it`
    : `${nameOf(run)}: not graded`;
}

function nameOf({ name, variant }: Played): string {
  return `${name} on variant ${variant}`;
}

function why({ record }: Played): string {
  return record.fault?.message ?? `outcome ${record.outcome}`;
}
