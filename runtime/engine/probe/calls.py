# What is tried of the kernel, each with arguments that can do no harm: (name, number on x86_64,
# number on aarch64, arguments). A call that answers EPERM or ENOSYS is refused, any other answer
# comes from beyond the filter. -1: this machine has no such call.
BAD = -1
CALLS = [
    ("ptrace", 101, 117, (BAD, 0, 0, 0)),
    ("process_vm_readv", 310, 270, (0x7FFFFFF, 0, 0, 0, 0, 0)),
    ("process_vm_writev", 311, 271, (0x7FFFFFF, 0, 0, 0, 0, 0)),
    ("process_madvise", 440, 440, (BAD, 0, 0, 0, 0)),
    ("process_mrelease", 448, 448, (BAD, 0)),
    ("kcmp", 312, 272, (0x7FFFFFF, 0x7FFFFFF, 0, 0, 0)),
    ("pidfd_open", 434, 434, (0x7FFFFFF, 0)),
    ("pidfd_getfd", 438, 438, (BAD, 0, 0)),
    ("pidfd_send_signal", 424, 424, (BAD, 0, 0, 0)),
    ("unshare", 272, 97, (0,)),
    ("setns", 308, 268, (BAD, 0)),
    ("mount", 165, 40, (0, 0, 0, 0, 0)),
    ("umount2", 166, 39, (0, 0)),
    ("open_tree", 428, 428, (BAD, 0, 0)),
    ("open_tree_attr", 467, 467, (BAD, 0, 0, 0, 0)),
    ("move_mount", 429, 429, (BAD, 0, BAD, 0, 0)),
    ("fsopen", 430, 430, (0, 0)),
    ("fsconfig", 431, 431, (BAD, 0, 0, 0, 0)),
    ("fsmount", 432, 432, (BAD, 0, 0)),
    ("fspick", 433, 433, (BAD, 0, 0)),
    ("mount_setattr", 442, 442, (BAD, 0, 0, 0, 0)),
    ("statmount", 457, 457, (0, 0, 0, 0)),
    ("listmount", 458, 458, (0, 0, 0, 0)),
    ("pivot_root", 155, 41, (0, 0)),
    ("chroot", 161, 51, (0,)),
    ("name_to_handle_at", 303, 264, (BAD, 0, 0, 0, 0)),
    ("open_by_handle_at", 304, 265, (BAD, 0, 0)),
    ("fanotify_init", 300, 262, (0, 0)),
    ("bpf", 321, 280, (BAD, 0, 0)),
    ("perf_event_open", 298, 241, (0, 0, BAD, BAD, 0)),
    ("userfaultfd", 323, 282, (0xFFFF,)),
    ("memfd_secret", 447, 447, (0xFFFF,)),
    ("vmsplice", 278, 75, (BAD, 0, 0, 0)),
    ("splice", 275, 76, (BAD, 0, BAD, 0, 0, 0)),
    ("tee", 276, 77, (BAD, BAD, 0, 0)),
    ("modify_ldt", 154, -1, (0, 0, 0)),
    ("add_key", 248, 217, (0, 0, 0, 0, 0)),
    ("request_key", 249, 218, (0, 0, 0, 0)),
    ("keyctl", 250, 219, (BAD, 0, 0, 0, 0)),
    ("pkey_alloc", 330, 289, (BAD, BAD)),
    ("remap_file_pages", 216, 234, (0, 0, BAD, 0, 0)),
    ("mbind", 237, 235, (0, 0, BAD, 0, 0, 0)),
    ("set_mempolicy", 238, 237, (BAD, 0, 0)),
    ("migrate_pages", 256, 238, (0x7FFFFFF, 0, 0, 0)),
    ("move_pages", 279, 239, (0x7FFFFFF, 0, 0, 0, 0, 0)),
    ("capset", 126, 91, (0, 0)),
    ("init_module", 175, 105, (0, 0, 0)),
    ("finit_module", 313, 273, (BAD, 0, 0)),
    ("delete_module", 176, 106, (0, 0)),
    ("kexec_load", 246, 104, (0, BAD, 0, 0)),
    ("kexec_file_load", 320, 294, (BAD, BAD, 0, 0, 0)),
    ("reboot", 169, 142, (0, 0, 0, 0)),
    ("swapon", 167, 224, (0, 0)),
    ("acct", 163, 89, (0,)),
    ("quotactl", 179, 60, (BAD, 0, 0, 0)),
    ("quotactl_fd", 443, 443, (BAD, 0, 0, 0)),
    ("iopl", 172, -1, (0,)),
    ("ioperm", 173, -1, (0, 0, 0)),
    ("sethostname", 170, 161, (0, BAD)),
    ("settimeofday", 164, 170, (0, 0)),
    ("clock_settime", 227, 112, (BAD, 0)),
    ("clock_adjtime", 305, 266, (BAD, 0)),
    ("adjtimex", 159, 171, (0,)),
    ("syslog", 103, 116, (10, 0, 0)),
    ("io_uring_setup", 425, 425, (0, 0)),
    ("io_uring_enter", 426, 426, (BAD, 0, 0, 0, 0, 0)),
    ("io_uring_register", 427, 427, (BAD, 0, 0, 0)),
    ("io_setup", 206, 0, (0, 0)),
    ("clone3", 435, 435, (0, 0)),
    ("execveat", 322, 281, (BAD, 0, 0, 0, 0)),
    ("shmget", 29, 194, (0x7FFF1234, 0, 0)),
    ("semget", 64, 190, (0x7FFF1234, 0, 0)),
    ("msgget", 68, 186, (0x7FFF1234, 0)),
    ("mq_open", 240, 180, (0, 0, 0, 0)),
    ("sched_setscheduler", 144, 119, (0, BAD, 0)),
    ("sched_setattr", 314, 274, (0, 0, BAD)),
    ("ioprio_set", 251, 30, (BAD, 0, 0)),
    ("mlockall", 151, 230, (0,)),
    ("memfd_create", 319, 279, (0, 0)),
    ("landlock_create_ruleset", 444, 444, (0, 0, 1)),
    ("seccomp", 317, 277, (BAD, 0, 0)),
    ("lsm_list_modules", 461, 461, (0, 0, BAD)),
]

# Execution domains that weaken whoever asks for them.
PERSONAS = {"no-randomization": 0x40000, "read-implies-exec": 0x400000, "mmap-page-zero": 0x100000}

NAMESPACES = {
    "mount": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}

FAMILIES = (
    "0 UNIX INET AX25 IPX APPLETALK NETROM BRIDGE ATMPVC X25 INET6 ROSE DECnet NETBEUI SECURITY "
    "KEY NETLINK PACKET ASH ECONET ATMSVC RDS SNA IRDA PPPOX WANPIPE LLC IB MPLS CAN TIPC "
    "BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154 CAIF ALG NFC VSOCK KCM QIPCRTR SMC XDP MCTP"
).split()
TYPES = {"stream": 1, "datagram": 2, "raw": 3, "packets": 5, "dccp": 6}
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17, "DCCP": 33, "SCTP": 132, "UDPLITE": 136, "MPTCP": 262}

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()

# What could tell about the host. Below /sys every one is a directory or a file of the kernel's.
IN_PROC = (
    "acpi asound bootconfig buddyinfo bus/pci/devices cgroups cmdline config.gz consoles "
    "cpuinfo crypto devices diskstats dma driver/rtc execdomains fb filesystems interrupts "
    "iomem ioports kallsyms kcore key-users keys kmsg kpagecgroup kpagecount latency_stats "
    "loadavg locks mdstat meminfo misc modules mtrr pagetypeinfo partitions pressure/cpu "
    "sched_debug schedstat scsi/scsi slabinfo softirqs stat swaps sysvipc/shm timer_list "
    "timer_stats tty/drivers uptime version vmallocinfo vmstat zoneinfo "
    "sys/kernel/random/boot_id sys/kernel/hostname sys/kernel/osrelease sys/kernel/core_pattern "
    "sys/kernel/modprobe"
).split()
IN_SYS = (
    "block bus class dev devices firmware fs/bpf fs/ext4 hypervisor kernel module power"
).split()
HOST_FILES = [
    *("/proc/" + name for name in IN_PROC),
    *("/sys/" + name for name in IN_SYS),
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/.dockerinit",
    "/var/run/secrets/kubernetes.io",
]
