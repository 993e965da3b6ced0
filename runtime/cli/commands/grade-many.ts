import { canonicalJson, type Json } from "../../base/canonical-json.ts";
import { asFault, faultRecord, messageOf } from "../../base/fault.ts";
import type { Grade } from "../../grading/grade.ts";
import { gradeBytes } from "../../grading/grade-run.ts";
import type { RegradeParts } from "../../rollout/regrade/regrade.ts";
import { Regrader } from "../../rollout/regrade/regrader.ts";
import type { Bundle } from "../../store/bundle.ts";
import { openBundle } from "../../store/bundle-reader.ts";
import type { DataFolder } from "../../store/data-folder.ts";
import { resolveBundle } from "../../store/resolve-bundle.ts";
import { type Signer, signRegrade } from "../../store/signature.ts";
import { requireSignature } from "../../store/verify-bundle.ts";
import { cliFault } from "../faults.ts";
import { asGradedHere, type OwnTerms } from "../foreign.ts";
import { errorLine, type Terminal } from "../terminal.ts";

export interface GradeManyOptions {
  readonly jobs: number;
  readonly json: boolean;
  readonly twice: boolean;
  readonly signer: Signer | undefined;
  readonly terms: OwnTerms;
}

interface Work extends GradeManyOptions {
  readonly data: DataFolder;
  readonly terminal: Terminal;
  /** The one for bundles as this. */
  readonly regraderOf: (bundle: Bundle) => Promise<Regrader>;
  readonly signal: AbortSignal;
}

/**
 * Grades bundles again in boxes that stay, a few for each task, and says a line of each as it ends.
 * Whether all were graded, with a reward, as the grade that they hold.
 */
export async function gradeMany(
  bundles: readonly string[],
  parts: RegradeParts,
  terminal: Terminal,
  options: GradeManyOptions,
  signal: AbortSignal,
): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const opened = new Map<string, Promise<Regrader>>();
  const regraderOf = (bundle: Bundle) => {
    const key = Regrader.keyOf(bundle);
    const opening =
      opened.get(key) ??
      Regrader.open(bundle, parts, options.jobs).then((regrader) => stack.use(regrader));
    opened.set(key, opening);
    return opening;
  };
  const told: Told[] = [];
  const work = { ...options, data: parts.data, terminal, regraderOf, signal };
  let areAllRight = true;
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < bundles.length; at = next++) {
      const { isRight, ...one } = await gradeOne(bundles[at] ?? "", work);
      told[at] = one;
      areAllRight &&= isRight;
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, bundles.length) }, worker));
  if (options.json) terminal.out(`${canonicalJson(documentOf(told))}\n`);
  return areAllRight;
}

/** What came of one bundle: what was said of its grade, or why there is none. */
type Told = { readonly said: Json } | { readonly failed: Json };

/** In the order in which the bundles were named. */
function documentOf(told: readonly Told[]): Json {
  return {
    grades: told.flatMap((one) => ("said" in one ? [one.said] : [])),
    failed: told.flatMap((one) => ("failed" in one ? [one.failed] : [])),
  };
}

async function gradeOne(text: string, work: Work): Promise<Told & { readonly isRight: boolean }> {
  const { terminal, signal } = work;
  try {
    const opened = await openBundle(await resolveBundle(work.data, text));
    if (work.signer) await requireSignature(opened, work.signer);
    const bundle = await asGradedHere(opened, work.terms);
    const regrader = await work.regraderOf(bundle);
    const grade = await regrader.grade(bundle, signal);
    const again = work.twice ? await regrader.grade(bundle, signal) : grade;
    const wrong = wrongWith(bundle, grade, again);
    if (!work.json) terminal.out(textLine(bundle, grade, wrong));
    else if (wrong !== undefined) terminal.err(`${bundle.id}: ${wrong}\n`);
    const isRight = wrong === undefined && grade.reward !== null;
    return { said: saidOf(bundle, grade, work.signer), isRight };
  } catch (error) {
    signal.throwIfAborted();
    const fault = asFault(error, (cause) => cliFault("unexpected", messageOf(cause), { cause }));
    const message = `${text} was not graded: ${fault.message}`;
    terminal.err(errorLine({ code: fault.code, message }, terminal.paint));
    return { failed: { bundle: text, fault: asJson(faultRecord(fault)) }, isRight: false };
  }
}

function wrongWith({ grade: recorded }: Bundle, grade: Grade, again: Grade): string | undefined {
  if (recorded && !gradeBytes(recorded).equals(gradeBytes(grade))) {
    const { image } = recorded.grader;
    const why = image === grade.grader.image ? "" : `: it was made by grader image ${image}`;
    return `not the grade that the bundle holds${why}`;
  }
  return gradeBytes(grade).equals(gradeBytes(again))
    ? undefined
    : "graded again it has other bytes";
}

function saidOf(bundle: Bundle, grade: Grade, signer: Signer | undefined): Json {
  return asJson(signer ? signRegrade(bundle.id, grade, signer) : { bundle: bundle.id, grade });
}

function asJson(value: unknown): Json {
  return JSON.parse(canonicalJson(value)) as Json;
}

function textLine({ id, manifest }: Bundle, { reward }: Grade, wrong: string | undefined): string {
  const earned = reward
    ? `sparse ${reward.sparse}  dense ${reward.dense.toFixed(2)}`
    : "reward null";
  const { task, variant } = manifest;
  return `${id.slice(0, 12)}  ${task.id}#${variant}  ${earned}${wrong ? `  ${wrong}` : ""}\n`;
}
