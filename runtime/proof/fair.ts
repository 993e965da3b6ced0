import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding } from "./proof.ts";
import { reasonFor } from "./sharp.ts";

/** A right answer in another shape passes. */
export function fair({ trials, settings }: ProofEvidence): Finding {
  const all = trials.flatMap(({ variant, report }) =>
    report.shapes.map((shape) => ({ variant, ...shape })),
  );
  const refused = all.filter(({ passed }) => !passed);
  const problems: string[] = [];
  const notes: string[] = [];
  for (const { variant, shape, place, change, failed } of refused) {
    const why =
      reasonFor(shape, settings.strict) ?? reasonFor(`${shape} ${place}`, settings.strict);
    const [first] = failed;
    const what = `${shape} in ${place}, variant ${variant} (${change})`;
    if (why === null) {
      problems.push(`${what} is refused by "${first?.criterion}": ${first?.reason}`);
    } else notes.push(`strict: ${what}: ${why}`);
  }
  const names = [...new Set(all.map(({ shape }) => shape))].join(", ");
  const summary = `${all.length - refused.length} of ${all.length} other shapes pass (${names || "none could be made"})`;
  return finding("fair", summary, problems, notes);
}
