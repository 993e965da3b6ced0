import { sha256 } from "../../base/hash.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Isolation } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type BoxSpec, containerBody, type Seal } from "./host-config.ts";

/** Of /version: older engines and such that only speak Docker's language lack the components. */
export interface DockerVersion {
  readonly Version: string;
  readonly Os: string;
  readonly Arch: string;
  readonly Components?: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: { readonly GitCommit?: string } | null;
  }[];
}

/** Of /info. */
export interface DockerInfo {
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ID?: string;
  readonly KernelVersion?: string;
  readonly CgroupVersion?: string;
  readonly DefaultRuntime?: string;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly SecurityOptions?: readonly string[] | null;
  readonly LiveRestoreEnabled?: boolean;
}

/** What Docker says that it seals with. @throws `engine/no-such-runtime` */
export function isolationOf(version: DockerVersion, info: DockerInfo, seal: Seal): Isolation {
  const runtimes = Object.keys(info.Runtimes ?? {});
  const options = info.SecurityOptions ?? [];
  const runtime = runtimeOf(seal.runtime, info.DefaultRuntime ?? "runc", runtimes);
  const has = (name: string) => options.some((option) => option.split(",")[0] === `name=${name}`);
  return {
    profile: seal.profile,
    ...{ runtime, runtimes },
    engineId: info.ID ?? "",
    kernel: info.KernelVersion ?? "",
    components: componentsOf(version),
    cgroups: info.CgroupVersion === "2" ? 2 : 1,
    appArmor: has("apparmor"),
    userNamespaces: has("userns") || has("rootless"),
    liveRestore: info.LiveRestoreEnabled === true,
    sealHash: sha256(JSON.stringify([containerBody(sample(seal)), info.Runtimes?.[runtime]])),
  };
}

function sample(seal: Seal): BoxSpec {
  const limits = { memoryBytes: 1, processes: 1, cpus: 1, tmpBytes: 1, fileBytes: 1, openFiles: 1 };
  const identity = { uids: { init: 1, agent: 2 }, gid: 1 };
  const volumes = [{ name: "workspace", path: "/workspace" }];
  return {
    ...{ seal, name: "", image: "", labels: {}, users: ["init", "agent"], identity, limits },
    ...{ volumes, kept: [], hostNames: [] },
  };
}

/** Newer engines also take a containerd shim by its name, which they do not list. */
function runtimeOf(wanted: string | undefined, usual: string, known: readonly string[]): string {
  if (wanted === undefined) return usual;
  if (known.includes(wanted) || /^io\.containerd\.|^\//.test(wanted)) return wanted;
  const message = `Docker knows no runtime "${wanted}" (it knows ${known.join(", ")})`;
  throw engineFault("no-such-runtime", `${message}${didYouMean(wanted, known)}`);
}

/** A distribution's own number is in the commit's place: "1.1.5+ds1-1+deb12u1". */
function componentsOf({ Components = [] }: DockerVersion): Record<string, string> {
  return Object.fromEntries(
    Components.map(({ Name, Version, Details }) => {
      const commit = Details?.GitCommit ?? "";
      const base = Version.split("+")[0] ?? Version;
      return [Name.toLowerCase(), commit.startsWith(base) ? commit : Version];
    }),
  );
}
