import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isAlive } from "../base/process-identity.ts";
import type { Engine, Sandbox, SandboxSpec } from "../engine/engine.ts";
import type { StartedServers } from "../mcp/link/start-servers.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { Fixture } from "../task/fixture.ts";
import type { BlobSource } from "../workspace/blob-source.ts";
import { openClock } from "../workspace/sandbox-clock.ts";
import { seedState, seedWorkspace } from "../workspace/seed.ts";
import { serversOf } from "./egress/egress-servers.ts";
import { imagesFor, type RolloutParts, type RolloutSpec } from "./parts.ts";
import { hasState, sandboxSpec } from "./sandbox-spec.ts";

/** What a rollout needs before anything of its own is in its sandbox: equal needs, equal sandboxes. */
export interface SandboxNeed {
  readonly images: RolloutRecord["images"];
  readonly limits: RolloutRecord["limits"];
  /** They also decide which users there are. */
  readonly servers: readonly ServerSpec[];
  /** Names that lead to the sandbox itself. */
  readonly hostNames: readonly string[];
  /** Whether it has a way out. Default: not. */
  readonly hasEgress?: boolean;
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

/** Whom a sandbox is for. */
export interface SandboxClaim {
  readonly rollout: string;
  /** How long the sandbox is needed at most, from now. */
  readonly holdMs: number;
}

/** Where a rollout gets its sandbox from: made for it now, or prepared beforehand. */
export interface SandboxSource {
  /** Rejects as `Engine.create` does, or with the signal's reason; nothing is left then. */
  take(need: SandboxNeed, claim: SandboxClaim, signal: AbortSignal): Promise<TakenSandbox>;
}

/** A sandbox that is the taker's alone and that no agent has been in. Disposing it removes it. */
export interface TakenSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The servers, up and greeted, for a proxy to be opened on; undefined: they are to be started. */
  readonly servers: StartedServers | undefined;
  /** Whether it was prepared before it was asked for. */
  readonly warm: boolean;
  /**
   * Fills the workspace, and the services' state if there is room for any, once. As `seedWorkspace`
   * and `seedState`: byte for byte, modes as in `asSeeded`.
   */
  seed(fixture: Fixture, blobs: BlobSource, signal: AbortSignal): Promise<void>;
  /** Says what time it is in the sandbox, once; see `ClockSetter`. */
  setClock(now: Date, signal: AbortSignal): Promise<void>;
}

/** Whose sandboxes are made: the labels that the reaper goes by. */
export interface SandboxOwner {
  readonly owner: string;
  readonly process: string;
}

/** Makes each sandbox when it is asked for. */
export class ColdSource implements SandboxSource {
  readonly #engine: Engine;
  readonly #owner: SandboxOwner;

  constructor(engine: Engine, owner: SandboxOwner) {
    this.#engine = engine;
    this.#owner = owner;
  }

  async take(need: SandboxNeed, claim: SandboxClaim, signal: AbortSignal): Promise<TakenSandbox> {
    const { rollout, holdMs } = claim;
    const labels = { ...this.#owner, rollout, expires: new Date(Date.now() + holdMs) };
    const sandbox = await this.#create(sandboxSpec(rollout, need, labels), signal);
    return {
      sandbox,
      servers: undefined,
      warm: false,
      seed: async ({ fixture, state }, blobs, until) => {
        const call = { signal: until };
        const work = [seedWorkspace(sandbox, fixture, blobs, { path: "/workspace", ...call })];
        if (hasState(need.limits)) work.push(seedState(sandbox, state, blobs, call));
        await Promise.all(work);
      },
      setClock: async (now, until) => {
        await using clock = await openClock(sandbox, systemClock, { signal: until });
        await clock.set(now, until);
      },
      [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
    };
  }

  /** The last request of a process that was killed may be carried out after its sandboxes were removed. */
  async #create(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    try {
      return await this.#engine.create(spec, { signal });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "engine/name-taken") throw error;
      const found = await this.#engine.find(this.#owner.owner, { signal });
      const late = found.find(({ id, labels }) => id === spec.id && !isAlive(labels.process));
      if (late === undefined) throw error;
      await this.#engine.remove(late, { signal });
      return await this.#engine.create(spec, { signal });
    }
  }
}
