//! The mounts of a container.
//!
//! In: a [`Bundle`]. Out: the OCI mounts in the order to make them: Docker's own ones, those that the bundle
//! has in their place, then the rest, parents first. No I/O.

use std::path::PathBuf;

use oci_spec::runtime::{Mount as OciMount, MountBuilder};

use super::INIT_TARGET;
use crate::bundle::{Bundle, Mount, Namespace, Propagation};
use crate::error::CreateError;

const SHM_SIZE: u64 = 64 << 20;

/// All mounts.
pub(super) fn mounts(bundle: &Bundle) -> Result<Vec<OciMount>, CreateError> {
    let mut wanted: Vec<OciMount> = bundle.mounts.iter().map(chosen).collect::<Result<_, _>>()?;
    if let Some(init) = &bundle.init {
        let init = init.to_string_lossy();
        wanted.push(mount(INIT_TARGET, "bind", &init, &["bind", "ro", "rprivate"])?);
    }
    let mut mounts = defaults(bundle)?;
    mounts.retain(|default| !wanted.iter().any(|own| own.destination() == default.destination()));
    mounts.append(&mut wanted);
    // A mount hides what is mounted below it before; the sort is stable, so `/dev` stays before `/dev/pts`.
    mounts.sort_by_key(|mount| mount.destination().components().count());
    Ok(mounts)
}

fn defaults(bundle: &Bundle) -> Result<Vec<OciMount>, CreateError> {
    let access = if bundle.privileged { "rw" } else { "ro" };
    let cgroup = ["nosuid", "noexec", "nodev", "relatime", access];
    let pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
    let dev = ["nosuid", "strictatime", "mode=755", "size=65536k"];
    let plain = ["nosuid", "noexec", "nodev"];
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &plain)?,
        mount("/dev", "tmpfs", "tmpfs", &dev)?,
        mount("/dev/pts", "devpts", "devpts", &pts)?,
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", access])?,
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &cgroup)?,
    ];
    // The file system shows the queues of the namespace that it is mounted in, so no bind mount is
    // needed for the host's: few hosts have it mounted.
    mounts.push(mount("/dev/mqueue", "mqueue", "mqueue", &plain)?);
    if bundle.namespaces.ipc == Namespace::Host {
        // With the host's System V objects come its POSIX ones.
        let options = ["rbind", "nosuid", "noexec", "nodev"];
        mounts.push(mount("/dev/shm", "bind", "/dev/shm", &options)?);
        return Ok(mounts);
    }
    if bundle.without_shm {
        return Ok(mounts);
    }
    let size = format!("size={}", bundle.shm_size.unwrap_or(SHM_SIZE));
    let shm = ["nosuid", "noexec", "nodev", "mode=1777", &size];
    mounts.push(mount("/dev/shm", "tmpfs", "shm", &shm)?);
    Ok(mounts)
}

fn chosen(wanted: &Mount) -> Result<OciMount, CreateError> {
    match wanted {
        Mount::Bind { source, target, read_only, recursive, propagation } => {
            let mut options = vec![if *recursive { "rbind" } else { "bind" }];
            options.push(if *read_only { "ro" } else { "rw" });
            options.push(word(*propagation));
            mount(target, "bind", &source.to_string_lossy(), &options)
        }
        Mount::Tmpfs { target, options } => {
            let options = tmpfs_options(options);
            mount(target, "tmpfs", "tmpfs", &options)
        }
        Mount::FileSystem { kind, source, target, options } => {
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            mount(target, kind, source, &options)
        }
    }
}

fn word(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::RPrivate => "rprivate",
        Propagation::Private => "private",
        Propagation::RSlave => "rslave",
        Propagation::Slave => "slave",
        Propagation::RShared => "rshared",
        Propagation::Shared => "shared",
    }
}

/// Docker's three restrictions, unless they are taken back.
fn tmpfs_options(wanted: &[String]) -> Vec<&str> {
    let given = |name: &str| wanted.iter().any(|option| option == name);
    let mut options: Vec<&str> = [("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")]
        .into_iter()
        .filter(|(_, back)| !given(back))
        .map(|(restriction, _)| restriction)
        .collect();
    options.extend(wanted.iter().map(String::as_str));
    options.dedup();
    options
}

fn mount(
    target: &str,
    kind: &str,
    source: &str,
    options: &[&str],
) -> Result<OciMount, CreateError> {
    if !target.starts_with('/') {
        let text = format!("invalid mount path: '{target}' mount path must be absolute");
        return Err(CreateError::Invalid(text));
    }
    MountBuilder::default()
        .destination(PathBuf::from(target))
        .typ(kind)
        .source(PathBuf::from(source))
        .options(options.iter().map(ToString::to_string).collect::<Vec<_>>())
        .build()
        .map_err(|error| CreateError::Invalid(format!("invalid mount {target}: {error}")))
}
