import type { Command } from "commander";
import { sealFixture, verifyFixture } from "../../task/fixture-manifest.ts";
import { findFixture, findSet, fixtureNames, layOut } from "../../task/fixture-set.ts";
import type { FixtureSet } from "../../task/task.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { megabytes, table } from "../terminal.ts";

const HELP = `
A set is fixtures/<set>/ with workspace/, state/<server>/ and manifest.json in it. It names every file
with its size and hash; a task that uses the set is refused if they do not fit.

Examples:
  $ ./cloche.mjs fixture check
  $ ./cloche.mjs fixture seal alder-supplies --description "A company of twelve"

Exit codes: 0 all is as the manifests say, 2 something is not (the message names the file).`;

interface SealOptions extends CommonOptions {
  readonly description?: string;
}

export function addFixture(program: Command, context: Context): void {
  const fixture = program.command("fixture").description("look at what tasks begin with");
  fixture
    .command("check [set]")
    .description("hold one set, or all, against the manifest")
    .option(...ROOT)
    .option("--json", "one JSON document {sets} on stdout")
    .addHelpText("after", HELP)
    .action(async (set: string | undefined, options: CommonOptions) => {
      await check(context, set, options);
      process.exitCode = EXIT.graded;
    });
  fixture
    .command("seal <set>")
    .description("write the manifest that a set's files make")
    .option(...ROOT)
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
  const sets = [];
  for (const set of await wantedSets(await taskRoots(context, options), name)) {
    const { description, files } = await verifyFixture(set, await layOut(set));
    const bytes = files.reduce((sum, file) => sum + ("bytes" in file ? file.bytes : 0), 0);
    sets.push({ name: set.name, description, files: files.length, bytes });
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

async function wantedSets(
  roots: readonly string[],
  name: string | undefined,
): Promise<readonly FixtureSet[]> {
  if (name !== undefined) return [await findSet(roots, name)];
  const sets = roots.map(async (root) => {
    const names = await fixtureNames(root);
    return await Promise.all(names.map((one) => findFixture(root, one, "the set found")));
  });
  return (await Promise.all(sets)).flat();
}

async function seal(
  context: Context,
  name: string,
  { description, ...options }: SealOptions,
): Promise<void> {
  const set = await findSet(await taskRoots(context, options), name);
  const { files } = await sealFixture(set, await layOut(set), description);
  context.terminal.out(`sealed ${name}: ${files.length} files\n`);
}
