import type { Criterion, DeclaredCriterion } from "../grading/grade.ts";
import { rewardOf } from "../grading/reward.ts";
import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding, type Poisons } from "./proof.ts";
import { reasonFor } from "./sharp.ts";
import type { TriedPoison } from "./trial-report.ts";

const SHOWN = 20;

interface Outcome extends TriedPoison {
  readonly variant: number;
  readonly sparse: number | null;
  readonly dense: number;
  /** Whether it must not be paid as the solution is. */
  readonly isWorthless: boolean;
}

/** What can't be read is no way to a reward, and none to have no reward. */
export function sturdy(evidence: ProofEvidence): Finding {
  const all = outcomesOf(evidence);
  const voided = all.filter(({ sparse }) => sparse === null);
  const forged = all.filter(isForged);
  const problems: string[] = [];
  const notes: string[] = [];
  for (const { variant, on, place, kind, broken } of voided.slice(0, SHOWN)) {
    const what = `"${kind}" of ${place} on the ${on} state of variant ${variant}`;
    problems.push(`${what} leaves no reward: ${broken}`);
  }
  for (const { variant, on, place, kind } of forged) {
    const what = `"${kind}" of ${place} on the ${on} state of variant ${variant}`;
    const why = reasonFor(`${place}: ${kind}`, evidence.settings.survivors);
    if (why === null) problems.push(`${what} earns sparse 1: no criterion refuses it`);
    else notes.push(`explained: ${what}: ${why}`);
  }
  const { tried, byState, unreadable, highest } = poisonsOf(evidence);
  const states = `${byState.untouched} on the untouched state, ${byState.solved} on the solved`;
  notes.push(`poisons: ${states}; of ${unreadable} a criterion said that it can't be read`);
  for (const state of ["untouched", "solved"] as const) {
    notes.push(`poisons on the ${state} state earned at most ${highest[state].toFixed(2)} dense`);
  }
  const summary = `${tried} poisons: ${voided.length} left no reward, ${forged.length} were paid as the solution is`;
  return finding("sturdy", summary, problems, notes);
}

/** The figures behind it. */
export function poisonsOf(evidence: ProofEvidence): Poisons {
  const all = outcomesOf(evidence);
  const on = (state: TriedPoison["on"]) => all.filter((one) => one.on === state);
  const highest = (state: TriedPoison["on"]) =>
    Math.max(0, ...on(state).flatMap(({ isWorthless, dense }) => (isWorthless ? [dense] : [])));
  return {
    tried: all.length,
    byState: { untouched: on("untouched").length, solved: on("solved").length },
    null: all.filter(({ sparse }) => sparse === null).length,
    forged: all.filter(isForged).length,
    highest: { untouched: highest("untouched"), solved: highest("solved") },
    unreadable: all.filter(({ unreadable }) => unreadable > 0).length,
  };
}

function isForged({ isWorthless, sparse }: Outcome): boolean {
  return isWorthless && sparse === 1;
}

function outcomesOf({ trials, criteria }: ProofEvidence): readonly Outcome[] {
  return trials.flatMap(({ variant, report }) =>
    report.poisons.map((poison) => {
      const reward = poison.broken === null ? rewardOf(judged(poison, criteria)) : null;
      const isWorthless = poison.on === "untouched" || poison.ruins;
      const { sparse = null, dense = 0 } = reward ?? {};
      return { variant, ...poison, sparse, dense, isWorthless };
    }),
  );
}

function judged({ scores }: TriedPoison, declared: readonly DeclaredCriterion[]): Criterion[] {
  return scores.map(({ name, score, baseline = null }) => {
    const known = declared.find((each) => each.name === name);
    return { ...(known ?? { name, weight: 1 }), score, baseline, reason: "", error: null };
  });
}
