//! Making a container.
//!
//! In: a [`Bundle`]. Out: a [`Container`] whose process waits for its start; or an error, and nothing left.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::bundle::{Bundle, Process};
use crate::conmon::{self, Watch};
use crate::container::{Container, Created};
use crate::error::{self, CreateError, Error};
use crate::oci;
use crate::orphan;
use crate::process::ProcessId;
use crate::runtime::Host;
use crate::setup::Program;
use crate::spawn::Place;
use crate::user;

/// Makes the container.
pub(crate) async fn create(host: &Host, mut bundle: Bundle) -> Result<Container, CreateError> {
    if !host.cgroups.device_filter && !bundle.privileged {
        // What no filter forbids must not be had: no node, no device. `cap_add` still wins.
        bundle.process.cap_drop.push("MKNOD".to_owned());
    }
    let (name, program) = host.program(bundle.runtime.as_deref())?;
    let dir = host.dir(&bundle.id);
    let outcome = match write(host, &name, &program, &bundle, &dir) {
        Ok(source) => {
            let state = host.state(&name).join(&bundle.id);
            let made = run(host, bundle, name, &program, &dir).await;
            if let (Some(source), Ok(_)) = (source, &made) {
                host.filters.learn(source, &state);
            }
            made
        }
        Err(error) => Err(error),
    };
    if outcome.is_err()
        && let Err(error) = remove(&dir)
    {
        tracing::warn!(dir = %dir.display(), %error, "cannot remove the bundle of a failed container");
    }
    outcome
}

/// Removes a folder that may not be there.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether an OCI runtime says that it does not know the container.
pub(crate) fn is_absent(message: &str) -> bool {
    ["does not exist", "No such file or directory", "not found"]
        .iter()
        .any(|words| message.contains(words))
}

async fn run(
    host: &Host,
    bundle: Bundle,
    runtime: String,
    program: &Program,
    dir: &Path,
) -> Result<Container, CreateError> {
    let Process { tty, stdin, stdin_once, args, .. } = &bundle.process;
    let watch = Watch {
        conmon: &host.conmon,
        runtime: &program.path,
        runtime_args: host.runtime_args(program, &runtime),
        id: &bundle.id,
        session: &bundle.id,
        dir,
        log: bundle.log_path.as_deref(),
        tty: *tty,
        stdin: *stdin,
        leave_stdin_open: !stdin_once,
        exec: None,
    };
    let cgroup = oci::cgroups_path(&bundle);
    let (stdin_once, args) = (*stdin_once, args.clone());
    let place = Place {
        shares_mounts: oci::shares_mounts(&bundle),
        rootfs: bundle.rootfs,
        rootfs_at: dir.join(oci::ROOTFS),
        netns: bundle.netns,
    };
    let started = watch.create(&host.spawner, place).await;
    match started {
        Ok(Ok(pid)) => {
            let found = processes(dir, pid);
            if found.is_err() {
                abandon(host, &bundle.id).await;
            }
            let failed = Error::io(format!("find the processes of container {}", bundle.id));
            let (process, conmon) = found.map_err(failed)?;
            let created = Created { runtime, process, conmon, cgroup, stdin_once };
            let (program, mode) = (program.clone(), host.cgroups.mode);
            Ok(Container::new(&bundle.id, dir.to_path_buf(), program, created, mode))
        }
        Ok(Err(message)) => Err(error::refused("create", &program.path, &message, &args)),
        Err(error) => {
            abandon(host, &bundle.id).await;
            Err(error.into())
        }
    }
}

/// Process 1 and its `conmon`; either may have been killed since it told its number.
fn processes(dir: &Path, pid: i32) -> io::Result<(ProcessId, ProcessId)> {
    let conmon = conmon::read_number(dir.join(conmon::CONMON_PID))?;
    Ok((ProcessId::of(pid)?, ProcessId::of(conmon)?))
}

/// After an unexpected end: takes away what may be there.
async fn abandon(host: &Host, id: &str) {
    let Some(container) = orphan::find(host, id) else { return };
    if let Some(conmon) = &container.conmon
        && let Err(error) = crate::process::signal(conmon, rustix::process::Signal::KILL)
    {
        tracing::warn!(container = id, %error, "cannot kill conmon");
    }
    if let Err(error) = host.call(&container, "delete", &["--force"]).await {
        tracing::debug!(container = id, %error, "nothing to delete");
    }
}

/// Writes the files of a bundle. Gives the source of the system-call filter if that is to be learnt.
fn write(
    host: &Host,
    runtime: &str,
    program: &Program,
    bundle: &Bundle,
    dir: &Path,
) -> Result<Option<String>, CreateError> {
    let rootfs = bundle.rootfs.as_fd();
    let identity = user::lookup(rootfs, &bundle.process.user, &bundle.process.groups)?;
    make_folder(rootfs, Path::new(&bundle.process.cwd))?;
    let mut spec = oci::spec(bundle, &identity, host.cgroups)?;
    let source = host.filters.apply(&program.path, &mut spec);
    let bytes = serde_json::to_vec(&spec)
        .map_err(|error| CreateError::Invalid(format!("unwritable bundle: {error}")))?;
    let failed = || Error::io(format!("write the bundle of container {}", bundle.id));
    // Left by a container that ended when its daemon did not run, and was never deleted.
    remove(dir).map_err(failed())?;
    for folder in ["", oci::ROOTFS, conmon::EXITS] {
        std::fs::create_dir(dir.join(folder)).map_err(failed())?;
    }
    std::fs::write(dir.join("config.json"), bytes).map_err(failed())?;
    std::fs::write(dir.join(orphan::RUNTIME), runtime).map_err(failed())?;
    Ok(source)
}

/// Makes the working directory in the root file system, as Docker does, with the parents it lacks.
fn make_folder(rootfs: BorrowedFd<'_>, path: &Path) -> Result<(), CreateError> {
    let mut done = PathBuf::from(".");
    for part in path.components() {
        let Component::Normal(name) = part else { continue };
        match make_one(rootfs, &done, Path::new(name)) {
            Ok(()) => done.push(name),
            Err(rustix::io::Errno::NOTDIR) => {
                let text = format!("Cannot mkdir: {} is not a directory", path.display());
                return Err(CreateError::Invalid(text));
            }
            // The OCI runtime says what is wrong with it, if it has to be there and no mount brings it.
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "cannot make the working directory");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Beneath the root whatever links the image has.
fn make_one(rootfs: BorrowedFd<'_>, parent: &Path, name: &Path) -> rustix::io::Result<()> {
    let open = |path: &Path| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat2(rootfs, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
    };
    match open(&parent.join(name)) {
        Err(rustix::io::Errno::NOENT) => {
            rustix::fs::mkdirat(open(parent)?, name, Mode::from(0o755))
        }
        found => found.map(|_| ()),
    }
}
