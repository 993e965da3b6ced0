import type { Clock } from "../../base/clock.ts";
import { namedId } from "../../base/id.ts";
import type { Log } from "../../base/log.ts";
import type { Engine, Sandbox } from "../../engine/engine.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { type StartedServers, startServers } from "../../mcp/link/start-servers.ts";
import { type ClockSetter, openClock } from "../../workspace/sandbox-clock.ts";
import type { SeedArchives } from "../../workspace/seed-archives.ts";
import { openSeeder, type Seeder } from "../../workspace/seeder.ts";
import { STATE_PATH, STATE_USER } from "../../workspace/state-folder.ts";
import type { SandboxNeed, SandboxOwner, TakenSandbox } from "../sandbox-source.ts";
import { hasState, sandboxSpec } from "../sandbox-spec.ts";

/** What sandboxes are prepared with. */
export interface PrepareParts {
  readonly engine: Engine;
  readonly owner: SandboxOwner;
  readonly clock: Clock;
  readonly log: Log;
  /** As in `RolloutParts`. */
  readonly manifests?: Readonly<Record<string, Manifest>>;
}

/** A sandbox that waits for a rollout: boxes running, servers greeted, `tar` at its standard input. */
export interface PreparedSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly servers: StartedServers;
  readonly seeder: Seeder;
  /** Present if services keep state. */
  readonly stateSeeder: Seeder | undefined;
  readonly clockSetter: ClockSetter;
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
  const { engine, owner, clock, log, manifests = {} } = parts;
  const manifest = manifests[need.images.sandbox] ?? {};
  const id = namedId("pool");
  const spec = sandboxSpec(id, need, { ...owner, rollout: id, expires });
  const sandbox = await engine.create(spec, { signal });
  // Whatever fails, the sandbox goes, and all that runs in it with it.
  const [opening, starting] = await Promise.allSettled([
    openFillers(sandbox, need, clock, signal),
    startServers(need.servers, { box: sandbox, clock, log, signal, manifest, wake: true }),
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
  const [fillers, servers] = [opening.value, starting.value];
  return {
    ...{ sandbox, servers, ...fillers, expires, madeMs: clock.monotonicMs() },
    broken: firstLoss(servers, fillers),
    [Symbol.asyncDispose]: remove,
  };
}

/** What a rollout takes over. */
export function handedOver(prepared: PreparedSandbox, archives: SeedArchives): TakenSandbox {
  const { sandbox, servers, seeder, stateSeeder, clockSetter } = prepared;
  return {
    ...{ sandbox, servers, warm: true },
    seed: async ({ fixture, state }, blobs, signal) => {
      const filling = [seeder.fill(archives.open(fixture, blobs), signal)];
      if (stateSeeder) {
        filling.push(stateSeeder.fill(archives.open(state, blobs, "private"), signal));
      }
      await Promise.all(filling);
    },
    setClock: (now, signal) => clockSetter.set(now, signal),
    [Symbol.asyncDispose]: () => prepared[Symbol.asyncDispose](),
  };
}

type Fillers = Pick<PreparedSandbox, "seeder" | "stateSeeder" | "clockSetter">;

async function openFillers(
  sandbox: Sandbox,
  { limits }: SandboxNeed,
  clock: Clock,
  signal: AbortSignal,
): Promise<Fillers> {
  const state = { path: STATE_PATH, owner: STATE_USER, signal };
  const [seeder, stateSeeder, clockSetter] = await Promise.all([
    openSeeder(sandbox, { signal }),
    hasState(limits) ? openSeeder(sandbox, state) : undefined,
    openClock(sandbox, clock, { signal }),
  ]);
  return { seeder, stateSeeder, clockSetter };
}

async function firstLoss(
  servers: StartedServers,
  { seeder, stateSeeder, clockSetter }: Fillers,
): Promise<string> {
  const losses = servers.servers.map(async ({ upstream }) => {
    const { reason } = await upstream.closed;
    return `its server "${upstream.name}" is gone: ${reason}`;
  });
  const gone = [seeder, stateSeeder ?? seeder, clockSetter].map(async (one) => {
    await one.gone;
    return "what was to fill it, or to set its clock, is gone";
  });
  return await Promise.race([...losses, ...gone]);
}
