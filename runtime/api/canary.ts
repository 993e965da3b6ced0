import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import { asFault, messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import type { SandboxSpec } from "../engine/engine.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { DiskRoom } from "../store/disk-room.ts";
import { apiFault } from "./faults.ts";

const FRESH_MS = 30_000;
const DEADLINE_MS = 60_000;
const LEASE_MS = 5 * 60_000;
const MIB = 1024 * 1024;
const LIMITS = {
  memoryBytes: 64 * MIB,
  processes: 16,
  cpus: 1,
  tmpBytes: 4 * MIB,
  fileBytes: 4 * MIB,
  openFiles: 64,
};

type CanaryParts = Pick<RolloutParts, "engine" | "images" | "data" | "process"> & {
  readonly clock: Clock;
};

/** A sandbox that was made, used and removed. */
export interface Sung {
  /** RFC 3339. */
  readonly at: string;
  readonly ms: number;
}

/**
 * Proves that rollouts can begin: the disk takes what they write, and the engine makes sandboxes, of
 * which it makes one, at most one at a time and each 30 s.
 */
export class Canary {
  readonly #parts: CanaryParts;
  readonly #room: DiskRoom;
  #last: Promise<Sung> | undefined;
  /** When the last attempt began; until it has settled it is fresh. */
  #freshUntilMs = 0;

  constructor(parts: CanaryParts) {
    this.#parts = parts;
    this.#room = new DiskRoom(parts.data.path);
  }

  /**
   * The newest attempt, made now if that is older than 30 s, if there is room on the disk now. Rejects
   * with `api/not-ready`.
   */
  async check(): Promise<Sung> {
    await this.#room.require().catch((cause: unknown) => {
      throw apiFault("not-ready", messageOf(cause), { cause });
    });
    return await this.#sung();
  }

  #sung(): Promise<Sung> {
    const now = this.#parts.clock.monotonicMs();
    if (this.#last === undefined || now >= this.#freshUntilMs) {
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#last = this.#sing().finally(() => {
        this.#freshUntilMs = this.#parts.clock.monotonicMs() + FRESH_MS;
      });
    }
    return this.#last;
  }

  async #sing(): Promise<Sung> {
    const { clock } = this.#parts;
    const started = clock.monotonicMs();
    const late = () => apiFault("not-ready", `no sandbox within ${DEADLINE_MS / 1000} s`);
    try {
      await withDeadline(DEADLINE_MS, undefined, late, (signal) => this.#makeOne(signal));
    } catch (error) {
      throw apiFault("not-ready", `the engine made no sandbox: ${messageOf(error)}`, {
        cause: asFault(error, late),
      });
    }
    return { at: clock.now().toISOString(), ms: Math.round(clock.monotonicMs() - started) };
  }

  async #makeOne(signal: AbortSignal): Promise<void> {
    await using sandbox = await this.#parts.engine.create(this.#spec(), { signal });
    const { exitCode } = await sandbox.exec(["/bin/true"], { user: "canary", signal });
    if (exitCode !== 0) throw new Error(`/bin/true ended with ${exitCode}`);
  }

  #spec(): SandboxSpec {
    const { data, images, process, clock } = this.#parts;
    const id = namedId("canary");
    const expires = new Date(clock.now().getTime() + LEASE_MS);
    return {
      id,
      labels: { owner: data.owner, rollout: id, process, expires },
      image: images.grader,
      users: ["canary"],
      workspace: { path: "/workspace", owner: "canary", bytes: MIB, files: 100 },
      limits: LIMITS,
    };
  }
}
