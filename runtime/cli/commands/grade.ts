import type { Command } from "commander";
import { canonicalJson } from "../../base/canonical-json.ts";
import { systemClock } from "../../base/clock.ts";
import { processIdentity } from "../../base/process-identity.ts";
import type { Grade } from "../../grading/grade.ts";
import { gradeBytes } from "../../grading/grade-run.ts";
import { type RegradeParts, regrade } from "../../rollout/regrade/regrade.ts";
import type { Bundle } from "../../store/bundle.ts";
import { openBundle } from "../../store/bundle-reader.ts";
import { resolveBundle } from "../../store/resolve-bundle.ts";
import { type Signer, signRegrade } from "../../store/signature.ts";
import { requireSignature } from "../../store/verify-bundle.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { asGradedHere } from "../foreign.ts";
import { onInterrupt } from "../interrupts.ts";
import { openAnsweringEngine, openImages, openRecords } from "../parts.ts";
import { criteriaTable, rewardLines } from "../report.ts";
import { signerOf } from "../signing.ts";
import { whole } from "../whole.ts";
import { gradeMany } from "./grade-many.ts";

const HELP = `
<bundle> is a path, or the beginning of a bundle's or a rollout's id. The bundle holds all that is
needed: neither the task's folder nor its sandbox is. It is verified first. With --signing-key it must
be signed by that key itself: a grade of a bundle that somebody made up is not signed.

A bundle that does not lie in the data folder is from elsewhere: it is graded in an image of this
machine's own and within limits of ours, whatever it names, unless you say --as-recorded.

One bundle is graded in a fresh box. Several are graded in boxes that stay, --jobs of them for each
task, where each has a process of its own: the same grades, byte for byte, in far less time. Each says
one line as it ends; with --json there is one document of all, {grades: [{bundle, grade}], failed}.

Examples:
  $ ./cloche.mjs grade ~/.local/share/cloche/bundles/3fa1… --json
  $ ./cloche.mjs grade ~/.local/share/cloche/bundles/* --json > grades.json

Exit codes: 0 graded, and equal to the recorded grade if there is one; 1 not graded, or another
grade than recorded, or one of several was not there or altered; 2 no such bundle, or altered.`;

export function addGrade(program: Command, context: Context): void {
  program
    .command("grade <bundle...>")
    .description("grade stored bundles again")
    .option("--jobs <n>", "of several bundles, how many at once", whole, 2)
    .option("--twice", "grade it two times and compare the bytes")
    .option(
      "--json",
      "the grade as canonical JSON on stdout, byte-equal each time; of several {grades, failed}",
    )
    .option("--signing-key <file>", "with --json: {bundle, grade, schema, signature} instead")
    .option("--as-recorded", "a bundle from elsewhere: in the image and with the limits it names")
    .option("--data <folder>", "where bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (bundles: string[], options: GradeOptions) => {
      process.exitCode = await grade(context, bundles, options);
    });
}

interface GradeOptions extends CommonOptions {
  readonly twice?: boolean;
  readonly jobs: number;
  readonly asRecorded?: boolean;
}

async function grade(
  context: Context,
  [text = "", ...others]: readonly string[],
  options: GradeOptions,
): Promise<number> {
  const { terminal } = context;
  await using records = await openRecords(context, options);
  const { data } = records;
  const first = others.length > 0 ? undefined : await openBundle(await resolveBundle(data, text));
  const { engine: opened } = await openAnsweringEngine(context, options);
  await using _engine = opened;
  const { engine, images } = await openImages(opened, context, options);
  const graderImage = images.grader;
  const parts = { engine, graderImage, images, clock: systemClock, process: processIdentity() };
  const signer = await signerOf(options.signingKey, {});
  const signal = onInterrupt(terminal, data.path);
  const { jobs, json = false, twice = false, asRecorded = false } = options;
  if (first) {
    const bundle = await asGradedHere(first, { data, images, asRecorded });
    return await gradeOne(bundle, { ...parts, data }, context, { ...options, signer, signal });
  }
  const how = { jobs, json, twice, signer, terms: { data, images, asRecorded } };
  const areRight = await gradeMany([text, ...others], { ...parts, data }, terminal, how, signal);
  return areRight ? EXIT.graded : EXIT.notGraded;
}

interface One extends GradeOptions {
  readonly signer: Signer | undefined;
  readonly signal: AbortSignal;
}

async function gradeOne(
  bundle: Bundle,
  parts: RegradeParts,
  context: Context,
  { signer, signal, ...options }: One,
): Promise<number> {
  const { terminal } = context;
  if (signer) await requireSignature(bundle, signer);
  const gradeOnce = () => regrade(bundle, parts, signal);
  const again = await gradeOnce();
  if (options.json && signer) {
    terminal.out(`${canonicalJson(signRegrade(bundle.id, again, signer))}\n`);
  } else if (options.json) terminal.out(gradeBytes(again).toString("utf8"));
  else terminal.out(gradeText(again, context));
  if (bundle.grade && !gradeBytes(bundle.grade).equals(gradeBytes(again))) {
    const recorded = bundle.grade.grader.image;
    const why = recorded === parts.graderImage ? "" : `: it was made by grader image ${recorded}`;
    terminal.err(`this is not the grade that the bundle holds${why}\n`);
    return EXIT.notGraded;
  }
  if (options.twice && !gradeBytes(await gradeOnce()).equals(gradeBytes(again))) {
    terminal.err("graded again it has other bytes: grader.py goes by more than the bundle\n");
    return EXIT.notGraded;
  }
  return again.reward === null ? EXIT.notGraded : EXIT.graded;
}

function gradeText(grade: Grade, { terminal }: Context): string {
  const { reward } = grade;
  const rewards = reward
    ? `${rewardLines(reward, terminal.paint).join("\n")}\n`
    : "reward  null (a criterion raised)\n";
  return `${criteriaTable(grade.criteria, terminal.paint)}${rewards}`;
}
