import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding } from "./proof.ts";
import { reasonFor } from "./sharp.ts";

/** The agent is told everything that is graded, and is given none of the answer. */
export function sealed(evidence: ProofEvidence): Finding {
  const { trials, settings, criteria, instructions } = evidence;
  const problems: string[] = [];
  const notes: string[] = [];
  for (const { variant, report } of trials) {
    for (const { place, what } of report.leaks) {
      const why = reasonFor(place, settings.given);
      if (why === null) problems.push(`${place} of variant ${variant} ${what}`);
      else notes.push(`given: ${place}: ${why}`);
    }
  }
  let resting = 0;
  for (const { name, asks } of criteria) {
    if (!asks) {
      problems.push(`"${name}" names no sentence of the instruction: give it asks="…"`);
      continue;
    }
    const missing = [...instructions].filter(([, text]) => !plain(text).includes(plain(asks)));
    for (const [variant] of missing.slice(0, 1)) {
      const what = `"${name}" rests on "${asks}"`;
      problems.push(`${what}, which the instruction of variant ${variant} does not say`);
    }
    resting += missing.length === 0 ? 1 : 0;
  }
  const leaks = trials.reduce((sum, { report }) => sum + report.leaks.length, 0);
  const summary = `${resting} of ${criteria.length} criteria rest on a sentence of the instruction, ${leaks} leaks found`;
  return finding("sealed", summary, problems, notes);
}

/** Blanks and line ends aside: an instruction is wrapped somewhere. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
