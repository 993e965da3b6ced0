import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { processIdentity } from "../../base/process-identity.ts";
import { type Reaped, reap } from "../../rollout/reaper.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { openAnsweringEngine, openRecords } from "../parts.ts";
import { signerOf } from "../signing.ts";
import { plainLines } from "../terminal.ts";

interface ReapOptions extends CommonOptions {
  readonly waitFor?: string;
  readonly waiting?: boolean;
}

const HELP = `
Removes only what carries this data folder's owner id and whose process is dead, or whose time has
expired. Rollouts that died with their process get their record: infra_error, no reward; from when on an
agent could call a tool, with a bundle of what is there. Those that a service had accepted and not begun are left to its next start, unless --waiting ends them too.

Examples:
  $ ./cloche.mjs reap
  $ ./cloche.mjs reap --waiting

Exit codes: 0 nothing of ours is left, 1 something could not be removed, 2 nothing could start.`;

export function addReap(program: Command, context: Context): void {
  program
    .command("reap")
    .description("remove what processes that died have left in the engine")
    .option("--data <folder>", "the data folder whose leavings to remove (or CLOCHE_DATA)")
    .option("--waiting", "also end rollouts that wait for a service's next start")
    .option("--json", "one JSON document {removed, living, failed, ended, waiting} on stdout")
    .option("--wait-for <pid>", "begin when this process has ended (10 s at most)")
    .addHelpText("after", HELP)
    .action(async (options: ReapOptions) => {
      if (options.waitFor !== undefined) await gone(Number(options.waitFor));
      process.exitCode = await runReap(context, options);
    });
}

async function runReap(context: Context, options: ReapOptions): Promise<number> {
  await using records = await openRecords(context, options);
  const { engine } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  const signer = await signerOf(undefined, context.env);
  const world = { clock: systemClock, log: silentLog, process: processIdentity() };
  const parts = signer ? { ...world, signer } : world;
  const signal = AbortSignal.timeout(300_000);
  const endWaiting = options.waiting === true;
  const reaped = await reap({ ...records, ...parts, engine }, signal, { endWaiting });
  const { terminal } = context;
  if (options.json) terminal.out(`${JSON.stringify(reaped, null, 2)}\n`);
  else terminal.out(report(reaped));
  return reaped.failed.length === 0 ? EXIT.graded : EXIT.notGraded;
}

function report({ removed, living, failed, ended, waiting }: Reaped): string {
  const lines = [
    ...removed.map(({ id, parts }) => `removed  ${id}: ${parts.join(", ")}`),
    ...ended.map((id) => `ended    rollout ${id}: infra_error, its process had died`),
    ...waiting.map((id) => `waits    rollout ${id}: the next start of its service runs it`),
    ...living.map(({ id, pid }) => `alive    ${id}: its process ${pid} lives and will end it`),
    ...failed.map(({ id, message }) => `failed   ${id}: ${plainLines(message)}`),
  ];
  return `${lines.length > 0 ? lines.join("\n") : "nothing was left behind"}\n`;
}

async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < 10_000 && lives(pid); waited += 100) await sleep(100);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
