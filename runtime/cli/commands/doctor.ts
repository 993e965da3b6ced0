import type { Command } from "commander";
import { Fault, messageOf } from "../../base/fault.ts";
import { imageReferences } from "../../image/definitions.ts";
import { SANDBOX_IMAGES } from "../../image/sandbox-image.ts";
import { openDataFolder } from "../../store/data-folder.ts";
import { listTasks } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { dataPath } from "../data-path.ts";
import { EXIT } from "../exit-codes.ts";
import { openAnsweringEngine } from "../parts.ts";
import { examineSecurity } from "../security/doctor-security.ts";
import { imageChoice } from "../set-up/ensure-images.ts";
import { table } from "../terminal.ts";

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** Empty if there is nothing to do. */
  readonly remedy: string;
}

const HELP = `
Example:
  $ ./cloche.mjs doctor
  $ ./cloche.mjs doctor --security --profile strict

With --security a sandbox is made and looks around as an agent's program could: what it finds is held
against what its runtime and profile promise, property by property. Nothing else is examined then.

Exit codes: 0 all is well, 1 something is missing or weaker than promised.`;

export function addDoctor(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("what is found, what is missing, what to do")
    .option("--data <folder>", "the data folder to look at (or CLOCHE_DATA)")
    .option("--security", "probe a sandbox: what is promised, what was found, how it was checked")
    .option("--profile <name>", "with --security, of which profile (or CLOCHE_PROFILE)")
    .option("--runtime <name>", "with --security, on which OCI runtime (or CLOCHE_RUNTIME)")
    .option(
      "--json",
      "one JSON document on stdout: {ok, findings} or {ok, properties, warnings, …}",
    )
    .addHelpText("after", HELP)
    .action(async (options: CommonOptions & { readonly security?: boolean }) => {
      const look = options.security ? examineSecurity : examine;
      process.exitCode = await look(context, options);
    });
}

async function examine(context: Context, options: CommonOptions): Promise<number> {
  const findings = [
    nodeFinding(),
    ...(await engineFindings(context, options)),
    await attempt("data folder", "choose a folder that you may write with --data", async () => {
      return (await openDataFolder(dataPath(options.data, context.env))).path;
    }),
    await tasksFinding(context),
  ];
  const ok = findings.every((finding) => finding.ok);
  const { terminal } = context;
  if (options.json) terminal.out(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else terminal.out(report(findings, terminal.paint));
  return ok ? EXIT.graded : EXIT.notGraded;
}

function nodeFinding(): Finding {
  const ok = Number.parseInt(process.versions.node, 10) >= 24;
  return { what: "node", ok, found: process.version, remedy: ok ? "" : 'run "npm run setup"' };
}

async function engineFindings(context: Context, options: CommonOptions): Promise<Finding[]> {
  try {
    const { engine, report } = await openAnsweringEngine(context, options);
    await using _engine = engine;
    const found: Finding[] = [
      { what: "engine", ok: true, found: `${report.summary} at ${report.address}`, remedy: "" },
    ];
    for (const [name, reference] of Object.entries(imageReferences(imageChoice(context.env)))) {
      if (name === "base") continue;
      const held = (await engine.images.find(reference)) !== undefined;
      const remedy = held ? "" : "run ./cloche.mjs images build";
      const isOptional = SANDBOX_IMAGES.slice(1).some((image) => image === name);
      const missing = isOptional ? "missing; only tasks with its servers need it" : "missing";
      const what = `${name} image`;
      found.push({ what, ok: held || isOptional, found: held ? reference : missing, remedy });
    }
    return found;
  } catch (error) {
    const remedy = 'run "npm run setup": it starts or installs Docker where it may';
    return [{ what: "engine", ok: false, found: faultText(error), remedy }];
  }
}

async function tasksFinding({ root }: Context): Promise<Finding> {
  const { tasks, broken } = await listTasks(root);
  const found = `${tasks.length} sound, ${broken.length} broken`;
  const ok = broken.length === 0;
  return { what: "tasks", ok, found, remedy: ok ? "" : "run ./cloche.mjs task list" };
}

async function attempt(
  what: string,
  remedy: string,
  look: () => Promise<string>,
): Promise<Finding> {
  try {
    return { what, ok: true, found: await look(), remedy: "" };
  } catch (error) {
    return { what, ok: false, found: faultText(error), remedy };
  }
}

function faultText(error: unknown): string {
  return error instanceof Fault ? `${error.code}: ${error.message}` : messageOf(error);
}

function report(findings: readonly Finding[], paint: Context["terminal"]["paint"]): string {
  return table(
    findings.map(({ what, ok, found, remedy }) => [
      ok ? paint.green("ok") : paint.red("missing"),
      what,
      remedy ? `${found}; ${remedy}` : found,
    ]),
  );
}
