import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { RolloutService, ToolAnswer, ToolCall } from "../../runtime/service/service.ts";
import type { ServiceOptions } from "../../runtime/service/service-options.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { openTestEngine } from "../support/engine.ts";
import { FaultyDocker } from "../support/faulty-docker.ts";
import { ME, NEVER, NOTE, openServiceBench } from "../support/service.ts";

export const LIST: ToolCall = { name: "list_directory", arguments: { path: "/workspace" } };

/** Services on an engine that can be made to stumble. */
export interface StumblingBench extends AsyncDisposable {
  readonly docker: FaultyDocker;
  /** Without a pool; through the proxy, with an engine of its own if one is given. */
  open(options?: Partial<ServiceOptions>, engine?: Engine): Promise<RolloutService>;
  /** Waits until nothing is left in the engine; fails if something stays. */
  untilEmpty(): Promise<void>;
}

/** The task is prepared while all is well. */
export async function openStumblingBench(): Promise<StumblingBench> {
  await using stack = new AsyncDisposableStack();
  const docker = stack.use(await FaultyDocker.open());
  const engine = stack.use(await openTestEngine({ address: docker.address }));
  /** Goes straight to Docker. */
  const bench = stack.use(await openServiceBench());
  const pool = { max: 0 };
  await using service = await bench.open({ pool });
  await service.cancel((await service.request(NOTE, ME)).id, ME);
  const rest = stack.move();
  return {
    docker,
    open: (options = {}, own = engine) => bench.open({ pool, ...options }, { engine: own }),
    async untilEmpty() {
      const { engine: straight, data } = bench.runtime;
      for (let look = 0; look < 120; look++) {
        if ((await straight.find(data.owner)).length === 0) return;
        await sleep(500);
      }
      assert.fail("something is left in the engine");
    },
    async [Symbol.asyncDispose]() {
      docker.mischief = () => "pass";
      await rest.disposeAsync();
    },
  };
}

/** The id of a rollout of the small task that serves. */
export async function serving(service: RolloutService): Promise<string> {
  const { id } = await service.request(NOTE, ME);
  assert.equal((await service.untilServing(id, ME, NEVER)).phase, "serving");
  return id;
}

/** The record of a rollout that is about to end; fails if it does not end in time. */
export async function ended(service: RolloutService, id: string): Promise<RolloutRecord> {
  for (let look = 0; look < 900; look++) {
    const { record } = await service.view(id, ME);
    if (record !== null) return record;
    await sleep(200);
  }
  assert.fail(`rollout ${id} has not ended`);
}

export function command(text: string): ToolCall {
  return { name: "run_command", arguments: { command: text } };
}

/** Whether a tool has done what it was asked to. */
export function hasSucceeded(answer: ToolAnswer | { error: unknown }): boolean {
  if (!("result" in answer) || answer.result["isError"] === true) return false;
  const { exitCode = 0 } = (answer.result["structuredContent"] ?? {}) as { exitCode?: unknown };
  return exitCode === 0;
}
