import type { Command } from "commander";
import { sealFixture, verifyFixture } from "../../task/fixture-manifest.ts";
import { findFixture, fixtureNames, layOut } from "../../task/fixture-set.ts";
import { type CommonOptions, type Context, tasksRoot } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { megabytes, table } from "../terminal.ts";

const HELP = `
A set is fixtures/<set>/ with workspace/, state/<server>/ and manifest.json in it. It names every file
with its size and hash; a task that uses the set is refused if they do not fit.

Examples:
  $ npx cloche fixture check
  $ npx cloche fixture seal alder-supplies --description "A company of twelve"

Exit codes: 0 all is as the manifests say, 2 something is not (the message names the file).`;

interface SealOptions extends CommonOptions {
  readonly description?: string;
}

export function addFixture(program: Command, context: Context): void {
  const fixture = program.command("fixture").description("look at what tasks begin with");
  fixture
    .command("check [set]")
    .description("hold one set, or all, against the manifest")
    .option("--root <folder>", "where tasks/ and fixtures/ lie (default: this repository)")
    .option("--json", "one JSON document {sets} on stdout")
    .addHelpText("after", HELP)
    .action(async (set: string | undefined, options: CommonOptions) => {
      await check(context, set, options);
      process.exitCode = EXIT.graded;
    });
  fixture
    .command("seal <set>")
    .description("write the manifest that a set's files make")
    .option("--root <folder>", "where tasks/ and fixtures/ lie (default: this repository)")
    .option("--description <text>", "what the set is for (default: what it said before)")
    .addHelpText("after", HELP)
    .action(async (set: string, options: SealOptions) => {
      await seal(context, set, options);
      process.exitCode = EXIT.graded;
    });
}

async function check(
  context: Context,
  name: string | undefined,
  options: CommonOptions,
): Promise<void> {
  const root = tasksRoot(context, options);
  const names = name === undefined ? await fixtureNames(root) : [name];
  const sets = [];
  for (const one of names) {
    const set = await findFixture(root, one, "the set that was asked for");
    const { description, files } = await verifyFixture(set, await layOut(set));
    const bytes = files.reduce((sum, file) => sum + ("bytes" in file ? file.bytes : 0), 0);
    sets.push({ name: one, description, files: files.length, bytes });
  }
  const { terminal } = context;
  if (options.json) {
    terminal.out(`${JSON.stringify({ sets }, null, 2)}\n`);
    return;
  }
  const rows = sets.map((set) => [
    ...[set.name, String(set.files), megabytes(set.bytes), set.description],
  ]);
  terminal.out(table([["set", "files", "size", "what it is for"], ...rows]));
}

async function seal(
  context: Context,
  name: string,
  { description, ...options }: SealOptions,
): Promise<void> {
  const root = tasksRoot(context, options);
  const set = await findFixture(root, name, "the set that was asked for");
  const { files } = await sealFixture(set, await layOut(set), description);
  context.terminal.out(`sealed ${name}: ${files.length} files\n`);
}
