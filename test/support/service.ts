import type { RolloutParts } from "../../runtime/rollout/parts.ts";
import { openRolloutService } from "../../runtime/service/rollout-service.ts";
import type { Caller, RolloutEvent, RolloutService } from "../../runtime/service/service.ts";
import type { ServiceOptions } from "../../runtime/service/service-options.ts";
import { openTestRuntime, type TestRuntime, type TestRuntimeOptions } from "./runtime.ts";
import { smallTask, type TestRoot } from "./small-task.ts";

export const ME: Caller = { key: "me" };
export const OTHER: Caller = { key: "other" };
export const NEVER = new AbortController().signal;

/** A runtime with a task, on which services are opened one after the other, as after restarts. */
export interface ServiceBench extends AsyncDisposable {
  readonly runtime: TestRuntime;
  readonly root: TestRoot;
  /** Another service on the same data folder and engine; disposed at the latest with the bench. */
  open(options?: Partial<ServiceOptions>, parts?: Partial<RolloutParts>): Promise<RolloutService>;
}

export async function openServiceBench(
  changes: Readonly<Record<string, string | undefined>> = {},
  options: TestRuntimeOptions = {},
): Promise<ServiceBench> {
  await using stack = new AsyncDisposableStack();
  const runtime = stack.use(await openTestRuntime(options));
  const root = stack.use(await smallTask(changes));
  const rest = stack.move();
  return {
    runtime,
    root,
    open: async (options = {}, parts = {}) =>
      rest.use(
        await openRolloutService({ ...runtime, ...parts }, { tasksRoot: root.path, ...options }),
      ),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** A request for the small task. */
export const NOTE = { task: "test/note" } as const;

/** Writes what the small task asks for. */
export const SOLVE = [
  { name: "write_file", arguments: { path: "/workspace/note.txt", content: "hello-1\n" } },
] as const;

/** All events from the one after `after` on, until the rollout is over. */
export async function eventsOf(
  service: RolloutService,
  id: string,
  after: number,
  caller: Caller,
): Promise<RolloutEvent[]> {
  return await Array.fromAsync(service.events(id, after, caller, NEVER));
}
