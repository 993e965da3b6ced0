import { FaultyDocker } from "./faulty-docker.ts";

/** What a Docker might do that loses hardenings which it was asked for. */
const WEAKENINGS = {
  "inside a program": {
    ...{ SecurityOpt: ["seccomp=unconfined"], CapDrop: [], CapAdd: ["SYS_PTRACE"] },
    ...{ MaskedPaths: [], ReadonlyPaths: [] },
  },
  "around a program": {
    ...{ PidsLimit: 0, Memory: 0, MemorySwap: 0, NetworkMode: "bridge", PidMode: "host" },
    ...{ Binds: ["/etc:/mnt:ro"], CgroupnsMode: "host", Ulimits: [] },
  },
  "a mount of the host": { Binds: ["/etc:/mnt:ro"] },
} as const;

/** A way to the real Docker on which every container loses something. */
export async function weakDocker(what: keyof typeof WEAKENINGS): Promise<FaultyDocker> {
  const docker = await FaultyDocker.open();
  const weaken = (body: Record<string, unknown>) => ({
    ...body,
    NetworkDisabled: what !== "around a program",
    HostConfig: { ...(body["HostConfig"] as object), ...WEAKENINGS[what] },
  });
  docker.mischief = (method, path) =>
    method === "POST" && path.endsWith("/containers/create") ? { ask: weaken } : "pass";
  return docker;
}
