/** How each property is checked, by its name without the box that it is of. */
const HOW: Readonly<Record<string, string>> = {
  capabilities: "all five sets of /proc/self/status",
  "no new privileges": "prctl(PR_GET_NO_NEW_PRIVS)",
  "seccomp filter": "prctl(PR_GET_SECCOMP)",
  root: "uid, gid and groups of an agent's program",
  "further groups": "getgroups",
  "programs with set-user-id": "modes of all files",
  calls: "each of a list was called, with arguments that do nothing",
  "namespaces that can be made": "unshare and clone with each flag",
  sockets: "socket() with each family, type and protocol",
  "files about the host": "each of a list was read",
  "kernel settings": "all files below /proc/sys and /sys were opened for writing",
  mounts: "/proc/self/mounts",
  "writable mounts with set-user-id": "/proc/self/mounts",
  "writable mounts with devices": "/proc/self/mounts",
  "writable folders": "a file was made in each folder",
  "writable files": "each file was opened for writing",
  devices: "each device below /dev was opened",
  "special files that can be made": "mknod",
  "other programs": "/proc",
  "reach into other users' programs": "/proc and kill, for all programs of the box",
  "network interfaces": "if_nameindex",
  routes: "/proc/net/route",
  "name servers": "/etc/resolv.conf",
  "abstract sockets": "/proc/net/unix",
  "host name": "gethostname",
  "own cgroup root": "/proc/self/cgroup",
  "own first process": "/proc/1/comm",
  environment: "names of the variables of an agent's program",
  "core dumps": "getrlimit",
  "bytes of message queues": "getrlimit",
  "bytes of locked memory": "getrlimit",
  "largest file": "one was written until the answer was no",
  "open files": "opened until the answer was no",
  processors: "four busy processes, measured",
  processes: "forked until the answer was no",
  "memory (MiB)": "taken until the program was ended",
};

const BY_PREFIX: readonly (readonly [string, string])[] = [
  ["bytes written to ", "written until the answer was no"],
  ["files made in ", "made until the answer was no"],
];

/** Of the sandbox's second box, properties have names that begin so. */
export const KEEPER = "grader's box: ";

export function howChecked(property: string): string {
  const name = property.startsWith(KEEPER) ? property.slice(KEEPER.length) : property;
  if (Object.hasOwn(HOW, name)) return HOW[name] ?? "";
  return BY_PREFIX.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
}
