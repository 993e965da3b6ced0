import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { Step } from "../../mcp/record/step.ts";
import { STEPS } from "../../store/bundle-layout.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { readSteps } from "../../store/step-lines.ts";
import { verifyBundle } from "../../store/verify-bundle.ts";
import { bundleFolder } from "../bundle-file.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { openRecords, type Records } from "../parts.ts";
import { rolloutDocument, rolloutReport, stepLine } from "../report.ts";
import { plain } from "../terminal.ts";
import { showBundle } from "./bundle.ts";

const HELP = `
<what> is the id of a rollout or of its bundle, or its first letters; or the path of a bundle, a folder
or a .tar as the service gives it. Of a rollout the record, the steps and the criteria are shown; of a
bundle that no record here names, what is in it.

Examples:
  $ ./cloche.mjs show r1k7q
  $ ./cloche.mjs show 3fa1 --json

Exit codes: 0 shown, 2 nothing of that name, or several (the message names them), or altered.`;

const SHOWN = 10;

/** `cloche show`. */
export function addShow(program: Command, context: Context): void {
  program
    .command("show <what>")
    .description("one rollout, by its id or bundle: record, steps, criteria")
    .option("--json", "one JSON document on stdout")
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (text: string, options: CommonOptions) => {
      const record = await recordOf(text, context, options);
      if (record === undefined) {
        await using folder = await bundleFolder(text, context, options);
        showBundle(await verifyBundle(folder.path), context, options);
      } else await show(record, context, options);
      process.exitCode = EXIT.graded;
    });
}

/** Undefined: no record's, so perhaps a bundle. Rejects with `cli/ambiguous-id`. */
async function recordOf(
  text: string,
  context: Context,
  options: CommonOptions,
): Promise<RolloutRecord | undefined> {
  if (/[^0-9a-z-]/.test(text) || (await isThere(text))) return undefined;
  await using opened: Records = await openRecords(context, options);
  const found = text === "" ? [] : await opened.records.withPrefix(text, SHOWN + 1);
  const [first, ...others] = found;
  if (others.length === 0) return first;
  const ids = found.slice(0, SHOWN).map(({ id, bundle }) => {
    return id.startsWith(text) ? id : `${id} (bundle ${bundle?.slice(0, 16)})`;
  });
  const more = found.length > SHOWN ? " and others" : "";
  const message = `"${plain(text)}" fits several rollouts, ${ids.join(", ")}${more}`;
  throw cliFault("ambiguous-id", `${message}: give more letters`);
}

async function show(
  record: RolloutRecord,
  context: Context,
  options: CommonOptions,
): Promise<void> {
  const { terminal } = context;
  await using opened = await openRecords(context, options);
  const { bundles } = opened.data;
  const steps: Step[] = [];
  if (record.bundle !== null) {
    for await (const step of readSteps(join(bundles, record.bundle, STEPS))) steps.push(step);
  }
  if (options.json) {
    terminal.out(`${JSON.stringify(rolloutDocument(record, steps, bundles), null, 2)}\n`);
    return;
  }
  const { id, task, variant, split, policy, phase, requestedAt } = record;
  const about = [
    `rollout ${id}, requested ${requestedAt}, ${record.outcome === null ? phase : "ended"}`,
    `task    ${plain(task.id)}, variant ${variant}${split ? ` (${split})` : ""}, played by ${plain(policy)}`,
  ];
  terminal.out(`${about.join("\n")}\n`);
  for (const step of steps) terminal.out(stepLine(step, terminal.paint));
  terminal.out(rolloutReport(record, bundles, terminal.paint));
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
