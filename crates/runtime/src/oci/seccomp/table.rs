//! Which system calls a container may make, by topic.
//!
//! Data only: each topic is a list of names with blanks between. What is not here answers `EPERM`: calls that act on the host as a whole (clock, modules, reboot,
//! swap, keyrings, quotas), on kernel memory or other processes' memory, that make namespaces or mounts, or that
//! have little use and a history of holes (`userfaultfd`, `io_uring`, `vmsplice` has use and stays).
//! Names that an architecture or an old `libseccomp` does not know are skipped by the OCI runtime.

/// Allowed whatever the arguments.
pub(super) const ALLOWED: &[&str] = &[
    FILES,
    FILES_BY_NAME,
    FILE_DATA,
    FILE_LOCKS_AND_LEASES,
    ATTRIBUTES,
    POLLING,
    ASYNC_IO,
    PIPES,
    SOCKETS,
    MEMORY,
    MEMORY_KEYS,
    PROCESSES,
    CREDENTIALS,
    SCHEDULING,
    LIMITS,
    SIGNALS,
    TIME,
    TIMERS,
    SYNCHRONIZATION,
    SYSTEM_V,
    MESSAGE_QUEUES,
    WATCHING,
    RESTRICTING,
    SYSTEM,
    X86,
    ARM,
];

/// Open descriptors.
const FILES: &str = "close close_range creat dup dup2 dup3 fcntl fcntl64 ioctl memfd_create memfd_secret open \
    openat openat2 cachestat";

/// Names in the file system.
const FILES_BY_NAME: &str = "access chdir faccessat faccessat2 fchdir getcwd link linkat mkdir mkdirat mknod mknodat \
    name_to_handle_at readlink readlinkat rename renameat renameat2 rmdir symlink symlinkat \
    umask unlink unlinkat getdents getdents64";

/// Reading and writing.
const FILE_DATA: &str = "_llseek copy_file_range fadvise64 fadvise64_64 fallocate fdatasync fsync ftruncate \
    ftruncate64 lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv \
    sendfile sendfile64 splice sync sync_file_range sync_file_range2 syncfs tee truncate \
    truncate64 vmsplice write writev";

const FILE_LOCKS_AND_LEASES: &str = "flock";

/// Owner, mode, times, extended attributes, statistics.
const ATTRIBUTES: &str = "chmod chown chown32 fchmod fchmodat fchmodat2 fchown fchown32 fchownat fgetxattr \
    flistxattr fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 futimesat \
    getxattr getxattrat lchown lchown32 lgetxattr listmount listxattr listxattrat llistxattr \
    lremovexattr lsetxattr lstat lstat64 newfstatat removexattr removexattrat setxattr \
    setxattrat stat stat64 statfs statfs64 statmount statx utime utimensat utimensat_time64 \
    utimes ustat";

const POLLING: &str = "_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 \
    epoll_wait epoll_wait_old eventfd eventfd2 poll ppoll ppoll_time64 pselect6 \
    pselect6_time64 select";

/// The older interface; `io_uring` is left out.
const ASYNC_IO: &str =
    "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit";

const PIPES: &str = "pipe pipe2";

/// `socket` itself is below: its first argument matters.
const SOCKETS: &str = "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom \
    recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown \
    socketcall socketpair";

const MEMORY: &str = "brk madvise map_shadow_stack mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap \
    mseal msync munlock munlockall munmap process_mrelease remap_file_pages";

const MEMORY_KEYS: &str = "pkey_alloc pkey_free pkey_mprotect";

/// `clone` and `clone3` are below.
const PROCESSES: &str = "execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid gettid \
    pidfd_open pidfd_send_signal prctl set_robust_list get_robust_list set_thread_area \
    get_thread_area set_tid_address setpgid setsid vfork wait4 waitid waitpid";

const CREDENTIALS: &str = "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 \
    getresgid getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid \
    setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid \
    setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32";

const SCHEDULING: &str = "getcpu getpriority ioprio_get ioprio_set nice sched_get_priority_max \
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler \
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr \
    sched_setparam sched_setscheduler sched_yield setpriority";

const LIMITS: &str = "getrlimit getrusage prlimit64 setrlimit ugetrlimit times";

const SIGNALS: &str = "alarm kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask \
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 \
    rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask \
    sigreturn sigsuspend tgkill tkill";

/// Reading the clocks; setting them needs a capability.
const TIME: &str = "adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime \
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 gettimeofday nanosleep time";

const TIMERS: &str = "getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime \
    timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime \
    timerfd_gettime64 timerfd_settime timerfd_settime64";

const SYNCHRONIZATION: &str =
    "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake membarrier rseq";

const SYSTEM_V: &str = "ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat \
    shmctl shmdt shmget";

const MESSAGE_QUEUES: &str = "mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend \
    mq_timedsend_time64 mq_unlink";

/// `fanotify_init` is below.
const WATCHING: &str =
    "fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch";

/// A process can always take rights away from itself.
const RESTRICTING: &str =
    "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp";

const SYSTEM: &str = "getrandom sysinfo uname process_vm_readv process_vm_writev ptrace";

const X86: &str = "arch_prctl modify_ldt";

const ARM: &str = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls";

/// Allowed to who has the capability, which the kernel then checks more closely.
pub(super) const WITH_CAPABILITY: &[(&str, &str)] = &[
    ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    (
        "CAP_SYS_ADMIN",
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount \
         mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname \
         sethostname setns syslog umount umount2 unshare",
    ),
    ("CAP_SYS_BOOT", "reboot"),
    ("CAP_SYS_CHROOT", "chroot"),
    ("CAP_SYS_MODULE", "delete_module finit_module init_module"),
    ("CAP_SYS_PACCT", "acct"),
    ("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"),
    ("CAP_SYS_RAWIO", "ioperm iopl"),
    ("CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
    ("CAP_SYS_TTY_CONFIG", "vhangup"),
    ("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    ("CAP_SYSLOG", "syslog"),
    ("CAP_BPF", "bpf"),
    ("CAP_PERFMON", "perf_event_open"),
];

/// Execution domains that change nothing of the kernel's protection: Linux, with 16-bit inode numbers or not, with
/// the machine name of 32 bits or not, and the question what it is.
pub(super) const PERSONALITIES: [u64; 5] = [0x0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// `CLONE_NEW…`: mount, cgroup, uts, ipc, user, pid, net.
pub(super) const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// Virtual-machine sockets go round the network namespace.
pub(super) const AF_VSOCK: u64 = 40;

pub(super) const ENOSYS: u32 = 38;
pub(super) const EPERM: u32 = 1;
