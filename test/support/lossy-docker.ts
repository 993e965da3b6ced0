import { locateDocker } from "../../runtime/engine/docker/locate.ts";
import { FaultyDocker } from "./faulty-docker.ts";

export interface LossyDocker extends AsyncDisposable {
  readonly address: string;
  /** How many archives are still to be cut in the middle, with every sign of success. */
  cuts: number;
  /** Archives that were asked for. */
  readonly asked: number;
}

/** A Docker socket in front of the real one that does what it does, but for the archives it cuts. */
export async function openLossyDocker(): Promise<LossyDocker> {
  const { socketPath = "/var/run/docker.sock" } = await locateDocker(undefined, process.env);
  const docker = await FaultyDocker.open(`unix://${socketPath}`);
  const state = { cuts: 0, asked: 0 };
  docker.mischief = (method, path) => {
    if (method !== "GET" || !/\/archive\b/.test(path)) return "pass";
    state.asked += 1;
    if (state.cuts <= 0) return "pass";
    state.cuts -= 1;
    return { endAfter: 1024 };
  };
  const { address } = docker;
  return Object.assign(state, {
    address,
    [Symbol.asyncDispose]: () => docker[Symbol.asyncDispose](),
  });
}
