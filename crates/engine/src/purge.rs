//! Taking the engine off a machine: everything of ours that the kernel has.
//!
//! In: where the namespaces are pinned. Out: a host without a link, rule, namespace, pin or cgroup of ours.
//! It is the ordinary difference, to a host that has nothing.

use std::path::Path;

use hawser_hoststate::{HostState, diff};
use hawser_kernel::{Config, Kernel};

use crate::engine::system;
use crate::error::Result;

/// Removes what is ours from the kernel; gives how many objects that were. Records and images stay.
///
/// # Errors
/// Not root, or the kernel refuses.
pub fn purge(exec_root: &Path) -> Result<usize> {
    let netns_dir = exec_root.join("netns");
    let kernel = Kernel::open(Config { netns_dir }).map_err(|e| system("open the kernel", e))?;
    let observed = kernel.observe().map_err(|e| system("observe the host", e))?;
    let changes = diff(&observed, &HostState::default());
    kernel.apply(&changes).map_err(|e| system("remove what is ours", e.error))?;
    hawser_runtime::remove_cgroup_parent();
    kernel.close().map_err(|e| system("remove the table and the namespace directory", e))?;
    Ok(changes.len())
}
