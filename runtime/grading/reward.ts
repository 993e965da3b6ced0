import type { Criterion, Reward, RewardKind } from "./grade.ts";

/**
 * The rewards that these criteria make; null if some criterion has no score. `gain` is among them
 * if the untouched state was judged as well. All numbers are finite and rounded to 6 digits.
 */
export function rewardOf(criteria: readonly Criterion[]): Reward | null {
  if (criteria.some(({ score }) => score === null)) return null;
  const sparse = criteria.every(({ score }) => score === 1) ? 1 : 0;
  const exact = denseOf(criteria, ({ score }) => score);
  const dense = rounded(exact);
  if (criteria.some(({ baseline }) => baseline === undefined)) return { sparse, dense };
  const untouched = denseOf(criteria, ({ baseline }) => baseline ?? 0);
  return { sparse, dense, gain: rounded(gainOf(exact, untouched)) };
}

/** What `dense` is for who does nothing; a criterion that raised there does not hold there. */
export function untouchedDense(criteria: readonly Criterion[]): number {
  return rounded(denseOf(criteria, ({ baseline }) => baseline ?? 0));
}

/** The number that a rollout is paid by; null if there was no grade to make it of. */
export function paidBy(kind: RewardKind, reward: Reward | null): number | null {
  return reward?.[kind] ?? null;
}

/**
 * What must not be done is left undone by the idle too. So it counts only once something holds
 * that has to be done and was not done already; and one with a cap never earns anything.
 */
function denseOf(
  criteria: readonly Criterion[],
  scoreOf: (criterion: Criterion) => number | null,
): number {
  const isBegun = criteria.some(
    (one) => one.polarity !== "must_not" && scoreOf(one) === 1 && (one.baseline ?? 0) < 1,
  );
  let [earned, total, cap] = [0, 0, 1];
  for (const one of criteria) {
    const score = scoreOf(one) ?? 0;
    if (typeof one.cap === "number") {
      cap = Math.min(cap, one.cap + (1 - one.cap) * score);
      continue;
    }
    total += one.weight;
    if (one.polarity !== "must_not" || isBegun) earned += one.weight * score;
  }
  return total === 0 ? 0 : Math.min(earned / total, cap);
}

function gainOf(dense: number, untouched: number): number {
  if (rounded(untouched) >= 1) return rounded(dense) >= 1 ? 0 : -1;
  return Math.max(-1, (dense - untouched) / (1 - untouched));
}

/** Without a negative zero, which no comparison of bytes would tell from another. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6 + 0;
}
