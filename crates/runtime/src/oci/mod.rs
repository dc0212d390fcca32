//! The OCI configuration of a container, with Docker's defaults.
//!
//! In: a [`Bundle`], who its user is, and how the host's cgroups are mounted. Out: the `config.json` as a value.
//! It reads device nodes of the host where the bundle names some, and nothing else.

mod capabilities;
mod devices;
mod environment;
mod mounts;
mod process;
mod resources;
mod seccomp;

use std::collections::HashMap;
use std::path::PathBuf;

use oci_spec::runtime::{
    Linux, LinuxNamespace, LinuxNamespaceType, LinuxResources, Root, RootBuilder, Spec,
};

use crate::bundle::{Bundle, Mount, Namespace, Propagation, Seccomp};
use crate::error::CreateError;
use crate::setup::{CgroupMode, Cgroups};
use crate::user::Identity;

pub(crate) use process::exec_process;

/// Where the root file system is, relative to the bundle.
pub(crate) const ROOTFS: &str = "rootfs";
/// Where the init program is in the container.
pub(crate) const INIT_TARGET: &str = "/sbin/docker-init";

/// What in `/proc` and `/sys` tells about the host or can harm it: hidden from containers.
pub const MASKED_PATHS: &[&str] = &[
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];
/// What of `/proc` containers may read but not write.
pub const READONLY_PATHS: &[&str] =
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Writes the configuration.
pub(crate) fn spec(
    bundle: &Bundle,
    identity: &Identity,
    cgroups: Cgroups,
) -> Result<Spec, CreateError> {
    let mut spec = Spec::default();
    spec.set_version("1.0.2".into());
    spec.set_root(Some(root(bundle)?));
    spec.set_process(Some(process::process(bundle, identity)?));
    spec.set_mounts(Some(mounts::mounts(bundle)?));
    spec.set_hooks(None);
    let private_uts = bundle.namespaces.uts == Namespace::Private;
    spec.set_hostname(private_uts.then(|| bundle.hostname.clone()));
    if private_uts && !bundle.domainname.is_empty() {
        spec.set_domainname(Some(bundle.domainname.clone()));
    }
    let annotations: HashMap<_, _> = bundle.annotations.clone().into_iter().collect();
    spec.set_annotations(Some(annotations));
    spec.set_linux(Some(linux(bundle, cgroups)?));
    Ok(spec)
}

fn root(bundle: &Bundle) -> Result<Root, CreateError> {
    RootBuilder::default()
        .path(ROOTFS)
        .readonly(bundle.readonly_rootfs)
        .build()
        .map_err(|error| CreateError::Invalid(error.to_string()))
}

fn linux(bundle: &Bundle, cgroups: Cgroups) -> Result<Linux, CreateError> {
    let mut linux = Linux::default();
    let (nodes, rules) = devices::devices(bundle)?;
    let mut resources: LinuxResources = resources::resources(&bundle.resources, cgroups);
    resources.set_devices(cgroups.device_filter.then_some(rules));
    linux.set_devices(Some(nodes));
    linux.set_resources(Some(resources));
    linux.set_cgroups_path(Some(cgroups_path(bundle)));
    linux.set_namespaces(Some(namespaces(bundle, cgroups)));
    linux.set_sysctl(Some(sysctls(bundle)?));
    linux.set_rootfs_propagation(rootfs_propagation(bundle).map(str::to_owned));
    linux.set_masked_paths(Some(hidden(bundle, bundle.masked_paths.as_ref(), MASKED_PATHS)));
    linux.set_readonly_paths(Some(hidden(bundle, bundle.readonly_paths.as_ref(), READONLY_PATHS)));
    linux.set_seccomp(match &bundle.seccomp {
        _ if bundle.privileged => None,
        Seccomp::Unconfined => None,
        Seccomp::Default => Some(seccomp::default(&process::capabilities(bundle)?)),
        Seccomp::Profile(json) => Some(seccomp::custom(json, &process::capabilities(bundle)?)?),
    });
    Ok(linux)
}

fn hidden(bundle: &Bundle, chosen: Option<&Vec<String>>, default: &[&str]) -> Vec<String> {
    match chosen {
        Some(paths) => paths.clone(),
        None if bundle.privileged => Vec::new(),
        None => default.iter().map(|path| (*path).to_owned()).collect(),
    }
}

/// Path of the container's cgroup below the mount point of each controller.
pub(crate) fn cgroups_path(bundle: &Bundle) -> PathBuf {
    let parent = bundle.cgroup_parent.as_deref().unwrap_or("/hawser");
    PathBuf::from("/").join(parent).join(&bundle.id)
}

fn private_cgroupns(bundle: &Bundle, cgroups: Cgroups) -> bool {
    // Docker's default; a privileged one sees the host's even on version 2.
    bundle.private_cgroupns.unwrap_or(cgroups.mode == CgroupMode::V2 && !bundle.privileged)
}

/// No `network`: the OCI runtime keeps the namespace that it is started in.
fn namespaces(bundle: &Bundle, cgroups: Cgroups) -> Vec<LinuxNamespace> {
    let chosen = [
        (LinuxNamespaceType::Pid, &bundle.namespaces.pid),
        (LinuxNamespaceType::Ipc, &bundle.namespaces.ipc),
        (LinuxNamespaceType::Uts, &bundle.namespaces.uts),
    ];
    let mut namespaces = vec![namespace(LinuxNamespaceType::Mount, None)];
    for (kind, from) in chosen {
        match from {
            Namespace::Private => namespaces.push(namespace(kind, None)),
            Namespace::Join(path) => namespaces.push(namespace(kind, Some(path.clone()))),
            Namespace::Host => {}
        }
    }
    if private_cgroupns(bundle, cgroups) {
        namespaces.push(namespace(LinuxNamespaceType::Cgroup, None));
    }
    namespaces
}

fn namespace(kind: LinuxNamespaceType, path: Option<PathBuf>) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(kind).set_path(path);
    namespace
}

fn sysctls(bundle: &Bundle) -> Result<HashMap<String, String>, CreateError> {
    if let Some(key) = bundle.sysctls.keys().find(|key| key.starts_with("net.")) {
        let text = format!("sysctl {key} belongs to the network namespace, not to the runtime");
        return Err(CreateError::Invalid(text));
    }
    Ok(bundle.sysctls.clone().into_iter().collect())
}

/// Whether mounts made in the container are to be seen on the host.
pub(crate) fn shares_mounts(bundle: &Bundle) -> bool {
    rootfs_propagation(bundle) == Some("shared")
}

/// What the root must allow so that the binds can have their own propagation.
fn rootfs_propagation(bundle: &Bundle) -> Option<&'static str> {
    let wanted = bundle.mounts.iter().map(|mount| match mount {
        Mount::Bind { propagation, .. } => *propagation,
        Mount::Tmpfs { .. } | Mount::FileSystem { .. } => Propagation::RPrivate,
    });
    let mut strongest = None;
    for propagation in wanted {
        match propagation {
            Propagation::Shared | Propagation::RShared => return Some("shared"),
            Propagation::Slave | Propagation::RSlave => strongest = Some("rslave"),
            Propagation::Private | Propagation::RPrivate => {}
        }
    }
    strongest
}

#[cfg(test)]
mod tests;
