import { rm } from "node:fs/promises";
import { Fault } from "../base/fault.ts";
import type { Sandbox } from "../engine/engine.ts";
import { McpProxy } from "../mcp/proxy/proxy.ts";
import type { Ending } from "../mcp/record/step.ts";
import { rolloutFolder } from "../store/data-folder.ts";
import type { RolloutRecord } from "../store/record.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { requireEgress } from "./egress/egress.ts";
import { evidenceIn, keepEvidence } from "./evidence.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "./parts.ts";
import { captureFinal, captureLate } from "./phases/capture.ts";
import { gradeIn, startGrader } from "./phases/grade.ts";
import { proxyOptions, serve } from "./phases/serve.ts";
import { store } from "./phases/store.ts";
import { keepPremises, premisesOf } from "./premises.ts";
import { RecordWriter, stage } from "./record-writer.ts";
import { failing, noted, type Run } from "./run.ts";
import { ColdSource, holdMsOf, needOf } from "./sandbox-source.ts";
/**
 * Runs one rollout to its record. Never rejects for the rollout's sake: what went wrong is
 * `record.fault`, what was not graded has no reward. Aborting `signal` cancels it; the record says
 * so and nothing is left behind. Rejects only if the record itself cannot be written.
 */
export async function runRollout(
  spec: RolloutSpec,
  parts: RolloutParts,
  signal: AbortSignal,
  watcher: RolloutWatcher = {},
): Promise<RolloutRecord> {
  const writer = await RecordWriter.begin(spec, parts, watcher);
  const evidence = evidenceIn(await rolloutFolder(parts.data, spec.id));
  const run: Run = { spec, parts, signal, watcher, writer, evidence, held: [] };
  return await conduct(run, () => live(run));
}

/**
 * Does the work of a rollout and brings it to its record, whatever happens. Never rejects for the
 * rollout's sake; rejects only if the record itself cannot be written. What is held of the engine
 * goes while the bundle is written, and is gone before the record says that the rollout has ended.
 */
export async function conduct(run: Run, work: () => Promise<void>): Promise<RolloutRecord> {
  const { spec, signal, writer, evidence } = run;
  try {
    await work();
  } catch (error) {
    if (error instanceof Fault) writer.fail(error);
    else if (signal.aborted) writer.cancel();
    else writer.fail(failing(spec.id, "the rollout")(error));
  }
  await captureLate(run);
  await Promise.all([letGo(run), store(run)]);
  const record = await writer.end();
  await rm(evidence.folder, { recursive: true, force: true });
  return record;
}

async function letGo(run: Run): Promise<void> {
  const failed = noted(run, "something could not be let go of");
  for (const one of run.held) await Promise.resolve(one[Symbol.asyncDispose]()).catch(failed);
}

/** From nothing to a grade. */
async function live(run: Run): Promise<void> {
  const { spec, parts, signal, writer, evidence } = run;
  const { id, task, prepared } = spec;
  requireEgress(task, parts);
  const { sandboxes = new ColdSource(parts.engine, ownerOf(parts)) } = parts;
  const claim = { rollout: id, holdMs: holdMsOf(task) };
  const taken = await stage(failing(id, "making the sandbox"), signal, () =>
    sandboxes.take(needOf(task, parts, prepared.hostNames), claim, signal),
  );
  run.held.push(taken);
  const { sandbox } = taken;
  run.sandbox = sandbox;
  writer.note({ identity: sandbox.identity, sandbox: sandbox.id });
  await stage(failing(id, "seeding"), signal, async () => {
    const keeping = premisesOf(spec).then((premises) => keepPremises(evidence.folder, premises));
    keeping.catch(() => {}); // It is looked at below, unless seeding fails first.
    await taken.seed(prepared, new BlobFolder(parts.data.blobs), signal);
    await taken.setClock(task.now, signal);
    await keeping;
  });
  if (taken.servers === undefined) await writer.reach("seeded");
  else writer.pass("seeded"); // It serves in a moment.

  const started = taken.servers ? { started: taken.servers } : {};
  const ending = await serve(run, sandbox, () =>
    McpProxy.open({ ...proxyOptions(run, sandbox), ...started }),
  );
  await reachFinished(run, ending);
  await judge(run, sandbox, ending);
}

/** The ending is known and the endpoint closed. */
export async function reachFinished({ writer, evidence }: Run, ending: Ending): Promise<void> {
  await keepEvidence(evidence);
  writer.note({ ending });
  await writer.reach("finished");
}

/**
 * From the ending to the grade. The grader's Python starts while the sandbox is stopped and read:
 * it waits for the whole capture and sees nothing before that. `mayBeStopped`: after a crash of ours
 * it may be that we had stopped the sandbox already.
 */
export async function judge(
  run: Run,
  sandbox: Sandbox,
  ending: Ending,
  { mayBeStopped } = { mayBeStopped: false },
): Promise<void> {
  const { signal, writer, evidence, held } = run;
  const { keeper } = sandbox;
  if (keeper === undefined) throw new TypeError("a rollout's sandbox has a keeper");
  // If the policy broke, evidence is kept and nothing is graded.
  const waiting = writer.record.fault === null ? startGrader(keeper, signal) : undefined;
  if (waiting !== undefined) held.push(waiting);
  await captureFinal(run, sandbox, ending, mayBeStopped);
  await keepEvidence(evidence);
  await writer.reach("captured");
  if (waiting !== undefined) await gradeIn(run, { box: keeper, waiting }, ending);
}

function ownerOf({ data, process }: RolloutParts) {
  return { owner: data.owner, process };
}
