import type { Clock } from "../base/clock.ts";
import { namedId } from "../base/id.ts";
import type { Log } from "../base/log.ts";
import type { Engine, Sandbox } from "../engine/engine.ts";
import { type StartedServers, startServers } from "../mcp/start-servers.ts";
import type { SeedArchives } from "../workspace/seed-archives.ts";
import { openSeeder, type Seeder } from "../workspace/seeder.ts";
import type { SandboxNeed, SandboxOwner, TakenSandbox } from "./sandbox-source.ts";
import { sandboxSpec } from "./sandbox-spec.ts";

/** What sandboxes are prepared with. */
export interface PrepareParts {
  readonly engine: Engine;
  readonly owner: SandboxOwner;
  readonly clock: Clock;
  readonly log: Log;
}

/** A sandbox that waits for a rollout: boxes running, servers greeted, `tar` at its standard input. */
export interface PreparedSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly servers: StartedServers;
  readonly seeder: Seeder;
  readonly madeMs: number;
  /** As the reaper counts: until then the sandbox may be held. */
  readonly expires: Date;
  /** Settles when something of it is gone; never rejects. */
  readonly broken: Promise<string>;
}

/**
 * Makes one, that can be held until `expires`. Rejects as `Engine.create`, `Box.open` and
 * `startServers` do, or with the signal's reason; nothing is left then.
 */
export async function prepareSandbox(
  need: SandboxNeed,
  expires: Date,
  parts: PrepareParts,
  signal: AbortSignal,
): Promise<PreparedSandbox> {
  const { engine, owner, clock, log } = parts;
  const id = namedId("pool");
  const spec = sandboxSpec(id, need, { ...owner, rollout: id, expires });
  const sandbox = await engine.create(spec, { signal });
  // Whatever fails, the sandbox goes, and all that runs in it with it.
  const [opening, starting] = await Promise.allSettled([
    openSeeder(sandbox, { signal }),
    startServers(need.servers, { box: sandbox, clock, log, signal }),
  ]);
  const remove = async () => {
    await sandbox[Symbol.asyncDispose]();
    if (starting.status === "fulfilled") await starting.value[Symbol.asyncDispose]();
  };
  if (starting.status === "rejected" || opening.status === "rejected" || signal.aborted) {
    await remove();
    signal.throwIfAborted();
    throw starting.status === "rejected"
      ? starting.reason
      : (opening as PromiseRejectedResult).reason;
  }
  const [seeder, servers] = [opening.value, starting.value];
  return {
    ...{ sandbox, servers, seeder, expires, madeMs: clock.monotonicMs() },
    broken: firstLoss(servers, seeder),
    [Symbol.asyncDispose]: remove,
  };
}

/** What a rollout takes over. */
export function handedOver(prepared: PreparedSandbox, archives: SeedArchives): TakenSandbox {
  const { sandbox, servers, seeder } = prepared;
  return {
    ...{ sandbox, servers, warm: true },
    seed: (snapshot, blobs, signal) => seeder.fill(archives.open(snapshot, blobs), signal),
    [Symbol.asyncDispose]: () => prepared[Symbol.asyncDispose](),
  };
}

async function firstLoss(servers: StartedServers, seeder: Seeder): Promise<string> {
  const losses = servers.servers.map(async ({ upstream }) => {
    const { reason } = await upstream.closed;
    return `its server "${upstream.name}" is gone: ${reason}`;
  });
  return await Promise.race([...losses, seeder.gone.then(() => "what was to fill it is gone")]);
}
