import { type Log, silentLog } from "../base/log.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Engine, ProfileName } from "./engine.ts";
import { engineFault } from "./faults.ts";

export interface EngineOptions {
  /** Where the engine is reached. Default: found from `env` and the usual places. */
  readonly address?: string;
  readonly log?: Log;
  /** The environment to look in (DOCKER_HOST, HOME, …); nothing here reads the process's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long one request may take before it is `engine/no-answer`. Default 30,000. */
  readonly deadlineMs?: number;
  /**
   * How long a request that can be made again is made again, with growing pauses, after the engine
   * has refused a connection, hung up or failed. Default 20,000; 0: never.
   */
  readonly patienceMs?: number;
  /** How tightly boxes are closed. Default "default". */
  readonly profile?: ProfileName;
  /** The OCI runtime that boxes are run with, by the engine's name for it. Default: the engine's. */
  readonly runtime?: string;
  /** The engine's network that outlets are in. Default "bridge", Docker's own. */
  readonly outletNetwork?: string;
}

type Opener = (
  options: Required<Omit<EngineOptions, "address" | "runtime">> & EngineOptions,
) => Promise<Engine>;

/** One line an engine, loaded when asked for: who uses one never loads another's client. */
const ENGINES: Readonly<Record<string, Opener>> = {
  docker: async (options) => (await import("./docker/docker-engine.ts")).openDocker(options),
};

/**
 * Opens the engine of this name. It is not contacted beyond finding its address: ask `check`.
 * Rejects with `engine/unknown-engine`, or `engine/unreachable` for an address that makes no sense.
 */
export async function openEngine(name: string, options: EngineOptions): Promise<Engine> {
  const opener = Object.hasOwn(ENGINES, name) ? ENGINES[name] : undefined;
  if (opener === undefined) {
    const known = Object.keys(ENGINES);
    const message = `no engine is named "${name}" (known: ${known.join(", ")})`;
    throw engineFault("unknown-engine", `${message}${didYouMean(name, known)}`);
  }
  const usual = {
    ...{ log: silentLog, deadlineMs: 30_000, patienceMs: 20_000 },
    ...({ profile: "default", outletNetwork: "bridge" } as const),
  };
  return await opener({ ...usual, ...options });
}
