//! What the host must have, and how its cgroups are mounted.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// An OCI runtime program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its path, or its name to be searched in `PATH`.
    pub path: PathBuf,
    /// Arguments put before the command.
    pub args: Vec<String>,
}

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder for sockets, pid files and bundles; on a file system that does not survive a reboot.
    pub exec_root: PathBuf,
    /// Path of `conmon`; `None` searches `PATH`.
    pub conmon: Option<PathBuf>,
    /// The OCI runtimes by name.
    pub runtimes: BTreeMap<String, Program>,
    /// The name of the default one.
    pub default_runtime: String,
    /// A mount that holds pins of network namespaces: detached in the mount namespaces of containers, which
    /// would else keep every namespace of that moment alive.
    pub netns_dir: Option<PathBuf>,
}

/// How cgroups are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupMode {
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
    /// Version 1, and version 2 at `/sys/fs/cgroup/unified`.
    Hybrid,
}

/// The host lacks something.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A program is not installed.
    #[error("{program} is not installed: install it with `apt-get install {package}`")]
    Missing {
        /// Its name.
        program: String,
        /// Debian's package.
        package: String,
    },
    /// The default runtime is not among the runtimes.
    #[error("specified default runtime '{0}' does not exist")]
    NoDefault(String),
    /// No cgroup file system is mounted.
    #[error("no cgroups are mounted at /sys/fs/cgroup")]
    NoCgroups,
    /// A system call failed.
    #[error("{operation}")]
    Io {
        /// What was tried, and on what.
        operation: String,
        /// Why it failed.
        source: std::io::Error,
    },
}
