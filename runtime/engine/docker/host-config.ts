import type { BoxLimits, ProfileName, VolumeSpec } from "../engine.ts";
import type { Identity } from "./identity.ts";
import { userFiles } from "./identity.ts";
import { MASKED, READONLY } from "./masks.ts";
import { hostProcesses } from "./oci-runtime.ts";
import { SECCOMP } from "./seccomp.ts";

/** What a box is sealed with beyond what every box is. */
export interface Seal {
  readonly profile: ProfileName;
  /** An OCI runtime that Docker knows; undefined: the one that is Docker's default. */
  readonly runtime: string | undefined;
}

export interface BoxSpec {
  readonly seal: Seal;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly users: readonly string[];
  readonly identity: Identity;
  readonly limits: BoxLimits;
  /** The box's own volumes. */
  readonly volumes: readonly MountedVolume[];
  /** Volumes of another box, kept alive where no user of this one can reach them. */
  readonly kept: readonly MountedVolume[];
  /** Names that lead to the box itself. */
  readonly hostNames: readonly string[];
  /** Docker's name of the network that it is in. Absent: none but loopback. */
  readonly network?: string;
}

export interface MountedVolume {
  readonly name: string;
  readonly path: string;
}

/** Where a keeper holds the main box's volumes: below a directory that only root could enter. */
export const KEPT_PARENT = "/run/keeper";
export const KEPT_WORKSPACE = `${KEPT_PARENT}/workspace`;
export const KEPT_STATE = `${KEPT_PARENT}/state`;

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USERS_FOLDER = "/var/lib/extrausers";
/** Of the main box: for what its init tells everybody in it. */
const INIT_FOLDER = "/run/cloche";

/** Who may enter a volume: whoever is in the sandbox's group, or its owner alone. */
export type VolumeMode = "2770" | "0700";

/** Options of a local volume that is a tmpfs: on a plain Docker host the one quota that holds. */
export function volumeOptions(
  { bytes, files, owner }: VolumeSpec,
  mode: VolumeMode,
  identity: Identity,
) {
  const uid = identity.uids[owner];
  const size = `size=${bytes},nr_inodes=${files}`;
  const root = `uid=${uid},gid=${identity.gid},mode=${mode}`;
  return { type: "tmpfs", device: "tmpfs", o: `${size},${root},nosuid,nodev` };
}

/** What Docker is asked for: sealed as far as Docker can seal, bounded wherever it can bound. */
export function containerBody(spec: BoxSpec): object {
  return {
    Image: spec.image,
    Entrypoint: ["/bin/sh"],
    Cmd: ["-c", initScript(spec)],
    User: `${spec.identity.uids["init"]}:${spec.identity.gid}`,
    Env: [`PATH=${PATH}`, "LANG=C.UTF-8", "TZ=UTC"],
    // Docker's default name is the container's id: a leak, and different on each run.
    Hostname: "sandbox",
    WorkingDir: "/",
    Labels: spec.labels,
    // Keeps the host's name servers out of /etc/resolv.conf; but Docker writes no names then.
    NetworkDisabled: spec.hostNames.length === 0 && spec.network === undefined,
    Healthcheck: { Test: ["NONE"] },
    StopSignal: "SIGKILL",
    HostConfig: hostConfig(spec),
  };
}

/** Users get names, then nothing more happens: what works in the box is started from outside. */
function initScript({ identity, users }: BoxSpec): string {
  const { passwd, group } = userFiles(identity, users);
  const write = (text: string, name: string) => `printf %s '${text}' > ${USERS_FOLDER}/${name}`;
  const both = `${write(passwd, "passwd")}; ${write(group, "group")}`;
  // Who dies for memory takes the box along, so it is the last: see launch.ts.
  const last = "echo 0 > /proc/1/oom_score_adj; echo 0 > /proc/$$/oom_score_adj";
  return `{ ${both}; ${last}; } 2>/dev/null; exec /bin/sleep 2147483647`;
}

function hostConfig(spec: BoxSpec): object {
  const { limits, seal } = spec;
  return {
    ...(seal.runtime === undefined ? {} : { Runtime: seal.runtime }),
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", `seccomp=${SECCOMP[seal.profile]}`],
    ReadonlyRootfs: true,
    NetworkMode: spec.network ?? "none",
    IpcMode: "none",
    CgroupnsMode: "private",
    MaskedPaths: MASKED[seal.profile],
    ReadonlyPaths: READONLY,
    Sysctls: SYSCTLS,
    ...nameResolution(spec),
    Init: true,
    // With a log driver, output is unbounded storage on the host.
    LogConfig: { Type: "none" },
    OomScoreAdj: 500,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: hostProcesses(limits.processes, seal.runtime),
    Ulimits: ulimits(limits),
    Tmpfs: tmpfs(spec),
    Mounts: mounts(spec),
  };
}

const SYSCTLS = {
  "net.ipv4.ping_group_range": "1 0",
  "net.ipv4.ip_unprivileged_port_start": "0",
};

/** Other names are asked for where nobody answers, so the answer is at once that there is none. */
function nameResolution({ hostNames, network }: BoxSpec): object {
  // What is asked for is the name, and not the name in a domain of the host's.
  if (network !== undefined) return { DnsSearch: ["."] };
  if (hostNames.length === 0) return {};
  return {
    ExtraHosts: hostNames.map((name) => `${name}:127.0.0.1`),
    Dns: ["127.0.0.1"],
    DnsSearch: ["."],
  };
}

/** Never nproc: the kernel counts it per uid over the whole host. */
function ulimits({ openFiles, fileBytes }: BoxLimits) {
  const exact = (name: string, value: number) => ({ Name: name, Soft: value, Hard: value });
  return [
    exact("nofile", openFiles),
    exact("fsize", fileBytes),
    exact("core", 0),
    exact("msgqueue", 0),
    exact("memlock", 65_536),
  ];
}

const MIB = 2 ** 20;

/**
 * Temporary file systems, each bounded in bytes and files. Programs may be executed from /tmp and
 * the homes: they could be from the workspace as well, and agents expect it.
 */
function tmpfs({ identity, users, limits, kept }: BoxSpec): Record<string, string> {
  const { uids, gid } = identity;
  const homes = users.filter((user) => user !== "init");
  const shm = Math.min(64 * MIB, Math.floor(limits.tmpBytes / 4));
  const home = Math.floor(limits.tmpBytes / 8 / Math.max(1, homes.length));
  const tmp = limits.tmpBytes - shm - home * homes.length;
  const sized = (bytes: number) => `size=${bytes},nr_inodes=${inodesFor(bytes)}`;
  const tiny = "rw,noexec,nosuid,nodev,size=65536,nr_inodes=16";
  const perHome = homes.map((user): [string, string] => [
    `/home/${user}`,
    `rw,exec,nosuid,nodev,${sized(home)},mode=0700,uid=${uids[user]},gid=${gid}`,
  ]);
  return {
    "/tmp": `rw,exec,nosuid,nodev,${sized(tmp)},mode=1777`,
    "/dev/shm": `rw,noexec,nosuid,nodev,${sized(shm)},mode=1777`,
    [USERS_FOLDER]: `${tiny},mode=0755,uid=${uids["init"]},gid=${gid}`,
    ...(kept.length === 0 ? { [INIT_FOLDER]: `${tiny},mode=0755,uid=${uids["init"]}` } : {}),
    ...Object.fromEntries(perHome),
    ...(kept.length === 0 ? {} : { [KEPT_PARENT]: `${tiny},mode=0700` }),
  };
}

/** The temporary file systems of a box. */
export function temporaryFolders(spec: BoxSpec): string[] {
  return Object.keys(tmpfs(spec));
}

/** Directories that an archive request would show empty. */
export function unreadablePaths(temporary: readonly string[]): string[] {
  return [...temporary.filter((path) => path !== KEPT_PARENT), "/proc", "/sys"];
}

function inodesFor(bytes: number): number {
  return Math.min(65_536, Math.max(1_024, Math.floor(bytes / 2_048)));
}

/** Without NoCopy Docker would fill the volume from the image and change its owner. */
function mounts({ volumes, kept }: BoxSpec): object[] {
  const mount = (isReadOnly: boolean) => (volume: MountedVolume) => ({
    Type: "volume",
    Source: volume.name,
    Target: volume.path,
    ReadOnly: isReadOnly,
    VolumeOptions: { NoCopy: true },
  });
  return [...volumes.map(mount(false)), ...kept.map(mount(true))];
}
