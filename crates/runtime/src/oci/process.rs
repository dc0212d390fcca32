//! The process part of the configuration, for containers and for commands in them.
//!
//! In: a [`Bundle`] or [`ExecSpec`], and the looked-up user. Out: the OCI process. No I/O.

use std::path::PathBuf;

use oci_spec::runtime::{
    Box as ConsoleSize, BoxBuilder, LinuxCapabilities, PosixRlimit, PosixRlimitBuilder,
    PosixRlimitType, Process, User,
};

use super::capabilities::{self, Names};
use super::environment;
use crate::bundle::{Bundle, ExecSpec, Rlimit, TerminalSize};
use crate::error::CreateError;
use crate::user::Identity;

/// The capabilities of a container's processes.
pub(super) fn capabilities(bundle: &Bundle) -> Result<Names, CreateError> {
    if bundle.privileged {
        return Ok(capabilities::all());
    }
    capabilities::tweak(&bundle.process.cap_add, &bundle.process.cap_drop)
}

/// The first process of a container.
pub(super) fn process(bundle: &Bundle, identity: &Identity) -> Result<Process, CreateError> {
    let wanted = &bundle.process;
    if wanted.args.is_empty() {
        return Err(CreateError::Invalid("no command specified".into()));
    }
    let mut env = environment::defaults(&bundle.hostname, wanted.tty, &wanted.linked_env);
    environment::merge(&mut env, &wanted.env);
    let mut process = Process::default();
    process.set_args(Some(args(bundle))).set_env(Some(env)).set_cwd(cwd(&wanted.cwd));
    process.set_terminal(Some(wanted.tty)).set_console_size(wanted.size.and_then(console_size));
    process.set_user(user(identity));
    let names = capabilities(bundle)?;
    process.set_capabilities(Some(capability_sets(&names, identity.uid)));
    process.set_no_new_privileges(Some(wanted.no_new_privileges));
    process.set_apparmor_profile(bundle.apparmor.clone().filter(|_| !bundle.privileged));
    process.set_oom_score_adj(Some(wanted.oom_score_adj.unwrap_or(0)));
    process.set_rlimits(Some(wanted.rlimits.iter().map(rlimit).collect::<Result<_, _>>()?));
    Ok(process)
}

fn args(bundle: &Bundle) -> Vec<String> {
    let wanted = bundle.process.args.iter().cloned();
    match &bundle.init {
        Some(_) => {
            [super::INIT_TARGET, "--"].map(str::to_owned).into_iter().chain(wanted).collect()
        }
        None => wanted.collect(),
    }
}

fn cwd(text: &str) -> PathBuf {
    PathBuf::from(if text.is_empty() { "/" } else { text })
}

fn console_size(size: TerminalSize) -> Option<ConsoleSize> {
    BoxBuilder::default().height(size.height).width(size.width).build().ok()
}

fn user(identity: &Identity) -> User {
    let mut user = User::default();
    user.set_uid(identity.uid).set_gid(identity.gid);
    user.set_additional_gids(Some(identity.additional_gids.clone()));
    user
}

/// A user that is not root has none to begin with, as after an `execve`; none are inherited or ambient.
fn capability_sets(names: &Names, uid: u32) -> LinuxCapabilities {
    let set = Some(capabilities::to_oci(names));
    let own = set.clone().filter(|_| uid == 0);
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(set).set_effective(own.clone()).set_permitted(own);
    sets.set_inheritable(None).set_ambient(None);
    sets
}

fn rlimit(limit: &Rlimit) -> Result<PosixRlimit, CreateError> {
    let invalid = || CreateError::Invalid(format!("invalid ulimit type: {}", limit.name));
    let name = format!("RLIMIT_{}", limit.name.to_ascii_uppercase());
    let kind: PosixRlimitType = name.parse().map_err(|_| invalid())?;
    // -1 is unlimited, which is the largest number to the kernel too.
    PosixRlimitBuilder::default()
        .typ(kind)
        .soft(limit.soft.cast_unsigned())
        .hard(limit.hard.cast_unsigned())
        .build()
        .map_err(|_| invalid())
}

/// A command in a container whose first process is `base`.
pub(crate) fn exec_process(
    base: &Process,
    spec: &ExecSpec,
    identity: &Identity,
) -> Result<Process, CreateError> {
    if spec.args.is_empty() {
        return Err(CreateError::Invalid("No exec command specified".into()));
    }
    let mut process = base.clone();
    let mut env = base.env().clone().unwrap_or_default();
    if spec.tty && !env.iter().any(|entry| entry.starts_with("TERM=")) {
        env.push("TERM=xterm".to_owned());
    }
    environment::merge(&mut env, &spec.env);
    process.set_args(Some(spec.args.clone())).set_env(Some(env));
    process.set_terminal(Some(spec.tty)).set_console_size(spec.size.and_then(console_size));
    if !spec.cwd.is_empty() {
        process.set_cwd(cwd(&spec.cwd));
    }
    process.set_user(user(identity));
    let bounding = base.capabilities().as_ref().and_then(|sets| sets.bounding().clone());
    let names: Names = if spec.privileged {
        capabilities::all()
    } else {
        capabilities::from_oci(bounding.unwrap_or_default())
    };
    process.set_capabilities(Some(capability_sets(&names, identity.uid)));
    Ok(process)
}
