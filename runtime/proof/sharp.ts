import type { Explained } from "../task/task.ts";
import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding, type Mutation, type Survivor } from "./proof.ts";

/** The least share of mutants that some criterion notices. */
const MUTATION_SCORE_MIN = 0.9;
const SHOWN = 40;

/** What is wrong is noticed: grader mutation. */
export function sharp(evidence: ProofEvidence): Finding {
  const mutation = mutationOf(evidence);
  const { survivors, score, mutants, noticed, explained } = mutation;
  const unexplained = survivors.filter(({ why }) => why === null);
  const grave = unexplained.filter(({ grave }) => grave);
  const named = (all: readonly Survivor[]) => {
    const shown = all.slice(0, SHOWN).map(({ name, change }) => `${name} (${change})`);
    const more = all.length > SHOWN ? [`and ${all.length - SHOWN} more`] : [];
    return [...shown, ...more];
  };
  const problems = [
    ...(mutants === 0 ? ["no mutant could be made: the solution changes nothing"] : []),
    ...grave.map(({ name, change }) => `no criterion notices ${name} (${change})`),
    ...(mutants > 0 && score < MUTATION_SCORE_MIN
      ? [`only ${percent(score)} of the mutants are noticed, not ${percent(MUTATION_SCORE_MIN)}`]
      : []),
  ];
  const noted = [
    ...named(unexplained).map((line) => `survivor: ${line}`),
    ...survivors.flatMap(({ name, why }) => (why ? [`explained: ${name}: ${why}`] : [])),
  ];
  const more = explained > 0 ? `, ${explained} survivors explained` : "";
  const summary = `${noticed} of ${mutants} mutants noticed, score ${percent(score)}${more}`;
  return finding("sharp", summary, problems, noted);
}

/** The figures behind it. */
export function mutationOf({ trials, settings }: ProofEvidence): Mutation {
  const all = trials.flatMap(({ variant, report }) =>
    report.mutants.map((mutant) => ({ variant, ...mutant })),
  );
  const survivors = all
    .filter(({ passed }) => passed)
    .map(({ variant, name, change, family, grave }) => {
      return { variant, name, change, family, grave, why: reasonFor(name, settings.survivors) };
    });
  const byOperator: Record<string, { of: number; noticed: number }> = {};
  for (const { operator, passed } of all) {
    const known = byOperator[operator] ?? { of: 0, noticed: 0 };
    byOperator[operator] = { of: known.of + 1, noticed: known.noticed + (passed ? 0 : 1) };
  }
  const noticed = all.length - survivors.length;
  const explained = survivors.filter(({ why }) => why !== null).length;
  const judged = all.length - explained;
  const score = judged === 0 ? 0 : noticed / judged;
  return { mutants: all.length, noticed, explained, score, survivors, byOperator };
}

/** What task.toml says of this name; null if nothing. */
export function reasonFor(name: string, explained: readonly Explained[]): string | null {
  return explained.find(({ what }) => globOf(what).test(name))?.why ?? null;
}

/** "*" stands for anything, all else for itself. */
function globOf(text: string): RegExp {
  const parts = text.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}

function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}
