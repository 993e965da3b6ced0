import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { namedId, rolloutId } from "../runtime/base/id.ts";
import { openContext } from "../runtime/cli/context.ts";
import { openParts } from "../runtime/cli/parts.ts";
import { locateDocker } from "../runtime/engine/docker/locate.ts";
import type { RolloutParts, RolloutSpec } from "../runtime/rollout/parts.ts";
import type { PolicyInput } from "../runtime/rollout/policy.ts";
import { WarmPool } from "../runtime/rollout/pool/pool.ts";
import { runRollout } from "../runtime/rollout/run-rollout.ts";
import { ColdSource, holdMsOf, needOf } from "../runtime/rollout/sandbox-source.ts";
import { sandboxSpec } from "../runtime/rollout/sandbox-spec.ts";
import { prepareVariant } from "../runtime/task/prepare.ts";
import { findTask } from "../runtime/task/task-list.ts";
import { BlobFolder } from "../runtime/workspace/blobs.ts";

/**
 * What a warm pool saves: `node bench/pool.ts [rounds] [task]`. Each round asks for one rollout from
 * the pool, one from nothing, and has Docker create and start the same container by itself; all
 * three side by side in one process. Prints medians from the request until `tools/list` is answered
 * over HTTP. Figures of one machine at one time: compare them with others of the same run only.
 */
const [rounds = "20", taskId = "library/catalogue-update"] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "cloche-bench-"));
const times = new Map<string, number[]>();

await using parts = await openParts(openContext(root), { data: folder });
const owner = { owner: parts.data.owner, process: parts.process };
const { engine, clock, log, images, data, signal } = parts;
const task = await findTask(root, taskId);
const prepared = await prepareVariant(task, 1, {
  ...{ engine, signal, log, graderImage: images.grader, blobs: new BlobFolder(data.blobs) },
  ...{ cacheFolder: data.cache, labels: owner },
});
const need = needOf(task, parts);
try {
  await using pool = new WarmPool({ engine, owner, clock, log }, { max: 1 });
  await using model = await engine.create(modelSpec());
  const sample = await inspect(`cloche-${model.id}`);
  pool.expect(need, { holdMs: holdMsOf(task) }, 1);
  for (let round = 0; round < Number(rounds); round++) {
    await full(pool);
    await rollout("warm", { ...parts, sandboxes: pool });
    await full(pool);
    await rollout("cold", { ...parts, sandboxes: new ColdSource(engine, owner) });
    await bare(sample);
  }
} finally {
  for (const found of await engine.find(data.owner)) await engine.remove(found);
  await rm(folder, { recursive: true, force: true });
}
print();

async function rollout(kind: string, from: RolloutParts): Promise<void> {
  const atMs = performance.now();
  let listedMs = 0;
  const policy = {
    name: "bench",
    play: async (input: PolicyInput) => {
      await listTools(input);
      listedMs = performance.now() - atMs;
      return { answer: null };
    },
  };
  const spec: RolloutSpec = {
    ...{ id: rolloutId(), task, prepared, policy, group: null, labels: {} },
  };
  const { outcome, reachedMs } = await runRollout(spec, from, signal);
  if (outcome !== "graded") throw new Error(`a ${kind} rollout ended as ${outcome}`);
  const { seeded = 0, serving = 0, requested = 0 } = reachedMs;
  note(`${kind}: request to tools/list answered`, listedMs);
  note(`${kind}:   request to seeded`, seeded - requested);
  note(`${kind}:   seeded to serving`, serving - seeded);
  note(`${kind}:   serving to tools/list answered`, listedMs - serving);
  note("captured to graded", (reachedMs.graded ?? 0) - (reachedMs.captured ?? 0));
}

/** As any agent of the 2025-11-25 protocol begins. */
async function listTools({ url, token }: PolicyInput): Promise<void> {
  const clientInfo = { name: "bench", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const greeted = await ask({ id: 1, method: "initialize", params }, {});
  const session = greeted.headers.get("mcp-session-id") ?? "";
  const listed = await ask({ id: 2, method: "tools/list" }, { "mcp-session-id": session });
  if (!(await listed.text()).includes('"tools"')) throw new Error("tools/list was not answered");

  async function ask(message: object, more: Record<string, string>): Promise<Response> {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        ...{ authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...{ accept: "application/json, text/event-stream", ...more },
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer;
  }
}

/** Docker's own way to the same main box: no keeper, no servers, nothing in it. */
async function bare(sample: Inspection): Promise<void> {
  const name = namedId("cloche-bench");
  const atMs = performance.now();
  const body = { ...sample.Config, HostConfig: sample.HostConfig };
  const { Id } = JSON.parse(await docker("POST", `/containers/create?name=${name}`, body));
  await docker("POST", `/containers/${Id}/start`);
  note("bare: docker create and start", performance.now() - atMs);
  await docker("DELETE", `/containers/${Id}?force=true`);
}

interface Inspection {
  readonly Config: object;
  readonly HostConfig: object;
}

async function inspect(name: string): Promise<Inspection> {
  return JSON.parse(await docker("GET", `/containers/${name}/json`));
}

async function docker(method: string, path: string, body?: object): Promise<string> {
  const { socketPath, host, port } = await locateDocker(undefined, process.env);
  const where = socketPath === undefined ? { host, port } : { socketPath };
  const headers = { "content-type": "application/json", host: "docker" };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request({ ...where, method, path, headers }, async (answer) => {
    const text = Buffer.concat(await answer.toArray()).toString();
    if ((answer.statusCode ?? 500) < 300) resolve(text);
    else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
  });
  sent.on("error", reject).end(body && JSON.stringify(body));
  return await promise;
}

function modelSpec() {
  const id = namedId("bench");
  const expires = new Date(Date.now() + 3_600_000);
  return sandboxSpec(id, need, { ...owner, rollout: id, expires });
}

async function full(pool: WarmPool): Promise<void> {
  while (pool.level.ready === 0 || pool.level.filling > 0) await sleep(20);
  await sleep(200); // Docker is still busy for a moment after it says that it is done.
}

function note(what: string, ms: number): void {
  times.set(what, [...(times.get(what) ?? []), ms]);
}

function print(): void {
  process.stdout.write(`${rounds} rounds of ${task.id}; ms\n`);
  for (const [what, all] of times) {
    const sorted = all.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const [p50, p10, p90] = [0.5, 0.1, 0.9].map((share) => at(share).toFixed(1).padStart(7));
    process.stdout.write(`${what.padEnd(40)} p50 ${p50}  p10 ${p10}  p90 ${p90}\n`);
  }
  const p50 = (what: string) => times.get(what)?.[Math.floor(Number(rounds) / 2)] ?? Number.NaN;
  const [warm, cold] = ["warm", "cold"].map((kind) =>
    p50(`${kind}: request to tools/list answered`),
  );
  const bareMs = p50("bare: docker create and start");
  const ratio = (ms = Number.NaN) => (ms / (warm ?? Number.NaN)).toFixed(1);
  process.stdout.write(`cold is ${ratio(cold)} times warm, bare is ${ratio(bareMs)} times warm\n`);
}
