import { McpProxy } from "../mcp/proxy/proxy.ts";
import { rolloutFolder } from "../store/data-folder.ts";
import type { RolloutRecord } from "../store/record.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { conduct, failing, judge, type Run, reachFinished } from "./conduct.ts";
import { requireEgress } from "./egress/egress.ts";
import { serversOf } from "./egress/egress-servers.ts";
import { evidenceIn } from "./evidence.ts";
import { imagesFor, type RolloutParts, type RolloutSpec, type RolloutWatcher } from "./parts.ts";
import { keepPremises, premisesOf } from "./premises.ts";
import { RecordWriter, stage } from "./record-writer.ts";
import { ColdSource, type SandboxNeed } from "./sandbox-source.ts";
import { proxyOptions, serve } from "./serve.ts";

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

/** What a rollout of this task needs of a sandbox; `hostNames` are its variant's. */
export function needOf(
  task: RolloutSpec["task"],
  { images }: Pick<RolloutParts, "images">,
  hostNames: readonly string[] = [],
): SandboxNeed {
  const { limits, egress } = task;
  const servers = serversOf(task, hostNames);
  const need = { images: imagesFor(servers, images), limits, servers, hostNames };
  return egress.length > 0 ? { ...need, hasEgress: true } : need;
}

const SLACK_MS = 15 * 60_000;

/** Past this the reaper may take a sandbox whatever its process says: budget, grading and slack. */
export function holdMsOf({ budget, graderTimeoutMs }: RolloutSpec["task"]): number {
  return budget.wallMs + graderTimeoutMs + SLACK_MS;
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

function ownerOf({ data, process }: RolloutParts) {
  return { owner: data.owner, process };
}
