import { namedId } from "../base/id.ts";
import type { FoundSandbox, Sandbox } from "../engine/engine.ts";
import { McpProxy } from "../mcp/proxy/proxy.ts";
import type { Ending } from "../mcp/record/step.ts";
import { rolloutFolder } from "../store/data-folder.ts";
import type { RolloutRecord } from "../store/record.ts";
import { recallEvidence } from "./evidence.ts";
import { rolloutFault } from "./faults.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "./parts.ts";
import { gradeIn } from "./phases/grade.ts";
import { proxyOptions, serve } from "./phases/serve.ts";
import { RecordWriter, stage } from "./record-writer.ts";
import { failing, type Run } from "./run.ts";
import { conduct, judge, reachFinished } from "./run-rollout.ts";
import { holdMsOf } from "./sandbox-source.ts";
import { graderSpec } from "./sandbox-spec.ts";

/**
 * Brings a rollout to its end whose process died, as far as there is something left of it. `record`
 * is what that process wrote last, `found` its sandbox on the engine, if it is there; `spec` is as
 * it was (same id, task, variant), with the policy of now.
 *
 * | died in phase | what happens |
 * |---|---|
 * | `serving` | servers are started anew, the endpoint opens again under the same token; what is left of the wall budget goes on |
 * | `finished` | captured and graded as it stands |
 * | `captured` | graded, in a new box if its own is gone |
 * | `graded` | stored |
 * | else, or if what it needs is gone | `infra_error`, `rollout/interrupted` |
 *
 * A rollout that never served is better run again from the start: nothing of it was seen by anyone.
 * Never rejects for the rollout's sake. Its sandbox is gone afterwards, also one that is not needed.
 */
export async function resumeRollout(
  record: RolloutRecord,
  found: FoundSandbox | undefined,
  spec: RolloutSpec,
  parts: RolloutParts,
  signal: AbortSignal,
  watcher: RolloutWatcher = {},
): Promise<RolloutRecord> {
  const writer = await RecordWriter.resume(record, parts, watcher);
  const evidence = await recallEvidence(await rolloutFolder(parts.data, spec.id));
  const run: Run = { spec, parts, signal, watcher, writer, evidence, held: [] };
  return await conduct(run, () => goOn(run, record, found));
}

async function goOn(run: Run, record: RolloutRecord, found: FoundSandbox | undefined) {
  const sandbox = await takeOver(run, found);
  if (sandbox !== undefined) {
    run.held.push(sandbox);
    run.sandbox = sandbox;
  }
  const { phase, ending } = record;
  if (ending?.kind === "cancelled" || phase === "graded") return;
  if (phase === "serving") await fromServing(run, wanted(record, sandbox));
  else if (phase === "finished" && ending !== null) {
    await judge(run, wanted(record, sandbox), ending, { mayBeStopped: true });
  } else if (phase === "captured" && ending !== null) await fromCaptured(run, sandbox, ending);
  else wanted(record, undefined);
}

/** What cannot be taken over is removed. */
async function takeOver(
  { spec, parts, signal }: Run,
  found: FoundSandbox | undefined,
): Promise<Sandbox | undefined> {
  if (found === undefined) return undefined;
  const { engine } = parts;
  return await stage(failing(spec.id, "taking over the sandbox"), signal, async () => {
    const sandbox = await engine.attach(found, { signal });
    if (sandbox === undefined) await engine.remove(found, { signal });
    return sandbox;
  });
}

function wanted(record: RolloutRecord, sandbox: Sandbox | undefined): Sandbox {
  if (sandbox !== undefined) return sandbox;
  const died = `the process that conducted rollout ${record.id} died in phase ${record.phase}`;
  throw rolloutFault("interrupted", `${died} and nothing is left to go on with; run it again`);
}

async function fromServing(run: Run, sandbox: Sandbox): Promise<void> {
  const { running, outOfMemory } = await sandbox.state();
  const ending: Ending = running
    ? await serve(run, sandbox, async () => await reopened(run, sandbox))
    : { kind: "sandbox_died", outOfMemory };
  await reachFinished(run, ending);
  await judge(run, sandbox, ending);
}

/** The steps are counted anew from what is on the disk. */
async function reopened(run: Run, sandbox: Sandbox): Promise<McpProxy> {
  const { spec, writer } = run;
  const options = proxyOptions(run, sandbox);
  const budget = { ...spec.task.budget, wallMs: wallLeftMs(run) };
  const proxy = await McpProxy.resume({ ...options, budget });
  writer.note({ steps: proxy.stepCount });
  return proxy;
}

/** The wall budget ends when callers were told that it would, however long nobody was there. */
function wallLeftMs({ spec, parts, writer }: Run): number {
  const { requestedAt, reachedMs } = writer.record;
  const servedMs = Date.parse(requestedAt) + (reachedMs.serving ?? 0);
  return Math.max(1, servedMs + spec.task.budget.wallMs - parts.clock.now().getTime());
}

async function fromCaptured(run: Run, sandbox: Sandbox | undefined, ending: Ending): Promise<void> {
  const { spec, parts, signal, writer } = run;
  if (writer.record.fault !== null) return;
  if (run.evidence.after === undefined) {
    await judge(run, wanted(writer.record, sandbox), ending);
    return;
  }
  if (sandbox?.keeper !== undefined) {
    await gradeIn(run, { box: sandbox.keeper }, ending);
    return;
  }
  const expires = new Date(parts.clock.now().getTime() + holdMsOf(spec.task));
  const labels = { owner: parts.data.owner, rollout: spec.id, process: parts.process, expires };
  const box = graderSpec(namedId("grade"), parts.images.grader, spec.task.limits, labels);
  await using fresh = await stage(failing(spec.id, "making a box to grade in"), signal, () =>
    parts.engine.create(box, { signal }),
  );
  await gradeIn(run, { box: fresh }, ending);
}
