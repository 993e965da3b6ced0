import { join } from "node:path";
import { pause } from "../../base/deadline.ts";
import { Fault, messageOf } from "../../base/fault.ts";
import { secret } from "../../base/id.ts";
import type { Box, Sandbox } from "../../engine/engine.ts";
import { lostServer } from "../../mcp/link/start-servers.ts";
import type { McpProxy, McpProxyOptions } from "../../mcp/proxy/proxy.ts";
import type { Ending } from "../../mcp/record/step.ts";
import { EGRESS } from "../../store/bundle-layout.ts";
import { type Egress, openEgress, requireEgress } from "../egress/egress.ts";
import { serversOf } from "../egress/egress-servers.ts";
import { rolloutFault } from "../faults.ts";
import type { Played } from "../policy.ts";
import { stage } from "../record-writer.ts";
import { failing, type Run } from "../run.ts";

const GRACE_MS = 1_000;

/**
 * Opens the rollout's endpoint on a proxy, lets the policy play, and closes both again. The servers
 * are held on: they end with their box, which costs less than ending them one by one.
 */
export async function serve(
  run: Run,
  sandbox: Sandbox,
  open: () => Promise<McpProxy>,
): Promise<Ending> {
  const { spec, parts, writer, evidence } = run;
  // First, so that no server of the sandbox can have taken the address that it listens on.
  const egress = await egressOf(run, sandbox);
  const proxy = await open();
  run.held.push(proxy);
  const token = parts.tokenOf?.(spec.id) ?? secret();
  using mounted = parts.listener.mount(spec.id, token, proxy);
  const { sha256, tools } = proxy.surface;
  writer.note({ surface: { sha256, tools: tools.map(({ name }) => name) } });
  await writer.reach("serving");
  let ending: Ending = { kind: "cancelled" };
  try {
    ending = await untilEnded(run, proxy, mounted.url, token);
  } catch (error) {
    if (!(error instanceof Fault) || error.blame !== "agent") throw error;
    writer.fail(error);
    ending = { kind: "agent_gone" };
  } finally {
    await proxy.finish(ending);
    await egress?.[Symbol.asyncDispose]();
    evidence.logs = { ...(egress?.lost ? { egress: egress.lost } : {}), ...proxy.stderrTails };
  }
  await requireTools(proxy, sandbox);
  return ending;
}

/** How long an engine may take to hear that a box has died, which takes its servers with it. */
const NEWS_MS = [0, 250, 1_000];

/** @throws Fault `engine/program-lost` where the engine let go of a server in a box that lives on */
async function requireTools({ lost }: McpProxy, sandbox: Sandbox): Promise<void> {
  if (lost === undefined) return;
  for (const ms of NEWS_MS) {
    await pause(ms);
    if (!(await sandbox.state()).running) return;
  }
  throw lostServer(lost);
}

/** Ended with the agent's turn; its programs are ended with their boxes at the latest. */
async function egressOf(run: Run, sandbox: Sandbox): Promise<Egress | undefined> {
  const { spec, parts, signal, evidence } = run;
  const { id, task } = spec;
  if (task.egress.length === 0) return undefined;
  requireEgress(task, parts);
  const { engine, clock, log } = parts;
  const file = join(evidence.folder, EGRESS);
  const egress = await stage(failing(id, "opening its way out"), signal, () =>
    openEgress(sandbox, { engine, clock, log, file, hosts: task.egress, signal }),
  );
  run.held.push(egress);
  return egress;
}

/** What every proxy of a rollout is opened with. */
export function proxyOptions(run: Run, box: Box): McpProxyOptions {
  const { spec, parts, signal, watcher, writer, evidence } = run;
  return {
    rolloutId: spec.id,
    box,
    servers: serversOf(spec.task, spec.prepared.hostNames),
    budget: spec.task.budget,
    folder: evidence.folder,
    clock: parts.clock,
    log: parts.log,
    signal,
    manifest: parts.manifests?.[writer.record.images.sandbox] ?? {},
    onStep: (step) => {
      writer.note({ steps: writer.record.steps + 1 });
      watcher.onStep?.(step);
    },
    onCall: () => watcher.onCall?.(),
  };
}

/** Whichever comes first: the policy is done, a budget is used, the sandbox died. */
async function untilEnded(
  { spec, signal }: Run,
  proxy: McpProxy,
  url: string,
  token: string,
): Promise<Ending> {
  const { prepared, policy } = spec;
  const over = new AbortController();
  const input = {
    rollout: spec.id,
    url,
    token,
    instruction: prepared.instruction,
    variant: prepared.variant,
  };
  const playing = stage(
    (cause) =>
      rolloutFault("policy-failed", `policy ${policy.name} failed: ${messageOf(cause)}`, { cause }),
    signal,
    () => policy.play(input, AbortSignal.any([signal, over.signal])),
  );
  try {
    const submitted = playing.then(endingOf);
    const ending = await Promise.race([submitted, proxy.ended]);
    // A policy that is told that its budget is used up may still take note of it.
    if (ending.kind === "budget") await Promise.race([submitted, pause(GRACE_MS)]).catch(() => {});
    return ending;
  } finally {
    over.abort(new Error("the rollout is over"));
    await playing.catch(() => {});
  }
}

function endingOf(played: Played): Ending {
  return "gone" in played ? { kind: "agent_gone" } : { kind: "submitted", answer: played.answer };
}
