//! Devices of a container: nodes to make and rules of the device cgroup.
//!
//! In: a [`Bundle`]. Out: nodes and rules. It reads the named device nodes of the host.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceCgroup, LinuxDeviceType};

use crate::bundle::{Bundle, Device};
use crate::error::CreateError;

/// Devices that every container may use: null, zero, full, random, urandom, tty, console, ptmx, the pseudo-terminals.
const OPEN: [(i64, Option<i64>); 9] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(1)),
    (5, Some(2)),
    (136, None),
];
/// Most nodes that are taken from the host.
const LIMIT: usize = 4096;
/// Parts of `/dev` that are mounts of their own or belong to one process.
const SKIPPED: [&str; 7] = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];

/// The nodes and the rules.
pub(super) fn devices(
    bundle: &Bundle,
) -> Result<(Vec<LinuxDevice>, Vec<LinuxDeviceCgroup>), CreateError> {
    let mut nodes = Vec::new();
    if bundle.privileged {
        let everything =
            Device { host: "/dev".into(), container: "/dev".into(), permissions: String::new() };
        gather(&everything, &mut nodes).map_err(|error| failed(&everything, &error))?;
        return Ok((nodes, vec![rule(true, None, None, None, "rwm")]));
    }
    let mut rules = vec![rule(false, None, None, None, "rwm")];
    for kind in [LinuxDeviceType::C, LinuxDeviceType::B] {
        rules.push(rule(true, Some(kind), None, None, "m"));
    }
    for (major, minor) in OPEN {
        rules.push(rule(true, Some(LinuxDeviceType::C), Some(major), minor, "rwm"));
    }
    for device in &bundle.devices {
        let first = nodes.len();
        gather(device, &mut nodes).map_err(|error| failed(device, &error))?;
        rules.extend(nodes[first..].iter().map(|node| {
            rule(
                true,
                Some(node.typ()),
                Some(node.major()),
                Some(node.minor()),
                &device.permissions,
            )
        }));
    }
    for text in &bundle.device_cgroup_rules {
        let invalid =
            || CreateError::Invalid(format!("invalid device cgroup rule format: '{text}'"));
        rules.push(parse(text).ok_or_else(invalid)?);
    }
    Ok((nodes, rules))
}

fn rule(
    allow: bool,
    kind: Option<LinuxDeviceType>,
    major: Option<i64>,
    minor: Option<i64>,
    access: &str,
) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow).set_typ(kind).set_major(major).set_minor(minor);
    rule.set_access(Some(access.to_owned()));
    rule
}

/// `c 1:* rwm`.
fn parse(text: &str) -> Option<LinuxDeviceCgroup> {
    let mut words = text.split_ascii_whitespace();
    let kind: LinuxDeviceType = words.next()?.parse().ok()?;
    let (major, minor) = words.next()?.split_once(':')?;
    let access = words.next().filter(|access| access.chars().all(|c| "rwm".contains(c)))?;
    let number = |text: &str| match text {
        "*" => Some(None),
        digits => digits.parse::<u32>().ok().map(|number| Some(i64::from(number))),
    };
    Some(rule(true, Some(kind), number(major)?, number(minor)?, access))
}

/// The errors' words are those of the system, without Rust's `(os error 2)`, as Docker's clients match them.
fn failed(device: &Device, error: &io::Error) -> CreateError {
    let reason = match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::NOENT) => "no such file or directory".to_owned(),
        Some(_) => error.to_string(),
        None => "not a device node".to_owned(),
    };
    CreateError::Invalid(format!(
        "error gathering device information while adding custom device \"{}\": {reason}",
        device.host.display()
    ))
}

fn gather(device: &Device, nodes: &mut Vec<LinuxDevice>) -> io::Result<()> {
    let metadata = std::fs::metadata(&device.host)?;
    if !metadata.is_dir() {
        nodes.push(node(&metadata, PathBuf::from(&device.container)).ok_or(io::ErrorKind::Other)?);
        return Ok(());
    }
    gather_folder(&device.host, Path::new(&device.container), nodes)
}

fn gather_folder(host: &Path, container: &Path, nodes: &mut Vec<LinuxDevice>) -> io::Result<()> {
    for entry in std::fs::read_dir(host)? {
        let entry = entry?;
        let name = entry.file_name();
        let metadata = std::fs::symlink_metadata(entry.path())?;
        let skipped = SKIPPED.iter().any(|skipped| name == **skipped);
        if metadata.is_dir() && !skipped {
            gather_folder(&entry.path(), &container.join(&name), nodes)?;
        } else if name != "console"
            && let Some(node) = node(&metadata, container.join(&name))
        {
            nodes.push(node);
        }
        if nodes.len() > LIMIT {
            return Err(io::Error::from(rustix::io::Errno::TOOBIG));
        }
    }
    Ok(())
}

/// None when the file is not a device.
fn node(metadata: &Metadata, path: PathBuf) -> Option<LinuxDevice> {
    let kind = match metadata.file_type() {
        kind if kind.is_char_device() => LinuxDeviceType::C,
        kind if kind.is_block_device() => LinuxDeviceType::B,
        _ => return None,
    };
    let number = metadata.rdev();
    let mut device = LinuxDevice::default();
    device.set_path(path).set_typ(kind);
    device.set_major(i64::from(rustix::fs::major(number)));
    device.set_minor(i64::from(rustix::fs::minor(number)));
    device.set_file_mode(Some(metadata.mode() & 0o7777));
    device.set_uid(Some(metadata.uid())).set_gid(Some(metadata.gid()));
    Some(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_docker_reads_them() {
        assert_eq!(parse("c 10:* rw").unwrap().to_string(), "c 10:* rw");
        assert!(parse("c 10 rw").is_none());
        assert!(parse("x 1:3 rw").is_none());
        assert!(parse("c 1:3 rwx").is_none());
    }

    #[test]
    fn a_folder_gives_its_devices() {
        let device = Device {
            host: "/dev/null".into(),
            container: "/dev/n".into(),
            permissions: "r".into(),
        };
        let mut nodes = Vec::new();
        gather(&device, &mut nodes).unwrap();
        assert_eq!((nodes[0].major(), nodes[0].minor()), (1, 3));
        let missing = Device { host: "/dev/none".into(), ..device };
        let error = failed(&missing, &gather(&missing, &mut nodes).unwrap_err()).to_string();
        assert_eq!(
            error,
            "error gathering device information while adding custom device \"/dev/none\": no such file or directory"
        );
    }
}
