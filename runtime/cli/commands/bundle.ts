import type { Command } from "commander";
import type { Bundle } from "../../store/bundle.ts";
import { openBundle } from "../../store/bundle-reader.ts";
import { resolveBundle } from "../../store/resolve-bundle.ts";
import { describeDiff, diffSnapshots } from "../../workspace/diff.ts";
import { type CommonOptions, type Context, openRecords } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { criteriaTable, rewardLines } from "../report.ts";
import { megabytes, plain } from "../terminal.ts";

const HELP = `
<bundle> is a path, or the beginning of a bundle's or a rollout's id.

Example:
  $ npx cloche bundle show 3fa1

Exit codes: 0 sound, 2 no such bundle, or altered (the message names the part).`;

type Verb = (bundle: Bundle, context: Context, options: CommonOptions) => void;

export function addBundle(program: Command, context: Context): void {
  const bundle = program.command("bundle").description("look at what a rollout left");
  const verb = (name: string, description: string, work: Verb) =>
    bundle
      .command(`${name} <bundle>`)
      .description(description)
      .option("--json", "one JSON document on stdout")
      .option("--data <folder>", "where bundles live (or CLOCHE_DATA)")
      .addHelpText("after", HELP)
      .action(async (text: string, options: CommonOptions) => {
        await using records = await openRecords(context, options);
        work(await openBundle(await resolveBundle(records.data, text)), context, options);
        process.exitCode = EXIT.graded;
      });
  verb("show", "what is in it: rollout, changes, criteria", show);
  verb("verify", "check every hash, the chain of steps and the grade", verify);
}

function show(bundle: Bundle, { terminal }: Context, options: CommonOptions): void {
  const { manifest, grade } = bundle;
  const diff = diffSnapshots(bundle.before, bundle.after);
  if (options.json) {
    const document = { id: bundle.id, path: bundle.path, manifest, diff, grade };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
    return;
  }
  const { rollout, task, variant, policy, outcome, ending, steps, requestedAt } = manifest;
  terminal.out(
    [
      `bundle   ${bundle.id}`,
      `rollout  ${rollout}, ${requestedAt}`,
      `task     ${task.id}, variant ${variant}, played by ${policy}`,
      `outcome  ${outcome}${ending ? ` (${ending.kind} after ${steps} calls)` : ""}`,
      `files    ${manifest.parts.length}, ${megabytes(sizeOf(bundle))}`,
      "changes",
      ...describeDiff(diff).map((line) => `  ${plain(line)}`),
      "",
    ].join("\n"),
  );
  if (grade) terminal.out(criteriaTable(grade.criteria, terminal.paint));
  if (grade?.reward) terminal.out(`${rewardLines(grade.reward, terminal.paint).join("\n")}\n`);
}

/** `openBundle` has verified all of it by now; an altered one never gets here. */
function verify(bundle: Bundle, { terminal }: Context, options: CommonOptions): void {
  const { id, path, manifest } = bundle;
  const document = { ok: true, id, path, parts: manifest.parts.length, steps: manifest.steps };
  if (options.json) terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  else {
    const checked = `${document.parts} files, ${document.steps} steps in chain, ${megabytes(sizeOf(bundle))}`;
    terminal.out(`sound: ${id}\n${checked}\n`);
  }
}

function sizeOf({ manifest }: Bundle): number {
  return manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
