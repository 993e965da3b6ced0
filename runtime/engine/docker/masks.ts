import type { ProfileName } from "../engine.ts";

const proc = (names: string) => names.split(" ").map((name) => `/proc/${name}`);

/** Docker's own list, and what else tells about the host. /sys/fs/cgroup is the box's own. */
const ALWAYS = [
  ...proc("acpi asound buddyinfo cmdline config.gz diskstats interrupts kallsyms kcore keys"),
  ...proc("latency_stats pressure sched_debug scsi timer_list timer_stats"),
  ...["/sys/block", "/sys/class", "/sys/devices", "/sys/firmware", "/sys/kernel", "/sys/module"],
];

/**
 * What is left of the machine in /proc and /sys, but for what programs break without: cpuinfo,
 * meminfo, stat, uptime, version and filesystems. `top` and `uptime` miss the load.
 */
const STRICT = [
  ...proc("bootconfig cgroups consoles crypto devices dma driver dynamic_debug execdomains fb"),
  ...proc("iomem ioports key-users kpagecgroup kpagecount kpageflags loadavg locks mdstat misc"),
  ...proc("modules mtrr pagetypeinfo partitions schedstat slabinfo softirqs swaps sysvipc"),
  ...proc("tty vmallocinfo vmstat zoneinfo"),
  ...["/sys/bus", "/sys/dev", "/sys/hypervisor", "/sys/power", "/sys/fs/bpf", "/sys/fs/ext4"],
];

/** Paths that are empty in a box. Few directories, since each costs a mount of its own. */
export const MASKED: Readonly<Record<ProfileName, readonly string[]>> = {
  default: ALWAYS,
  strict: [...ALWAYS, ...STRICT],
};

export const READONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);
