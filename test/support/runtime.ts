import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/base/clock.ts";
import { rolloutId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { McpListener } from "../../runtime/mcp/door/listener.ts";
import type { RolloutParts, RolloutSpec, RolloutWatcher } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { runRollout } from "../../runtime/rollout/run-rollout.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { prepareVariant } from "../../runtime/task/prepare.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { runtimeChoice } from "./oci-runtime.ts";

/** All parts of the runtime, real, on a data folder of their own that is gone afterwards. */
export interface TestRuntime extends RolloutParts, AsyncDisposable {
  /** Fails if anything of this data folder's is in the engine. */
  assertNothingLeft(): Promise<void>;
}

export interface TestRuntimeOptions {
  /** Instead of the engine that the environment names. */
  readonly engine?: Engine;
  /** Instead of a data folder of its own. */
  readonly folder?: string;
}

export async function openTestRuntime(options: TestRuntimeOptions = {}): Promise<TestRuntime> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "cloche-test-")));
  const data = await openDataFolder(folder);
  const records = await RecordStore.open(data.database);
  const engine =
    options.engine ?? (await openEngine("docker", { env: process.env, ...runtimeChoice }));
  const report = await engine.check();
  const { images, manifests } = await requireImages(engine, process.env);
  const listener = await McpListener.open({ host: "127.0.0.1", port: 0, log: silentLog });
  return {
    engine,
    engineSummary: report.summary,
    images,
    manifests,
    data,
    records,
    listener,
    clock: systemClock,
    log: silentLog,
    process: processIdentity(),
    async assertNothingLeft() {
      assert.deepEqual(await engine.find(data.owner), []);
    },
    async [Symbol.asyncDispose]() {
      for (const found of await engine.find(data.owner).catch(() => [])) await engine.remove(found);
      await listener[Symbol.asyncDispose]();
      records[Symbol.dispose]();
      await engine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface PlayOptions {
  readonly variant?: number;
  readonly signal?: AbortSignal;
  readonly watcher?: RolloutWatcher;
  readonly change?: (spec: RolloutSpec) => RolloutSpec;
}

/** One rollout of a task of `root`, played by `policy`. */
export async function play(
  runtime: TestRuntime,
  root: string,
  taskId: string,
  policy: Policy | ((runtime: TestRuntime, spec: Omit<RolloutSpec, "policy">) => Promise<Policy>),
  options: PlayOptions = {},
): Promise<RolloutRecord> {
  const signal = options.signal ?? new AbortController().signal;
  const task = await findTask(root, taskId);
  const prepared = await prepareVariant(task, options.variant ?? 1, {
    engine: runtime.engine,
    graderImage: runtime.images.grader,
    blobs: new BlobFolder(runtime.data.blobs),
    cacheFolder: runtime.data.cache,
    labels: { owner: runtime.data.owner, process: runtime.process },
    signal: new AbortController().signal,
    log: silentLog,
  });
  const base = { id: rolloutId(), task, prepared, group: null, labels: {} };
  const who = typeof policy === "function" ? await policy(runtime, base) : policy;
  const spec = { ...base, policy: who };
  return runRollout(options.change?.(spec) ?? spec, runtime, signal, options.watcher);
}
