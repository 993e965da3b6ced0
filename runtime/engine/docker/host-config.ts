import type { BoxLimits, VolumeSpec } from "../engine.ts";
import type { Identity } from "./identity.ts";
import { userFiles } from "./identity.ts";
import { seccompProfile } from "./seccomp.ts";

export interface BoxSpec {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly users: readonly string[];
  readonly identity: Identity;
  readonly limits: BoxLimits;
  /** The box's own volume. */
  readonly volume: { readonly name: string; readonly path: string };
  /** A volume of another box, kept alive where no user of this one can reach it. */
  readonly kept?: string;
}

/** Where a keeper holds the workspace: below a directory that only root could enter. */
export const KEPT_PARENT = "/run/keeper";
export const KEPT_PATH = `${KEPT_PARENT}/workspace`;

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USERS_FOLDER = "/var/lib/extrausers";

/** Options of a local volume that is a tmpfs: on a plain Docker host the one quota that holds. */
export function volumeOptions({ bytes, files, owner }: VolumeSpec, identity: Identity) {
  const uid = identity.uids[owner];
  const size = `size=${bytes},nr_inodes=${files}`;
  const root = `uid=${uid},gid=${identity.gid},mode=2770`;
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
    // Also keeps the host's name servers out of /etc/resolv.conf.
    NetworkDisabled: true,
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
  return `{ ${both}; } 2>/dev/null; exec /bin/sleep 2147483647`;
}

function hostConfig(spec: BoxSpec): object {
  const { limits } = spec;
  return {
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", `seccomp=${seccompProfile}`],
    ReadonlyRootfs: true,
    NetworkMode: "none",
    IpcMode: "none",
    CgroupnsMode: "private",
    MaskedPaths: MASKED,
    ReadonlyPaths: READONLY,
    Sysctls: { "net.ipv4.ping_group_range": "1 0" },
    Init: true,
    // With a log driver, output is unbounded storage on the host.
    LogConfig: { Type: "none" },
    OomScoreAdj: 500,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.processes,
    Ulimits: ulimits(limits),
    Tmpfs: tmpfs(spec),
    Mounts: mounts(spec),
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
    ...Object.fromEntries(perHome),
    ...(kept === undefined ? {} : { [KEPT_PARENT]: `${tiny},mode=0700` }),
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
function mounts({ volume, kept }: BoxSpec): object[] {
  const mount = (source: string, target: string, readOnly: boolean) => ({
    Type: "volume",
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: { NoCopy: true },
  });
  const own = mount(volume.name, volume.path, false);
  return kept === undefined ? [own] : [own, mount(kept, KEPT_PATH, true)];
}

/** Docker's own list, and what else tells about the host. /sys/fs/cgroup is the box's own. */
const MASKED = [
  ...["acpi", "asound", "buddyinfo", "cmdline", "config.gz", "diskstats", "interrupts"],
  ...["kallsyms", "kcore", "keys", "latency_stats", "pressure", "sched_debug", "scsi"],
  ...["timer_list", "timer_stats"],
].map((name) => `/proc/${name}`);
MASKED.push("/sys/block", "/sys/class", "/sys/devices", "/sys/firmware", "/sys/kernel");
MASKED.push("/sys/module");

const READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
