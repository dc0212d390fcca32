//! Containers that the engine has no record of.
//!
//! In: folders below the exec root. Out: a [`Container`] good enough to be deleted. They come about when the daemon
//! is killed after a container was made and before that was written down.

use std::path::Path;

use oci_spec::runtime::Spec;

use crate::conmon;
use crate::container::{Container, Created};
use crate::process::ProcessId;
use crate::runtime::Host;

/// File in a bundle with the name of the OCI runtime.
pub(crate) const RUNTIME: &str = "runtime";

/// Ids of all containers that have files.
pub(crate) fn ids(host: &Host) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(host.dir(""))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// The container of this id, from its files; none when it has none.
pub(crate) fn find(host: &Host, id: &str) -> Option<Container> {
    let dir = host.dir(id);
    if !dir.is_dir() {
        return None;
    }
    let name = std::fs::read_to_string(dir.join(RUNTIME)).unwrap_or_default();
    let known = host.program(Some(name.as_str()).filter(|name| !name.is_empty()));
    let (runtime, program) = known.or_else(|_| host.program(None)).ok()?;
    let spec = Spec::load(dir.join("config.json")).ok();
    let linux = spec.as_ref().and_then(|spec| spec.linux().as_ref());
    let cgroup = linux.and_then(|linux| linux.cgroups_path().clone()).unwrap_or_default();
    // The OCI runtime knows its process for sure, and kills it; we do not.
    let process = ProcessId { pid: 0, start: 0 };
    let conmon = watcher(&dir).unwrap_or(process);
    let created = Created { runtime, process, conmon, cgroup, stdin_once: false };
    Some(Container::new(id, dir, program, created, host.cgroups.mode))
}

/// The number in the file may be another's by now; the container's folder among the arguments tells.
fn watcher(dir: &Path) -> Option<ProcessId> {
    use std::os::unix::ffi::OsStrExt;
    let pid = conmon::read_number(dir.join(conmon::CONMON_PID)).ok()?;
    let process = ProcessId::of(pid).ok()?;
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let wanted = dir.as_os_str().as_bytes();
    arguments.split(|byte| *byte == 0).any(|argument| argument == wanted).then_some(process)
}
