//! From a container's record to what the runtime runs.
//!
//! In: the record, the sandbox it joined, its mounted root file system. Out: a
//! [`Bundle`](hawser_runtime::Bundle). Directories of the host that a `-v` names and that are not
//! there are made here, as Docker does; nothing else is changed.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use hawser_runtime::{
    Bundle, Device, Mount, Namespace, Namespaces, Process, Propagation, Resources, Rlimit, Seccomp,
    TerminalSize,
};

use super::{paths, security};
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::network::{EtcFiles, Joined};
use crate::record::{Container, Mount as Recorded};
use crate::spec::{HostConfig, MountSpec};
use crate::volume;

/// The bundle of a container that starts.
pub(super) fn of(
    engine: &Engine,
    record: &Container,
    joined: Joined,
    rootfs: OwnedFd,
) -> Result<Bundle> {
    let host = &record.host_config;
    let security = security::options(host)?;
    let mut bundle = Bundle::new(record.id.as_str(), rootfs, process(record, &security));
    bundle.process.linked_env = joined.env;
    bundle.runtime = Some(host.runtime.clone());
    bundle.netns = joined.netns;
    bundle.hostname.clone_from(&record.config.hostname);
    bundle.domainname.clone_from(&record.config.domainname);
    bundle.mounts = mounts(record, &joined.etc, &engine.devices(record)?)?;
    bundle.shm_size = u64::try_from(host.shm_size).ok().filter(|size| *size > 0);
    bundle.without_shm = host.ipc_mode == "none";
    bundle.devices = host.devices.iter().flatten().map(device).collect();
    bundle.device_cgroup_rules = host.device_cgroup_rules.clone().unwrap_or_default();
    bundle.privileged = host.privileged;
    bundle.readonly_rootfs = host.readonly_rootfs;
    bundle.masked_paths.clone_from(&host.masked_paths);
    bundle.readonly_paths.clone_from(&host.readonly_paths);
    bundle.seccomp = match security.seccomp {
        None => Seccomp::Default,
        Some(word) if word == "unconfined" => Seccomp::Unconfined,
        Some(profile) => Seccomp::Profile(profile),
    };
    bundle.apparmor = security.apparmor;
    bundle.resources = resources(host);
    bundle.cgroup_parent = Some(host.cgroup_parent.clone()).filter(|parent| !parent.is_empty());
    bundle.private_cgroupns = Some(host.cgroupns_mode == "private");
    let own = host.sysctls.iter().filter(|(name, _)| !name.starts_with("net."));
    bundle.sysctls = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    bundle.namespaces = namespaces(engine, host)?;
    if host.init.unwrap_or(engine.settings.init) {
        let init = engine.runtime.init_program();
        bundle.init = Some(init.map_err(|e| Error::new(Kind::System, e.to_string()))?);
    }
    bundle.annotations.clone_from(&host.annotations);
    bundle.log_path = paths::log(&engine.settings, record);
    Ok(bundle)
}

fn process(record: &Container, security: &security::Security) -> Process {
    let (config, host) = (&record.config, &record.host_config);
    let [height, width] = host.console_size.map(|n| u16::try_from(n).unwrap_or(0));
    Process {
        args: std::iter::once(record.path.clone()).chain(record.args.iter().cloned()).collect(),
        env: config.env.clone().unwrap_or_default(),
        linked_env: Vec::new(),
        cwd: config.working_dir.clone(),
        user: config.user.clone(),
        groups: host.group_add.clone().unwrap_or_default(),
        tty: config.tty,
        size: (height > 0 && width > 0).then_some(TerminalSize { width, height }),
        stdin: config.open_stdin,
        // A terminal stays open: its clients come and go.
        stdin_once: config.stdin_once && !config.tty,
        cap_add: host.cap_add.clone().unwrap_or_default(),
        cap_drop: host.cap_drop.clone().unwrap_or_default(),
        no_new_privileges: security.no_new_privileges,
        rlimits: host
            .ulimits
            .iter()
            .flatten()
            .map(|limit| Rlimit { name: limit.name.clone(), soft: limit.soft, hard: limit.hard })
            .collect(),
        oom_score_adj: i32::try_from(host.oom_score_adj).ok().filter(|score| *score != 0),
    }
}

/// The user's mounts, parents before children, and the files that the engine keeps in `/etc`
/// unless the user mounts something there.
fn mounts(
    record: &Container,
    etc: &EtcFiles,
    devices: &BTreeMap<String, volume::Device>,
) -> Result<Vec<Mount>> {
    let host = &record.host_config;
    let mut all: Vec<(&str, Mount)> = Vec::new();
    for (target, options) in &host.tmpfs {
        let options = options.split(',').filter(|o| !o.is_empty()).map(str::to_owned).collect();
        all.push((target, Mount::Tmpfs { target: target.clone(), options }));
    }
    for mount in &record.mounts {
        let mounted = match devices.get(&mount.name) {
            Some(device) => device_mount(mount, device),
            None => user_mount(record, mount)?,
        };
        all.push((&mount.destination, mounted));
    }
    for (target, source) in [
        ("/etc/resolv.conf", &etc.resolv_conf),
        ("/etc/hostname", &etc.hostname),
        ("/etc/hosts", &etc.hosts),
    ] {
        if all.iter().all(|(taken, _)| *taken != target) {
            all.push((target, bind(source.clone(), target, false, true, Propagation::RPrivate)));
        }
    }
    if host.ipc_mode == "host" && all.iter().all(|(taken, _)| *taken != "/dev/shm") {
        let shm = PathBuf::from("/dev/shm");
        all.push(("/dev/shm", bind(shm, "/dev/shm", false, true, Propagation::RPrivate)));
    }
    all.sort_by_key(|(target, _)| target.split('/').filter(|part| !part.is_empty()).count());
    Ok(all.into_iter().map(|(_, mount)| mount).collect())
}

fn bind(
    source: PathBuf,
    target: &str,
    read_only: bool,
    recursive: bool,
    propagation: Propagation,
) -> Mount {
    Mount::Bind { source, target: target.to_owned(), read_only, recursive, propagation }
}

fn user_mount(record: &Container, mount: &Recorded) -> Result<Mount> {
    let spec = spec_of(&record.host_config, &mount.destination);
    let target = &mount.destination;
    if mount.kind == "tmpfs" {
        let options = tmpfs_options(spec, !mount.rw);
        return Ok(Mount::Tmpfs { target: target.clone(), options });
    }
    let options = spec.and_then(|spec| spec.bind_options.clone()).unwrap_or_default();
    let source = Path::new(&mount.source);
    if mount.kind == "bind" && (spec.is_none() || options.create_mountpoint) {
        make_source(source)?;
    }
    if !source.exists() {
        return Err(Error::invalid(format!(
            "invalid mount config for type {:?}: bind source path does not exist: {}",
            mount.kind, mount.source
        )));
    }
    let propagation = propagation(&mount.propagation);
    Ok(bind(source.to_owned(), target, !mount.rw, !options.non_recursive, propagation))
}

/// A volume that is somebody else's file system.
fn device_mount(mount: &Recorded, device: &volume::Device) -> Mount {
    let (target, read_only) = (mount.destination.clone(), !mount.rw);
    if device.is_bind() {
        let recursive = device.options.iter().any(|option| option == "rbind");
        let source = PathBuf::from(&device.device);
        return bind(source, &target, read_only, recursive, Propagation::RPrivate);
    }
    let read_only = read_only.then(|| "ro".to_owned());
    let options = device.options.iter().cloned().chain(read_only).collect();
    let (kind, source) = (device.kind.clone(), device.device.clone());
    Mount::FileSystem { kind, source, target, options }
}

/// The `--mount` that a mount came from, if it came from one.
fn spec_of<'a>(host: &'a HostConfig, target: &str) -> Option<&'a MountSpec> {
    let mut specs = host.mounts.iter().flatten();
    specs.find(|spec| spec.target.trim_end_matches('/') == target)
}

fn make_source(source: &Path) -> Result<()> {
    if source.exists() {
        return Ok(());
    }
    let made = std::fs::create_dir_all(source);
    made.map_err(|e| {
        let what = format!("error while creating mount source path '{}'", source.display());
        system(&what, e)
    })
}

fn tmpfs_options(spec: Option<&MountSpec>, read_only: bool) -> Vec<String> {
    let options = spec.and_then(|spec| spec.tmpfs_options.clone()).unwrap_or_default();
    let mode = options.mode.filter(|mode| *mode != 0).map(|mode| format!("mode={mode:o}"));
    let size = options.size_bytes.filter(|size| *size > 0).map(|size| format!("size={size}"));
    let read_only = read_only.then(|| "ro".to_owned());
    read_only.into_iter().chain(mode).chain(size).collect()
}

fn propagation(word: &str) -> Propagation {
    match word {
        "private" => Propagation::Private,
        "rslave" => Propagation::RSlave,
        "slave" => Propagation::Slave,
        "rshared" => Propagation::RShared,
        "shared" => Propagation::Shared,
        _ => Propagation::RPrivate,
    }
}

fn device(device: &crate::spec::DeviceMapping) -> Device {
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    Device {
        host: PathBuf::from(&device.path_on_host),
        container: or(&device.path_in_container, &device.path_on_host),
        permissions: or(&device.cgroup_permissions, "rwm"),
    }
}

fn resources(host: &HostConfig) -> Resources {
    let positive = |value: i64| u64::try_from(value).unwrap_or(0);
    let (quota, period) = match host.nano_cpus {
        0 => (host.cpu_quota, positive(host.cpu_period)),
        nano => (nano / 10_000, 100_000),
    };
    Resources {
        memory: positive(host.memory),
        memory_swap: host.memory_swap,
        memory_reservation: positive(host.memory_reservation),
        memory_swappiness: host.memory_swappiness.and_then(|value| u64::try_from(value).ok()),
        oom_kill_disable: host.oom_kill_disable.unwrap_or(false),
        cpu_shares: positive(host.cpu_shares),
        cpu_quota: quota,
        cpu_period: period,
        cpuset_cpus: host.cpuset_cpus.clone(),
        cpuset_mems: host.cpuset_mems.clone(),
        pids: host.pids_limit.unwrap_or(0),
        blkio_weight: host.blkio_weight,
    }
}

fn namespaces(engine: &Engine, host: &HostConfig) -> Result<Namespaces> {
    let uts = if host.uts_mode == "host" { Namespace::Host } else { Namespace::Private };
    Ok(Namespaces {
        pid: namespace(engine, &host.pid_mode, "pid")?,
        ipc: namespace(engine, &host.ipc_mode, "ipc")?,
        uts,
    })
}

fn namespace(engine: &Engine, mode: &str, kind: &str) -> Result<Namespace> {
    if mode == "host" {
        return Ok(Namespace::Host);
    }
    let Some(reference) = mode.strip_prefix("container:") else { return Ok(Namespace::Private) };
    let other = engine.containers.find(reference)?.record();
    if kind == "ipc" && matches!(other.host_config.ipc_mode.as_str(), "private" | "none") {
        return Err(Error::invalid(format!(
            "can't join IPC of container {}: non-shareable IPC (hint: use IpcMode:shareable for \
             the donor container)",
            other.id
        )));
    }
    match other.state.pid {
        Some(pid) => Ok(Namespace::Join(PathBuf::from(format!("/proc/{pid}/ns/{kind}")))),
        None => Err(Error::conflict(format!(
            "cannot join {} of a non running container: {}",
            kind.to_uppercase(),
            other.id
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    fn etc() -> EtcFiles {
        EtcFiles::in_directory(Path::new("/c"))
    }

    fn target(mount: &Mount) -> &str {
        match mount {
            Mount::Bind { target, .. }
            | Mount::Tmpfs { target, .. }
            | Mount::FileSystem { target, .. } => target,
        }
    }

    #[test]
    fn parents_are_mounted_before_children() {
        let mut it = record("c");
        let bind = |target: &str| Recorded {
            kind: "bind".into(),
            source: "/".into(),
            destination: target.into(),
            rw: true,
            ..Recorded::default()
        };
        it.mounts = vec![bind("/a/b/c"), bind("/a"), bind("/etc/hosts")];
        it.host_config.tmpfs.insert("/a/b".into(), "size=1m,exec".into());
        let all = mounts(&it, &etc(), &BTreeMap::new()).unwrap();
        let targets: Vec<&str> = all.iter().map(target).collect();
        let place = |wanted: &str| targets.iter().position(|t| *t == wanted).unwrap();
        assert!(place("/a") < place("/a/b") && place("/a/b") < place("/a/b/c"));
        assert_eq!(targets.iter().filter(|t| **t == "/etc/hosts").count(), 1, "the user's wins");
        assert_eq!(targets.len(), 6);
    }

    #[test]
    fn cpus_become_a_quota() {
        let host = HostConfig { nano_cpus: 1_500_000_000, ..HostConfig::default() };
        let resources = resources(&host);
        assert_eq!((resources.cpu_quota, resources.cpu_period), (150_000, 100_000));
    }

    #[test]
    fn tmpfs_options_are_those_of_mount() {
        let spec = MountSpec {
            tmpfs_options: Some(crate::spec::TmpfsOptions {
                size_bytes: Some(4096),
                mode: Some(0o1777),
            }),
            ..MountSpec::default()
        };
        assert_eq!(tmpfs_options(Some(&spec), true), ["ro", "mode=1777", "size=4096"]);
    }
}
