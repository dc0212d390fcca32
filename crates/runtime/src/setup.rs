//! What the host must have, and how its cgroups are mounted.
//!
//! In: [`Config`]. Out: [`Programs`] found and [`Cgroups`] detected, or an error that says what to install.
//! It starts nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

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
    /// The name of the default one, which must be installed; the others are looked for when they are used.
    pub default_runtime: String,
    /// A mount that holds pins of network namespaces: detached in the mount namespaces of containers, which
    /// would else keep every namespace of that moment alive. It must be mounted before [`crate::Runtime::new`].
    pub netns_dir: Option<PathBuf>,
}

impl Config {
    /// `crun` and `runc` from `PATH`, `crun` by default.
    #[must_use]
    pub fn new(exec_root: impl Into<PathBuf>) -> Self {
        let program = |name: &str| Program { path: name.into(), args: Vec::new() };
        let runtimes = ["crun", "runc"].map(|name| (name.to_owned(), program(name)));
        Self {
            exec_root: exec_root.into(),
            conmon: None,
            runtimes: runtimes.into(),
            default_runtime: "crun".into(),
            netns_dir: None,
        }
    }
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

/// The host's cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cgroups {
    pub mode: CgroupMode,
    /// Whether swap can be limited.
    pub swap_limit: bool,
    /// Whether the OCI runtime can set up the device filter.
    pub device_filter: bool,
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
        source: io::Error,
    },
}

const CGROUP_ROOT: &str = "/sys/fs/cgroup";
/// Where hybrid hosts mount version 2.
pub(crate) const UNIFIED: &str = "/sys/fs/cgroup/unified";
const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Finds a program by its path, or in `PATH`.
///
/// # Errors
/// It is not there; the text names the Debian package.
pub(crate) fn find(program: &Path) -> Result<PathBuf, SetupError> {
    let missing = || {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        SetupError::Missing { package: name.clone(), program: name }
    };
    if program.components().count() > 1 {
        return is_program(program).then(|| program.to_path_buf()).ok_or_else(missing);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| is_program(candidate))
        .ok_or_else(missing)
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Looks at what is mounted.
pub(crate) fn cgroups() -> Result<Cgroups, SetupError> {
    let kind = |path| rustix::fs::statfs(path).map(|stat| stat.f_type).unwrap_or(0);
    let mode = match (kind(CGROUP_ROOT), kind(UNIFIED)) {
        (CGROUP2_SUPER_MAGIC, _) => CgroupMode::V2,
        (TMPFS_MAGIC, CGROUP2_SUPER_MAGIC) => CgroupMode::Hybrid,
        (TMPFS_MAGIC, _) if Path::new("/sys/fs/cgroup/memory").is_dir() => CgroupMode::V1,
        _ => return Err(SetupError::NoCgroups),
    };
    Ok(Cgroups { mode, swap_limit: swap_limit(mode), device_filter: device_filter(mode) })
}

/// Makes a folder that only root may enter: bundles hold the environment of containers, secrets
/// and all.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Removes the empty cgroup that containers' cgroups were in, from every hierarchy: for an engine
/// that leaves the machine. One that is in use stays.
pub fn remove_cgroup_parent() {
    let root = Path::new(CGROUP_ROOT);
    let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten();
    for hierarchy in hierarchies.map(|entry| entry.path()).chain([root.to_path_buf()]) {
        // Absent in most, and busy where another engine of ours works.
        let _ = std::fs::remove_dir(hierarchy.join("hawser"));
    }
}

/// On version 2 the filter is an eBPF program, and crun lifts the limit of locked memory for it,
/// which takes CAP_SYS_RESOURCE: a machine inside a machine may lack it.
fn device_filter(mode: CgroupMode) -> bool {
    use rustix::process::{Resource, getrlimit};
    use rustix::thread::{CapabilitySet, capabilities};
    let unlimited = getrlimit(Resource::Memlock).maximum.is_none();
    let may = capabilities(None).is_ok_and(|c| c.effective.contains(CapabilitySet::SYS_RESOURCE));
    let filter = mode != CgroupMode::V2 || unlimited || may;
    if !filter {
        tracing::warn!(
            "this machine lacks CAP_SYS_RESOURCE: devices of containers are not filtered, so they \
             can't make device nodes (CAP_MKNOD) unless they are told that they may"
        );
    }
    filter
}

fn swap_limit(mode: CgroupMode) -> bool {
    let root = Path::new(CGROUP_ROOT);
    if mode != CgroupMode::V2 {
        return root.join("memory/memory.memsw.limit_in_bytes").exists();
    }
    // The root cgroup has no such file, any other one has.
    let has = |path: &Path| path.join("memory.swap.max").exists();
    let children = std::fs::read_dir(root).into_iter().flatten().flatten();
    has(root) || children.take(256).any(|child| has(&child.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let error = find(Path::new("/nowhere/conmon")).unwrap_err().to_string();
        assert_eq!(error, "conmon is not installed: install it with `apt-get install conmon`");
        assert!(find(Path::new("sh")).is_ok());
    }

    #[test]
    fn this_host_has_cgroups() {
        assert!(cgroups().is_ok());
    }
}
