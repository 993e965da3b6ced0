import type { Clock } from "../base/clock.ts";
import type { Engine, Sandbox } from "../engine/engine.ts";
import type { StageQueues } from "./queue.ts";
import type { ServiceObserver } from "./service-options.ts";

/**
 * The engine, but for how much is asked of it at once: makings wait for each other, removals for
 * other removals and for nothing else. Disposing it leaves the engine itself open.
 */
export function gatedEngine(
  engine: Engine,
  queues: StageQueues,
  clock: Clock,
  observer: ServiceObserver,
): Engine {
  const timed = async <T>(call: "create" | "remove" | "attach", work: () => Promise<T>) => {
    const fromMs = clock.monotonicMs();
    let ok = false;
    try {
      const result = await work();
      ok = true;
      return result;
    } finally {
      observer.onEngineCall?.(call, clock.monotonicMs() - fromMs, ok);
    }
  };
  const remove = <T>(work: () => Promise<T>) => queues.removals.add(() => timed("remove", work));
  return {
    name: engine.name,
    images: engine.images,
    holdings: engine.holdings,
    check: (options) => engine.check(options),
    find: (owner, options) => engine.find(owner, options),
    create: async (spec, options) => {
      const making = () => {
        options?.signal?.throwIfAborted();
        return timed("create", () => engine.create(spec, options));
      };
      return gatedSandbox(await queues.creates.add(making), remove);
    },
    attach: async (found, options) => {
      const sandbox = await timed("attach", () => engine.attach(found, options));
      return sandbox && gatedSandbox(sandbox, remove);
    },
    remove: (found, options) => remove(() => engine.remove(found, options)),
    hostAddresses: (options) => engine.hostAddresses(options),
    [Symbol.asyncDispose]: async () => {},
  };
}

function gatedSandbox(
  sandbox: Sandbox,
  remove: (work: () => Promise<void>) => Promise<void>,
): Sandbox {
  return {
    id: sandbox.id,
    identity: sandbox.identity,
    keeper: sandbox.keeper,
    outlet: sandbox.outlet,
    exec: (argv, options) => sandbox.exec(argv, options),
    open: (argv, options) => sandbox.open(argv, options),
    putArchive: (tar, path, options) => sandbox.putArchive(tar, path, options),
    getArchive: (path, options) => sandbox.getArchive(path, options),
    state: (options) => sandbox.state(options),
    stop: (options) => sandbox.stop(options),
    readWorkspace: (options) => sandbox.readWorkspace(options),
    readState: (options) => sandbox.readState(options),
    [Symbol.asyncDispose]: () => remove(() => sandbox[Symbol.asyncDispose]()),
  };
}
