//! Capabilities by name.
//!
//! In: names to add and to drop, as Docker's users write them. Out: the set. Of the host it reads which ones
//! this process may give away.

use std::collections::BTreeSet;

use oci_spec::runtime::{Capabilities, Capability};

use crate::error::CreateError;

/// Capabilities by their kernel names (`CAP_…`), ordered.
pub(crate) type Names = BTreeSet<&'static str>;

/// What a container has unless it says otherwise.
const DEFAULT: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// All, by the kernel's numbers: that of a capability is its place.
const ALL: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// Every capability that this process could give away: one that it lacks itself would make the OCI runtime fail.
pub(super) fn all() -> Names {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(u64::MAX);
    ALL.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, name)| *name).collect()
}

/// The default ones, plus `add`, minus `drop`; `ALL` in either means all.
pub(super) fn tweak(add: &[String], drop: &[String]) -> Result<Names, CreateError> {
    let (add_all, add) = parse(add)?;
    let (drop_all, drop) = parse(drop)?;
    let mut set: Names = match (add_all, drop_all) {
        (true, _) => all().into_iter().filter(|name| !drop.contains(name)).collect(),
        (false, true) => Names::new(),
        (false, false) => DEFAULT.iter().copied().filter(|name| !drop.contains(name)).collect(),
    };
    set.extend(add);
    Ok(set)
}

fn parse(names: &[String]) -> Result<(bool, Names), CreateError> {
    let (mut everything, mut set) = (false, Names::new());
    for name in names {
        let upper = name.trim().to_ascii_uppercase();
        let full = if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") };
        match ALL.iter().find(|known| **known == full) {
            Some(known) => drop(set.insert(known)),
            None if full == "CAP_ALL" => everything = true,
            None => {
                return Err(CreateError::Invalid(format!("invalid capability: {name:?}")));
            }
        }
    }
    Ok((everything, set))
}

/// The names as the OCI specification has them.
pub(super) fn to_oci(names: &Names) -> Capabilities {
    names.iter().filter_map(|name| name.strip_prefix("CAP_")?.parse::<Capability>().ok()).collect()
}

/// The reverse.
pub(super) fn from_oci(set: Capabilities) -> Names {
    set.iter()
        .map(|capability| format!("CAP_{capability}"))
        .filter_map(|name| ALL.iter().find(|known| **known == name).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tweaked(add: &[&str], drop: &[&str]) -> Result<Names, CreateError> {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        tweak(&owned(add), &owned(drop))
    }

    #[test]
    fn every_name_is_one_of_the_specifications() {
        let all: Names = ALL.iter().copied().collect();
        assert_eq!(from_oci(to_oci(&all)), all);
    }

    #[test]
    fn adding_and_dropping_work_as_docker_says() {
        assert_eq!(tweaked(&[], &[]).unwrap().len(), 14);
        assert!(tweaked(&["net_admin"], &[]).unwrap().contains("CAP_NET_ADMIN"));
        assert!(!tweaked(&[], &["CAP_MKNOD"]).unwrap().contains("CAP_MKNOD"));
        assert_eq!(tweaked(&["CHOWN"], &["ALL"]).unwrap(), Names::from(["CAP_CHOWN"]));
        assert!(!tweaked(&["ALL"], &["SYS_ADMIN"]).unwrap().contains("CAP_SYS_ADMIN"));
        let error = tweaked(&["nonsense"], &[]).unwrap_err();
        assert_eq!(error.to_string(), "invalid capability: \"nonsense\"");
    }
}
