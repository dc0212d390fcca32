//! OCI bundles, run by `crun` (or another OCI runtime) under `conmon`.
//!
//! In: a [`Bundle`], which says what to run in this crate's own words and carries the root file system and the
//! network namespace as file descriptors. Out: a container whose processes do not depend on the daemon, and
//! its output, exit and logs. All that must survive a restart of the daemon is in [`Created`] (for the engine's
//! records) and in files below [`Config::exec_root`].
//!
//! It is not a container *engine*: it knows no names, images, networks or restart policies, and keeps no
//! records. Of networks it knows "a namespace to run in".
//!
//! Life of a container: [`Runtime::create`] → [`Runtime::attach`] (as often as wanted; before the start no
//! byte is lost) → [`Runtime::start`] → [`Runtime::wait`] → [`Runtime::delete`]. After a restart of the daemon:
//! [`Runtime::reattach`] in the place of create.

mod attach;
mod bundle;
mod conmon;
mod container;
mod create;
mod error;
mod exec;
mod filters;
mod logs;
mod oci;
mod orphan;
mod process;
mod raw;
mod runtime;
mod setup;
mod spawn;
mod usage;
mod user;

pub use attach::{Attachment, Chunk, Input, Output, Stream};
pub use bundle::{
    Bundle, Device, ExecSpec, Mount, Namespace, Namespaces, Process, Propagation, Resources,
    Rlimit, Seccomp, TerminalSize,
};
pub use container::{Created, Exit, Status};
pub use error::{CreateError, Error, Failure};
pub use exec::{ExecSession, Execed};
pub use logs::{LogEntry, LogOptions, Logs};
pub use oci::{MASKED_PATHS, READONLY_PATHS};
pub use process::ProcessId;
pub use runtime::Runtime;
pub use setup::{CgroupMode, Config, Program, SetupError, remove_cgroup_parent};
pub use usage::{BlockUsage, CpuUsage, LinkUsage, MemoryUsage, Usage};
pub use user::{Identity, UserError, lookup as lookup_user};
