import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding } from "./proof.ts";

interface Reason {
  readonly criterion: string;
  readonly reason: string;
  readonly where: string;
}

/** What the library says when a criterion says nothing, and what says as little. */
const MUTE =
  /^(does not hold|holds( to [\d.e-]+)?|holds|false|true|none|null|failed?|wrong|no|nope|incorrect|error|assertion ?error)?[.!]?$/i;
const WORDS_LEAST = 3;

/** Each failed criterion says what was expected and what was found; none raises. */
export function telling(evidence: ProofEvidence): Finding {
  const reasons = [...ofRuns(evidence), ...ofTrials(evidence)];
  const mute = new Map<string, Reason>();
  for (const each of reasons) {
    if (isMute(each.reason) && !mute.has(each.criterion)) mute.set(each.criterion, each);
  }
  const raised = new Map<string, string>();
  for (const { report } of evidence.trials) {
    for (const { name, errors } of [...report.mutants, ...named(report.shapes)]) {
      for (const { criterion, error } of errors) {
        if (!raised.has(criterion)) raised.set(criterion, `${name}: ${lastLine(error)}`);
      }
    }
  }
  const seen = evidence.trials.flatMap(({ report }) => report.seen);
  const problems = [
    ...[...mute.values()].map(({ criterion, reason, where }) => {
      return `"${criterion}" fails and says only "${reason}" (${where}): say what was expected and what was found`;
    }),
    ...[...raised].map(([criterion, what]) => {
      return `"${criterion}" raises instead of failing with a reason, on ${what}`;
    }),
    ...seen.map((reason) => `a reason stands in what the agent sees: ${reason}`),
  ];
  const different = new Set(reasons.map(({ reason }) => reason)).size;
  const summary = `${reasons.length} failed criteria gave ${different} different reasons, ${mute.size} say nothing, ${raised.size} raise`;
  return finding("telling", summary, problems);
}

function isMute(reason: string): boolean {
  const text = reason.trim();
  return MUTE.test(text) || text.split(/\s+/).length < WORDS_LEAST;
}

function ofRuns({ nulls, cheats, partials }: ProofEvidence): Reason[] {
  const runs = [...nulls, ...cheats, ...partials.map(({ played }) => played)];
  return runs.flatMap(({ name, record }) =>
    (record.criteria ?? [])
      .filter(({ score, error }) => score !== 1 && error === null)
      .map(({ name: criterion, reason }) => ({ criterion, reason, where: name })),
  );
}

function ofTrials({ trials }: ProofEvidence): Reason[] {
  return trials.flatMap(({ report }) =>
    [...report.mutants, ...named(report.shapes)].flatMap(({ name, failed }) =>
      failed
        .filter(({ score }) => score !== null)
        .map(({ criterion, reason }) => ({ criterion, reason, where: name })),
    ),
  );
}

function named<T extends { readonly shape: string; readonly place: string }>(shapes: readonly T[]) {
  return shapes.map((each) => ({ ...each, name: `${each.shape} in ${each.place}` }));
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
