/**
 * What programs need: Node, Python, bash, git, compilers, browsers. By purpose, so that a line can
 * be judged. Names of either architecture; what an architecture lacks is ignored there.
 */
export const ALLOWED_CALLS: readonly string[] = [
  // Files and directories.
  "open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv",
  "preadv2 pwritev pwritev2 lseek sendfile copy_file_range fallocate fadvise64",
  "readahead sync_file_range sync syncfs fsync fdatasync truncate ftruncate stat lstat fstat",
  "newfstatat statx statfs fstatfs access faccessat faccessat2 chmod fchmod fchmodat fchmodat2",
  "chown lchown fchown fchownat umask utime utimes futimesat utimensat rename renameat renameat2",
  "link linkat unlink unlinkat symlink symlinkat readlink readlinkat mkdir mkdirat rmdir",
  "getcwd chdir fchdir getdents getdents64 dup dup2 dup3 fcntl flock ioctl pipe pipe2",
  "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr",
  "removexattr lremovexattr fremovexattr getxattrat setxattrat listxattrat removexattrat",
  "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch cachestat",
  // Waiting.
  "select _newselect pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait",
  "epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime",
  "timerfd_gettime",
  // Memory.
  "brk mmap munmap mremap mprotect madvise msync mincore mlock mlock2 munlock munlockall",
  "membarrier memfd_create map_shadow_stack mseal",
  // Processes, threads, signals.
  "fork vfork execve exit exit_group wait4 waitid kill tkill tgkill",
  "getpid gettid getppid getpgid setpgid getpgrp getsid setsid set_tid_address",
  "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo",
  "rt_tgsigqueueinfo rt_sigreturn sigaltstack restart_syscall pause alarm getitimer setitimer",
  "futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list rseq",
  "sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_getscheduler",
  "sched_getattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval",
  "getpriority setpriority",
  "prctl arch_prctl seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  "getcpu getrlimit setrlimit prlimit64 getrusage times sysinfo uname getrandom",
  // Who one is; without a capability these only confirm it.
  "getuid geteuid getgid getegid getgroups getresuid getresgid setuid setgid setreuid setregid",
  "setresuid setresgid setfsuid setfsgid setgroups capget",
  // Time.
  "time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep timer_create",
  "timer_settime timer_gettime timer_getoverrun timer_delete",
  // Sockets that exist already; which may be made is decided by family.
  "bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt sendto",
  "recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown",
].flatMap((line) => line.split(" "));

/**
 * What few programs use, and none of ours needs: each has been, or is like, a door into the kernel
 * that was found open. The default profile allows them, the strict one does not know them.
 */
export const SPARED_CALLS: readonly string[] = [
  "splice tee io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy mlockall execveat",
  "pidfd_open pidfd_send_signal sched_setparam sched_setscheduler sched_setattr ioprio_get",
  "ioprio_set",
  // Shared memory, semaphores and queues of the box's own namespace.
  "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open",
  "mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
].flatMap((line) => line.split(" "));

/** Ways out, ways to look into others, and ways to change the machine. */
export const FORBIDDEN_CALLS: readonly string[] = [
  // Other processes' memory and descriptors.
  "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd",
  // Namespaces, mounts, roots.
  "unshare setns mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount",
  "fspick pivot_root chroot name_to_handle_at open_by_handle_at fanotify_init fanotify_mark",
  // Kernel doors with a history.
  "bpf perf_event_open userfaultfd memfd_secret vmsplice modify_ldt add_key request_key keyctl",
  "lookup_dcookie capset remap_file_pages mbind set_mempolicy migrate_pages move_pages",
  "set_mempolicy_home_node pkey_alloc pkey_free pkey_mprotect",
  // The machine itself.
  "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct",
  "quotactl quotactl_fd iopl ioperm sethostname setdomainname settimeofday clock_settime",
  "clock_adjtime adjtimex stime syslog vhangup nfsservctl",
].flatMap((line) => line.split(" "));

/** New enough that programs ask first and have another way: to them the kernel is just older. */
export const UNKNOWN_CALLS: readonly string[] = [
  "io_uring_setup io_uring_enter io_uring_register statmount listmount open_tree_attr",
  "lsm_get_self_attr lsm_set_self_attr lsm_list_modules uretprobe",
].flatMap((line) => line.split(" "));
