import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../base/deadline.ts";
import { Fault, messageOf } from "../base/fault.ts";
import { secret } from "../base/id.ts";
import type { Sandbox } from "../engine/engine.ts";
import { McpProxy } from "../mcp/proxy.ts";
import type { Ending } from "../mcp/step.ts";
import { rolloutFolder } from "../store/data-folder.ts";
import type { RolloutRecord } from "../store/record.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { captureWorkspace, seedWorkspace } from "../workspace/seed.ts";
import { type Evidence, gradeEvidence, storeEvidence } from "./evidence.ts";
import { rolloutFault } from "./faults.ts";
import { Life, stage } from "./life.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "./parts.ts";
import { sandboxSpec } from "./sandbox-spec.ts";

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
  const life = await Life.begin(spec, parts, watcher);
  const folder = await rolloutFolder(parts.data, spec.id);
  const evidence: Evidence = { folder, blobs: new BlobFolder(join(folder, "blobs")) };
  try {
    await live({ spec, parts, signal, watcher, life, evidence });
  } catch (error) {
    if (error instanceof Fault) life.fail(error);
    else if (signal.aborted) life.cancel();
    else
      life.fail(
        rolloutFault("sandbox-failed", `rollout ${spec.id} failed: ${messageOf(error)}`, {
          cause: error,
        }),
      );
  }
  try {
    const record = { ...life.record, outcome: life.outcome };
    life.note({ bundle: await storeEvidence(spec, parts, record, evidence) });
  } catch (error) {
    life.fail(
      error instanceof Fault
        ? error
        : rolloutFault(
            "storing-failed",
            `the bundle of ${spec.id} was not written: ${messageOf(error)}`,
            {
              cause: error,
            },
          ),
    );
  }
  const record = await life.end();
  await rm(folder, { recursive: true, force: true });
  return record;
}

const GRACE_MS = 1_000;

interface Run {
  readonly spec: RolloutSpec;
  readonly parts: RolloutParts;
  readonly signal: AbortSignal;
  readonly watcher: RolloutWatcher;
  readonly life: Life;
  readonly evidence: Evidence;
}

/** From nothing to a grade. The sandbox is gone when this returns or throws. */
async function live(run: Run): Promise<void> {
  const { spec, parts, signal, life, evidence } = run;
  const failed = (what: string) => (cause: unknown) =>
    rolloutFault("sandbox-failed", `rollout ${spec.id}: ${what} failed: ${messageOf(cause)}`, {
      cause,
    });
  await using sandbox = await stage(failed("making the sandbox"), signal, () =>
    parts.engine.create(sandboxSpec(spec, parts), { signal }),
  );
  life.note({ identity: sandbox.identity });
  await stage(failed("seeding"), signal, () => seed(run, sandbox));
  await life.reach("seeded");

  const ending = await serve(run, sandbox);
  life.note({ ending });
  await life.reach("finished");

  await stage(failed("the capture"), signal, () => capture(run, sandbox, ending));
  await life.reach("captured");
  if (life.record.fault !== null) return; // The policy broke: evidence is kept, nothing is graded.

  const grade = await stage(
    (cause) =>
      rolloutFault("grading-failed", `rollout ${spec.id}: grading failed: ${messageOf(cause)}`, {
        cause,
      }),
    signal,
    () => gradeEvidence(spec, parts, sandbox, ending, evidence, signal),
  );
  life.note({ criteria: grade.criteria, reward: grade.reward });
  if (grade.reward === null) life.fail(raisedFault(spec.id, grade.criteria));
  await life.reach("graded");
}

async function seed({ spec, parts, signal }: Run, sandbox: Sandbox): Promise<void> {
  const blobs = new BlobFolder(parts.data.blobs);
  await seedWorkspace(sandbox, spec.prepared.fixture, blobs, { path: "/workspace", signal });
}

/** Opens the rollout's endpoint, lets the policy play, and closes it again. */
async function serve(run: Run, sandbox: Sandbox): Promise<Ending> {
  const { spec, parts, signal, watcher, life, evidence } = run;
  await using proxy = await McpProxy.open({
    rolloutId: spec.id,
    box: sandbox,
    servers: spec.task.servers,
    budget: spec.task.budget,
    folder: evidence.folder,
    clock: parts.clock,
    log: parts.log,
    signal,
    onStep: (step) => {
      life.note({ steps: life.record.steps + 1 });
      watcher.onStep?.(step);
    },
  });
  const token = secret();
  using mounted = parts.listener.mount(spec.id, token, proxy);
  const { sha256, tools } = proxy.surface;
  life.note({ surface: { sha256, tools: tools.map(({ name }) => name) } });
  await life.reach("serving");
  let ending: Ending = { kind: "cancelled" };
  try {
    ending = await untilEnded(run, proxy, mounted.url, token);
  } catch (error) {
    if (!(error instanceof Fault) || error.blame !== "agent") throw error;
    life.fail(error);
    ending = { kind: "agent_gone" };
  } finally {
    await proxy.finish(ending);
    evidence.logs = proxy.stderrTails;
  }
  return ending;
}

/** Whichever comes first: the policy is done, a budget is used, the sandbox died. */
async function untilEnded(
  { spec, signal }: Run,
  proxy: McpProxy,
  url: string,
  token: string,
): Promise<Ending> {
  const { prepared, player } = spec;
  const over = new AbortController();
  const hands = {
    rollout: spec.id,
    url,
    token,
    instruction: prepared.instruction,
    variant: prepared.variant,
  };
  const playing = stage(
    (cause) =>
      rolloutFault("player-failed", `policy ${player.name} failed: ${messageOf(cause)}`, { cause }),
    signal,
    () => player.play(hands, AbortSignal.any([signal, over.signal])),
  );
  try {
    const submitted = playing.then(({ answer }): Ending => ({ kind: "submitted", answer }));
    const ending = await Promise.race([submitted, proxy.ended]);
    // A policy that is told that its budget is used up may still take note of it.
    if (ending.kind === "budget") await Promise.race([submitted, pause(GRACE_MS)]).catch(() => {});
    return ending;
  } finally {
    over.abort(new Error("the rollout is over"));
    await playing.catch(() => {});
  }
}

/**
 * Nothing of the agent runs once `stop` has returned, so what is read then is the final state. A
 * box that died otherwise than of memory was not killed by the agent, who can signal neither init
 * nor any server: that is ours, not theirs.
 */
async function capture(
  { spec, signal, evidence }: Run,
  sandbox: Sandbox,
  ending: Ending,
): Promise<void> {
  const before = await sandbox.stop({ signal });
  if (!before.running && !before.outOfMemory) {
    const what = `the sandbox of ${spec.id} was gone before its end (exit code ${before.exitCode})`;
    throw rolloutFault("sandbox-lost", `${what}, ${ending.kind}; run it again`);
  }
  const { workspaceBytes, workspaceFiles } = spec.task.limits;
  const limits = { bytes: workspaceBytes, files: workspaceFiles };
  evidence.after = await captureWorkspace(sandbox, evidence.blobs, limits, signal);
}

function raisedFault(id: string, criteria: RolloutRecord["criteria"]): Fault {
  const raised = (criteria ?? [])
    .filter(({ error }) => error !== null)
    .map(({ name }) => `"${name}"`);
  return rolloutFault(
    "criterion-raised",
    `rollout ${id}: ${raised.join(", ")} raised; mend grader.py`,
  );
}
