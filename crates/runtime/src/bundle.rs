//! What a caller asks for: the container to run, in this crate's own words.
//!
//! In: filled in by the engine from its records. Out: read by [`crate::oci`], which writes the OCI
//! configuration, and by the spawner, which takes the file descriptors. It is not Docker's JSON and not OCI's:
//! defaults of Docker that hold for every container (capabilities, system-call filter, devices, `/proc`,
//! masked paths) are *not* in here, they are added by [`crate::oci`].

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A container to create. The file descriptors are consumed by [`crate::Runtime::create`].
#[derive(Debug)]
pub struct Bundle {
    /// The container's id: letters, digits, `_`, `.`, `-`; at most 128 bytes.
    pub id: String,
    /// Name of the OCI runtime among [`crate::Config::runtimes`]; `None` takes the default one.
    pub runtime: Option<String>,
    /// The root file system: a *detached* mount (`fsmount` or `open_tree(OPEN_TREE_CLONE)`), attached in a
    /// mount namespace of the container's own, so that it goes away with the container.
    pub rootfs: OwnedFd,
    /// The network namespace to run in; `None` stays in the daemon's.
    pub netns: Option<OwnedFd>,
    /// The first process.
    pub process: Process,
    /// Host name inside; ignored when `namespaces.uts` is not private.
    pub hostname: String,
    /// NIS domain name inside; empty leaves the kernel's.
    pub domainname: String,
    /// Mounts beside the default ones, in the wanted order. One at a default target replaces that default.
    pub mounts: Vec<Mount>,
    /// Size of `/dev/shm` in bytes; `None` is Docker's 64 MiB.
    pub shm_size: Option<u64>,
    /// No `/dev/shm` at all.
    pub without_shm: bool,
    /// Devices beside the default ones.
    pub devices: Vec<Device>,
    /// Further rules for the device cgroup as `(type major:minor access)` text, e.g. `c 1:3 mr`.
    pub device_cgroup_rules: Vec<String>,
    /// All capabilities, all devices, nothing masked or filtered.
    pub privileged: bool,
    /// The root file system is mounted read-only.
    pub readonly_rootfs: bool,
    /// Paths hidden inside; `None` takes Docker's list.
    pub masked_paths: Option<Vec<String>>,
    /// Paths read-only inside; `None` takes Docker's list.
    pub readonly_paths: Option<Vec<String>>,
    /// Filter of system calls.
    pub seccomp: Seccomp,
    /// Name of an AppArmor profile that is loaded; `None` for unconfined.
    pub apparmor: Option<String>,
    /// Limits, enforced by the cgroup.
    pub resources: Resources,
    /// Parent of the container's cgroup, e.g. `/hawser`; `None` is `/hawser`.
    pub cgroup_parent: Option<String>,
    /// Own or host's cgroup namespace; `None` takes the host's default: private on cgroup v2, host on v1.
    pub private_cgroupns: Option<bool>,
    /// Kernel parameters to set in the container's own namespaces. Keys `net.*` are refused here: the owner of
    /// the network namespace sets them.
    pub sysctls: BTreeMap<String, String>,
    /// Which of the host's namespaces are shared, or which container's.
    pub namespaces: Namespaces,
    /// A static `init` program of the host (see [`crate::Runtime::init_program`]) that runs as process 1 and
    /// starts the process.
    pub init: Option<PathBuf>,
    /// Annotations of the OCI configuration.
    pub annotations: BTreeMap<String, String>,
    /// Where the log is written; `None` writes none. Its folder must exist.
    pub log_path: Option<PathBuf>,
}

impl Bundle {
    /// A bundle with Docker's defaults: own namespaces, root user, no limits.
    #[must_use]
    pub fn new(id: impl Into<String>, rootfs: OwnedFd, process: Process) -> Self {
        let id = id.into();
        Self {
            hostname: id.chars().take(12).collect(),
            id,
            runtime: None,
            rootfs,
            netns: None,
            process,
            domainname: String::new(),
            mounts: Vec::new(),
            shm_size: None,
            without_shm: false,
            devices: Vec::new(),
            device_cgroup_rules: Vec::new(),
            privileged: false,
            readonly_rootfs: false,
            masked_paths: None,
            readonly_paths: None,
            seccomp: Seccomp::Default,
            apparmor: None,
            resources: Resources::default(),
            cgroup_parent: None,
            private_cgroupns: None,
            sysctls: BTreeMap::new(),
            namespaces: Namespaces::default(),
            init: None,
            annotations: BTreeMap::new(),
            log_path: None,
        }
    }
}

/// The first process of a container.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// Program and arguments; not empty.
    pub args: Vec<String>,
    /// `NAME=value` of the image and the user. `PATH`, `HOSTNAME` and (with a terminal) `TERM` are added in
    /// front; an entry here wins over them; `NAME` without `=` removes one.
    pub env: Vec<String>,
    /// `NAME=value` between the defaults and `env` (the variables of links).
    pub linked_env: Vec<String>,
    /// Working directory; empty is `/`. Made when it does not exist.
    pub cwd: String,
    /// `user[:group]` by name or number, looked up in the container's own `/etc/passwd`; empty is root.
    pub user: String,
    /// Further groups by name or number.
    pub groups: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Initial size of the terminal.
    pub size: Option<TerminalSize>,
    /// Whether its input stays open; else it reads from `/dev/null`.
    pub stdin: bool,
    /// Whether its input is closed when the first client that was attached to it goes.
    pub stdin_once: bool,
    /// Capabilities to add to Docker's default ones (`NET_ADMIN`, `CAP_NET_ADMIN` or `ALL`).
    pub cap_add: Vec<String>,
    /// Capabilities to take away (`ALL` takes all but the added ones).
    pub cap_drop: Vec<String>,
    /// Whether it can gain no privileges by exec.
    pub no_new_privileges: bool,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// `oom_score_adj`, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
}

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// One limit of `setrlimit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rlimit {
    /// Name as Docker writes it: `nofile`, `nproc`, `core`, …
    pub name: String,
    /// Soft limit; -1 is unlimited.
    pub soft: i64,
    /// Hard limit; -1 is unlimited.
    pub hard: i64,
}

/// One mount in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A file or folder of the host; it must exist.
    Bind {
        /// Path on the host, absolute.
        source: PathBuf,
        /// Path in the container, absolute.
        target: String,
        /// Whether it cannot be written through this mount.
        read_only: bool,
        /// Whether mounts below `source` come along.
        recursive: bool,
        /// How later mounts travel.
        propagation: Propagation,
    },
    /// Memory.
    Tmpfs {
        /// Path in the container, absolute.
        target: String,
        /// Options as `mount -o` takes them, e.g. `size=64m`, `mode=1777`; `nosuid`, `nodev`, `noexec` are the
        /// default, and taken back by `exec`, `suid`, `dev`.
        options: Vec<String>,
    },
    /// A file system of any type, mounted for this container alone.
    FileSystem {
        /// Its type, as mount(2) knows it.
        kind: String,
        /// What is mounted: a device, a share.
        source: String,
        /// Path in the container, absolute.
        target: String,
        /// Options as `mount -o` takes them.
        options: Vec<String>,
    },
}

/// How mounts made later below a bind travel between host and container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// Not at all: Docker's default.
    #[default]
    RPrivate,
    /// Not at all, this mount only.
    Private,
    /// From the host to the container.
    RSlave,
    /// From the host to the container, this mount only.
    Slave,
    /// Both ways.
    RShared,
    /// Both ways, this mount only.
    Shared,
}

/// A device of the host shown in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Path on the host; a folder gives all devices in it.
    pub host: PathBuf,
    /// Path in the container.
    pub container: String,
    /// Letters of `r`, `w`, `m`.
    pub permissions: String,
}

/// Filter of system calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Seccomp {
    /// The default allow-list.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// A profile in Docker's JSON format, as `--security-opt seccomp=…` gives it.
    Profile(String),
}

/// Limits; 0 or `None` means none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory in bytes.
    pub memory: u64,
    /// Memory and swap in bytes; -1 is unlimited swap, 0 is Docker's default: twice the memory.
    pub memory_swap: i64,
    /// Soft limit in bytes.
    pub memory_reservation: u64,
    /// 0 to 100.
    pub memory_swappiness: Option<u64>,
    /// Whether the kernel must not kill when memory runs out (cgroup v1 only).
    pub oom_kill_disable: bool,
    /// Relative weight.
    pub cpu_shares: u64,
    /// Microseconds of processor time a period.
    pub cpu_quota: i64,
    /// Length of a period in microseconds.
    pub cpu_period: u64,
    /// Processors, e.g. `0-2,4`.
    pub cpuset_cpus: String,
    /// Memory nodes.
    pub cpuset_mems: String,
    /// Number of processes; `<= 0` is unlimited.
    pub pids: i64,
    /// Weight of block I/O, 10 to 1000.
    pub blkio_weight: u16,
}

/// Where a kind of namespace comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Namespace {
    /// A new one.
    #[default]
    Private,
    /// The host's.
    Host,
    /// That of another process: `/proc/<pid>/ns/<kind>`.
    Join(PathBuf),
}

/// The namespaces that can be chosen. The mount namespace is always new; the network's is [`Bundle::netns`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Process ids.
    pub pid: Namespace,
    /// System V and POSIX message queues and shared memory.
    pub ipc: Namespace,
    /// Host name.
    pub uts: Namespace,
}

/// A command to run in a running container.
#[derive(Debug, Clone, Default)]
pub struct ExecSpec {
    /// Program and arguments; not empty.
    pub args: Vec<String>,
    /// `NAME=value` on top of the container's own environment.
    pub env: Vec<String>,
    /// Working directory; empty is the container's.
    pub cwd: String,
    /// `user[:group]`; empty is the container's.
    pub user: String,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Initial size of the terminal.
    pub size: Option<TerminalSize>,
    /// Whether its input is open.
    pub stdin: bool,
    /// All capabilities.
    pub privileged: bool,
}
