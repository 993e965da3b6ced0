import type { ProofEvidence } from "./evidence.ts";
import type { Played } from "./plays.ts";
import { type Finding, finding } from "./proof.ts";

/** The same task, run and grader give the same, whatever the day and the machine. */
export function deterministic(evidence: ProofEvidence): Finding {
  const { generators, trials, oracles, again } = evidence;
  const repeats = trials.flatMap(({ variant, report }) =>
    report.repeats.map((repeat) => ({ variant, ...repeat })),
  );
  const problems = [
    ...generators.flatMap(({ variant, condition, difference }) =>
      difference === null
        ? []
        : [`generate.py makes variant ${variant} otherwise (${condition}): ${difference}`],
    ),
    ...repeats.flatMap(({ variant, run, condition, difference }) => {
      const what = run === "oracle" ? `variant ${variant}` : `"${run}" on variant ${variant}`;
      return difference === null
        ? []
        : [`the grader judges ${what} otherwise under "${condition}": ${difference}`];
    }),
    ...unlike(oracles[0], again),
  ];
  const failing = repeats.filter(({ run }) => run !== "oracle");
  const runs = new Set(failing.map(({ variant, run }) => `${variant} ${run}`)).size;
  const summary = `generator made ${generators.length} times more, grader run under ${repeats.length - failing.length} other conditions, ${runs} failed runs graded again, oracle twice`;
  return finding("deterministic", summary, problems, []);
}

function unlike(first: Played | undefined, again: Played | undefined): string[] {
  if (first === undefined || again === undefined) return [];
  const [one, other] = [first, again].map(({ record }) => record.criteria ?? []);
  const changed = (one ?? []).filter(({ name, score }) => {
    return other?.find((each) => each.name === name)?.score !== score;
  });
  return changed.map(({ name, score, reason }) => {
    const now = other?.find((each) => each.name === name);
    return `the oracle, run twice, scored ${score} (${reason}) and then ${now?.score} (${now?.reason}) for "${name}"`;
  });
}
