import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { messageOf } from "../../base/fault.ts";
import type { Bundle } from "../../store/bundle.ts";
import { regradeSchema } from "../../store/regrade-schema.ts";
import type { Verifier } from "../../store/signature.ts";
import { checkRegrade, verifyBundle } from "../../store/verify-bundle.ts";
import { describeDiff, diffSnapshots } from "../../workspace/diff.ts";
import { bundleFolder } from "../bundle-file.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { criteriaTable, rewardLines } from "../report.ts";
import { verifierOf } from "../signing.ts";
import { megabytes, plain } from "../terminal.ts";

const HELP = `
<bundle> is a path of a folder or of a .tar as the service gives it, or the beginning of a bundle's
or a rollout's id.

Example:
  $ ./cloche.mjs bundle show 3fa1

Exit codes: 0 sound, 2 no such bundle, or altered (the message names the part).`;

const VERIFY_HELP = `
<bundle> is a path of a folder or of a .tar as the service gives it, or the beginning of a bundle's
or a rollout's id. Without --public-key, hashes show that the parts fit together, but not who made
them: whoever rewrites a whole bundle can make every hash right again.

Examples:
  $ ./cloche.mjs bundle verify 3fa1
  $ ./cloche.mjs bundle verify bundle.tar --public-key signing.pem.pub --json
  $ ./cloche.mjs bundle verify 3fa1 --public-key signing.pem.pub --regrade regrade.json

Exit codes: 0 sound, 2 no such bundle, altered (the message names each file, step and criterion),
not signed, or signed by another key.`;

interface VerifyOptions extends CommonOptions {
  readonly publicKey?: string;
  readonly regrade?: string;
}

export function addBundle(program: Command, context: Context): void {
  const bundle = program.command("bundle").description("look at what a rollout left");
  bundle
    .command("show <bundle>")
    .description("what is in it: rollout, changes, criteria")
    .option("--json", "one JSON document on stdout")
    .option("--data <folder>", "where bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (text: string, options: CommonOptions) => {
      await using folder = await bundleFolder(text, context, options);
      showBundle(await verifyBundle(folder.path), context, options);
      process.exitCode = EXIT.graded;
    });
  bundle
    .command("verify <bundle>")
    .description("check every hash, the chain of steps, the grade and, with a key, the signature")
    .option("--public-key <file>", "who must have signed it: an ed25519 key in PEM")
    .option(
      "--regrade <file>",
      "also check this regrade, as `grade --signing-key --json` prints it",
    )
    .option("--json", "one JSON document on stdout")
    .option("--data <folder>", "where bundles live (or CLOCHE_DATA)")
    .addHelpText("after", VERIFY_HELP)
    .action(async (text: string, options: VerifyOptions) => {
      await verify(text, context, options);
      process.exitCode = EXIT.graded;
    });
}

export function showBundle(bundle: Bundle, { terminal }: Context, options: CommonOptions): void {
  const { manifest, grade } = bundle;
  const diff = bundle.after === null ? null : diffSnapshots(bundle.before, bundle.after);
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
      ...(diff ? describeDiff(diff) : ["not captured"]).map((line) => `  ${plain(line)}`),
      "",
    ].join("\n"),
  );
  if (grade) terminal.out(criteriaTable(grade.criteria, terminal.paint));
  if (grade?.reward) terminal.out(`${rewardLines(grade.reward, terminal.paint).join("\n")}\n`);
}

/** An altered one never gets further than `verifyBundle`. */
async function verify(text: string, context: Context, options: VerifyOptions): Promise<void> {
  const { out } = context.terminal;
  const verifier =
    options.publicKey === undefined ? undefined : await verifierOf(options.publicKey);
  await using folder = await bundleFolder(text, context, options);
  const bundle = await verifyBundle(folder.path, verifier);
  if (options.regrade !== undefined) await verifyRegrade(bundle, options.regrade, verifier);
  const { id, path, manifest, signature } = bundle;
  const state = verifier !== undefined ? "valid" : signature === null ? "absent" : "not checked";
  const document = { ok: true, id, path, parts: manifest.parts.length, steps: manifest.steps };
  if (options.json) {
    const signed = { state, key: signature?.key ?? null };
    out(`${JSON.stringify({ ...document, signature: signed }, null, 2)}\n`);
    return;
  }
  const size = megabytes(sizeOf(bundle));
  out(`sound: ${id}\n${document.parts} files, ${document.steps} steps in chain, ${size}\n`);
  out(`signature: ${SAID[state]}${signature ? ` (key ${signature.key.slice(0, 16)}…)` : ""}\n`);
}

const SAID = {
  valid: "valid",
  absent: "none; nobody vouches for it",
  "not checked": "there, but not checked: give --public-key",
} as const;

async function verifyRegrade(
  bundle: Bundle,
  path: string,
  verifier: Verifier | undefined,
): Promise<void> {
  if (verifier === undefined) {
    throw cliFault("bad-option", "--regrade says who vouches for a grade: give --public-key too");
  }
  let regrade: ReturnType<typeof regradeSchema.parse>;
  try {
    regrade = regradeSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    const message = `${path} is no signed regrade: ${messageOf(error)}`;
    throw cliFault("bad-key-file", message, { cause: error });
  }
  checkRegrade(bundle, regrade, verifier);
}

function sizeOf({ manifest }: Bundle): number {
  return manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
