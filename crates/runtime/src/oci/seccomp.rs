//! The filter of system calls.
//!
//! In: the container's capabilities, or a profile in Docker's JSON format. Out: the OCI filter. No I/O.

mod table;

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};
use serde::Deserialize;

use super::capabilities::Names;
use crate::error::CreateError;

/// Largest profile that is read.
const LIMIT: usize = 1 << 20;

/// The default filter: an allow-list.
pub(super) fn default(capabilities: &Names) -> LinuxSeccomp {
    let allow = LinuxSeccompAction::ScmpActAllow;
    let mut calls = vec![syscall(&table::ALLOWED.join(" "), allow)];
    for (capability, names) in table::WITH_CAPABILITY {
        if capabilities.contains(capability) {
            calls.push(syscall(names, allow));
        }
    }
    for domain in table::PERSONALITIES {
        calls.push(with_arg("personality", 0, LinuxSeccompOperator::ScmpCmpEq, domain, None));
    }
    let not = LinuxSeccompOperator::ScmpCmpNe;
    calls.push(with_arg("socket", 0, not, table::AF_VSOCK, None));
    if !capabilities.contains("CAP_SYS_ADMIN") {
        let masked = LinuxSeccompOperator::ScmpCmpMaskedEq;
        // New processes, but no new namespaces.
        calls.push(with_arg("clone", 0, masked, table::NEW_NAMESPACES, Some(0)));
        // Its flags are in memory, where a filter cannot look; libc falls back to clone on this answer.
        let mut clone3 = syscall("clone3", LinuxSeccompAction::ScmpActErrno);
        clone3.set_errno_ret(Some(table::ENOSYS));
        calls.push(clone3);
    }
    filter(LinuxSeccompAction::ScmpActErrno, Some(table::EPERM), architectures(), calls)
}

fn filter(
    action: LinuxSeccompAction,
    errno: Option<u32>,
    architectures: Vec<Arch>,
    calls: Vec<LinuxSyscall>,
) -> LinuxSeccomp {
    let mut filter = LinuxSeccomp::default();
    filter.set_default_action(action).set_default_errno_ret(errno);
    filter.set_architectures(Some(architectures)).set_syscalls(Some(calls));
    filter
}

/// The machine's own and those it also runs: a filter kills what comes by another door.
fn architectures() -> Vec<Arch> {
    if cfg!(target_arch = "x86_64") {
        vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32]
    } else if cfg!(target_arch = "aarch64") {
        vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm]
    } else {
        vec![Arch::ScmpArchNative]
    }
}

/// A rule for names with blanks between.
fn syscall(names: &str, action: LinuxSeccompAction) -> LinuxSyscall {
    let mut call = LinuxSyscall::default();
    call.set_names(names.split_ascii_whitespace().map(str::to_owned).collect()).set_action(action);
    call
}

fn with_arg(
    names: &str,
    index: usize,
    op: LinuxSeccompOperator,
    value: u64,
    value_two: Option<u64>,
) -> LinuxSyscall {
    let mut arg = LinuxSeccompArgBuilder::default().index(index).value(value).op(op);
    if let Some(two) = value_two {
        arg = arg.value_two(two);
    }
    let mut call = syscall(names, LinuxSeccompAction::ScmpActAllow);
    call.set_args(arg.build().ok().map(|arg| vec![arg]));
    call
}

/// A profile as Docker's users write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: LinuxSeccompAction,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    flags: Vec<LinuxSeccompFilterFlag>,
    #[serde(default)]
    architectures: Vec<Arch>,
    #[serde(default)]
    arch_map: Vec<ArchMap>,
    #[serde(default)]
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: Arch,
    #[serde(default)]
    sub_architectures: Vec<Arch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    args: Option<Vec<LinuxSeccompArg>>,
    #[serde(default)]
    includes: Condition,
    #[serde(default)]
    excludes: Condition,
}

/// When a rule counts. `minKernel` is always met: hawser asks for a newer kernel than any profile does.
#[derive(Deserialize, Default)]
struct Condition {
    #[serde(default)]
    caps: Vec<String>,
    #[serde(default)]
    arches: Vec<String>,
}

/// A user's own filter.
pub(super) fn custom(json: &str, capabilities: &Names) -> Result<LinuxSeccomp, CreateError> {
    let invalid =
        |why: String| CreateError::Invalid(format!("decoding seccomp profile failed: {why}"));
    if json.len() > LIMIT {
        return Err(invalid("it is larger than 1 MiB".into()));
    }
    let profile: Profile =
        serde_json::from_str(json).map_err(|error| invalid(error.to_string()))?;
    let own = architectures();
    let mapped = profile.arch_map.into_iter().find(|map| Some(&map.architecture) == own.first());
    let architectures = match mapped {
        Some(map) => [vec![map.architecture], map.sub_architectures].concat(),
        None if profile.architectures.is_empty() => own,
        None => profile.architectures,
    };
    let calls = profile
        .syscalls
        .into_iter()
        .filter(|rule| counts(rule, capabilities))
        .map(|mut rule| {
            rule.names.extend(rule.name.take());
            let mut call = LinuxSyscall::default();
            call.set_names(rule.names).set_action(rule.action).set_errno_ret(rule.errno_ret);
            call.set_args(rule.args.filter(|args| !args.is_empty()));
            call
        })
        .filter(|call| !call.names().is_empty())
        .collect();
    let mut filter =
        filter(profile.default_action, profile.default_errno_ret, architectures, calls);
    filter.set_flags(Some(profile.flags).filter(|flags| !flags.is_empty()));
    Ok(filter)
}

fn counts(rule: &Rule, capabilities: &Names) -> bool {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let has = |name: &String| capabilities.contains(name.as_str());
    let here = |name: &String| name == arch;
    rule.includes.caps.iter().all(has)
        && !rule.excludes.caps.iter().any(has)
        && (rule.includes.arches.is_empty() || rule.includes.arches.iter().any(here))
        && !rule.excludes.arches.iter().any(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn allowed(filter: &LinuxSeccomp) -> BTreeSet<String> {
        let calls = filter.syscalls().as_ref().unwrap();
        let allow = LinuxSeccompAction::ScmpActAllow;
        let plain = |call: &&LinuxSyscall| call.action() == allow && call.args().is_none();
        calls.iter().filter(plain).flat_map(|call| call.names().clone()).collect()
    }

    #[test]
    fn nothing_is_listed_twice() {
        let text = table::ALLOWED.join(" ");
        let names: Vec<&str> = text.split_ascii_whitespace().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn dangerous_calls_need_their_capability() {
        let plain = allowed(&default(&Names::new()));
        for name in [
            "mount",
            "bpf",
            "reboot",
            "init_module",
            "setns",
            "unshare",
            "io_uring_setup",
            "keyctl",
            "clone",
        ] {
            assert!(!plain.contains(name), "{name}");
        }
        assert!(plain.contains("execve") && plain.contains("openat"));
        let admin = allowed(&default(&Names::from(["CAP_SYS_ADMIN"])));
        assert!(admin.contains("mount") && admin.contains("clone3") && !admin.contains("reboot"));
    }

    #[test]
    fn a_profile_is_narrowed_to_machine_and_capabilities() {
        let json = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
            "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
            "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},
              {"name":"mount","action":"SCMP_ACT_ALLOW","args":[],"includes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["s390_pci_mmio_read"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390"]}},
              {"names":["clone"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}}]}"#;
        let names = |capabilities: &Names| allowed(&custom(json, capabilities).unwrap());
        assert_eq!(names(&Names::new()), BTreeSet::from(["read", "clone"].map(str::to_owned)));
        let admin = Names::from(["CAP_SYS_ADMIN"]);
        assert_eq!(names(&admin), BTreeSet::from(["read", "mount"].map(str::to_owned)));
        let error = custom("{", &admin).unwrap_err().to_string();
        assert!(error.starts_with("decoding seccomp profile failed: "), "{error}");
    }
}
