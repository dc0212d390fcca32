//! `--security-opt` and capabilities: what the words mean.

use crate::error::{Error, Result};
use crate::spec::HostConfig;

const CAPABILITIES: &[&str] = &[
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// What the security options of a container ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Security {
    /// The process can gain no privileges.
    pub(crate) no_new_privileges: bool,
    /// `unconfined` or a profile; the default if none.
    pub(crate) seccomp: Option<String>,
    /// An AppArmor profile; none if none or `unconfined`.
    pub(crate) apparmor: Option<String>,
}

/// Reads the security options.
///
/// # Errors
/// Invalid, in Docker's words, for what is no option.
pub(crate) fn options(host: &HostConfig) -> Result<Security> {
    let mut found = Security::default();
    for option in host.security_opt.iter().flatten() {
        if option == "no-new-privileges" {
            found.no_new_privileges = true;
            continue;
        }
        if option == "disable" || option.starts_with("label") {
            // Labels are for SELinux, which no one runs this on: accepted, without effect.
            continue;
        }
        let Some((key, value)) = option.split_once('=').or_else(|| option.split_once(':')) else {
            return Err(Error::invalid(format!("invalid --security-opt 1: {option:?}")));
        };
        match key {
            "seccomp" => found.seccomp = Some(value.to_owned()).filter(|v| v != "builtin"),
            "apparmor" => found.apparmor = Some(value.to_owned()).filter(|v| v != "unconfined"),
            "no-new-privileges" => found.no_new_privileges = truth(option, value)?,
            _ => return Err(Error::invalid(format!("invalid --security-opt 2: {option:?}"))),
        }
    }
    match found.seccomp.as_deref() {
        None | Some("unconfined") => {}
        Some(profile) => {
            serde_json::from_str::<serde_json::Value>(profile)
                .map_err(|e| Error::invalid(format!("Decoding seccomp profile failed: {e}")))?;
        }
    }
    Ok(found)
}

fn truth(option: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "1" | "t" | "T" | "TRUE" | "True" => Ok(true),
        "false" | "0" | "f" | "F" | "FALSE" | "False" => Ok(false),
        _ => Err(Error::invalid(format!("invalid --security-opt 2: {option:?}"))),
    }
}

/// Checks capabilities and writes them as Docker shows them: `CAP_NET_ADMIN`, `ALL`.
///
/// # Errors
/// Invalid, in Docker's words, for one that is none.
pub(crate) fn capabilities(what: &str, names: &mut Option<Vec<String>>) -> Result<()> {
    for name in names.iter_mut().flatten() {
        let upper = name.to_ascii_uppercase();
        if upper == "ALL" {
            *name = upper;
            continue;
        }
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let full = format!("CAP_{bare}");
        if !CAPABILITIES.contains(&bare) {
            return Err(Error::invalid(format!("invalid {what}: unknown capability: {full:?}")));
        }
        *name = full;
    }
    if let Some(names) = names {
        names.sort();
        names.dedup();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(options: &[&str]) -> Result<Security> {
        let security_opt = Some(options.iter().map(|o| (*o).to_owned()).collect());
        super::options(&HostConfig { security_opt, ..HostConfig::default() })
    }

    #[test]
    fn options_have_meanings() {
        let found = with(&["no-new-privileges:true", "seccomp=unconfined", "apparmor=x"]).unwrap();
        assert!(found.no_new_privileges);
        assert_eq!(found.seccomp.as_deref(), Some("unconfined"));
        assert_eq!(found.apparmor.as_deref(), Some("x"));
        assert_eq!(with(&["label=disable", "seccomp=builtin"]).unwrap(), Security::default());
    }

    #[test]
    fn others_are_refused() {
        assert_eq!(with(&["x"]).unwrap_err().to_string(), "invalid --security-opt 1: \"x\"");
        assert_eq!(with(&["x=y"]).unwrap_err().to_string(), "invalid --security-opt 2: \"x=y\"");
        assert!(with(&["seccomp={"]).unwrap_err().to_string().starts_with("Decoding seccomp"));
    }

    #[test]
    fn capabilities_are_written_in_full() {
        let mut names =
            Some(vec!["net_admin".to_owned(), "CAP_CHOWN".to_owned(), "all".to_owned()]);
        capabilities("CapAdd", &mut names).unwrap();
        assert_eq!(names.unwrap(), ["ALL", "CAP_CHOWN", "CAP_NET_ADMIN"]);
        let error = capabilities("CapAdd", &mut Some(vec!["nope".to_owned()])).unwrap_err();
        assert_eq!(error.to_string(), "invalid CapAdd: unknown capability: \"CAP_NOPE\"");
    }
}
