//! Commands run in a running container.
//!
//! In: a container and an [`ExecSpec`]. Out: an [`ExecSession`]. Each command has a `conmon` of its own, so it
//! survives the daemon as the container does; but who attaches to it, and its exit code, do not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::attach::{self, Attachment};
use crate::bundle::{ExecSpec, TerminalSize};
use crate::conmon::{Messages, Watch};
use crate::container::Container;
use crate::error::{self, CreateError, Error};
use crate::process::{self, ProcessId};
use crate::runtime::Host;
use crate::{oci, user};

/// A command just started in a container.
#[derive(Debug)]
pub struct ExecSession {
    /// The lasting handle.
    pub exec: Execed,
    /// Its output and input, from the first byte.
    pub attachment: Attachment,
}

/// A handle on a command, to be kept; cheap to clone.
#[derive(Debug, Clone)]
pub struct Execed {
    pid: i32,
    /// None if it ended before it could be looked at.
    process: Option<ProcessId>,
    dir: Arc<Path>,
    exit: watch::Receiver<Option<i32>>,
}

/// Exit code when `conmon` did not tell one.
const LOST: i32 = 255;

impl Execed {
    /// Its process as the host numbers it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits for its end and gives its exit code.
    pub async fn wait(&self) -> i32 {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(code) => code.unwrap_or(LOST),
            Err(_) => LOST,
        }
    }

    /// Its exit code, when it has ended.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        *self.exit.borrow()
    }

    /// Ends it with SIGKILL; what it started itself goes on. One that has ended is not an error.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn kill(&self) -> Result<(), Error> {
        let Some(pidfd) = self.process.and_then(|process| process.open().ok()) else {
            return Ok(());
        };
        process::signal(&pidfd, rustix::process::Signal::KILL).map_err(Error::io("kill a command"))
    }

    /// Sets the size of its terminal.
    ///
    /// # Errors
    /// It has ended.
    pub fn resize(&self, size: TerminalSize) -> Result<(), Error> {
        attach::resize(&self.dir, size).map_err(Error::io("resize the terminal of a command"))
    }
}

/// Starts a command.
pub(crate) async fn exec(
    host: &Host,
    container: &Container,
    spec: ExecSpec,
) -> Result<ExecSession, CreateError> {
    let dir = prepare(container, &spec)?;
    let outcome = start(host, container, &spec, &dir).await;
    let (pid, attachment, messages) = match outcome {
        Ok(Ok(started)) => started,
        Ok(Err(message)) => {
            remove(&dir);
            return Err(error::refused("exec", &container.program.path, &message, &spec.args));
        }
        Err(error) => {
            remove(&dir);
            return Err(error.into());
        }
    };
    let (sender, exit) = watch::channel(None);
    let process = ProcessId::of(pid).ok();
    let exec = Execed { pid, process, dir: dir.as_path().into(), exit };
    if let Some(size) = spec.size.filter(|_| spec.tty)
        && let Err(error) = exec.resize(size)
    {
        // crun has set it too, but may have done so after the command asked; this tells the command.
        tracing::debug!(%error, "cannot set the size of a command's terminal");
    }
    tokio::spawn(finish(messages, sender, dir));
    Ok(ExecSession { exec, attachment })
}

/// Waits for the exit code, tells it, and takes the files away.
async fn finish(mut messages: Messages, sender: watch::Sender<Option<i32>>, dir: PathBuf) {
    let code = match messages.next().await {
        Ok(Some(message)) => message.data,
        Ok(None) => LOST,
        Err(error) => {
            tracing::warn!(%error, "cannot learn a command's exit code");
            LOST
        }
    };
    sender.send_replace(Some(code));
    // conmon still writes its exit file; the end of the pipe says that it has.
    while let Ok(Some(_)) = messages.next().await {}
    remove(&dir);
}

fn remove(dir: &Path) {
    if let Err(error) = std::fs::remove_dir_all(dir) {
        tracing::debug!(dir = %dir.display(), %error, "cannot remove the files of a command");
    }
}

/// Makes its folder and writes its OCI process.
fn prepare(container: &Container, spec: &ExecSpec) -> Result<PathBuf, CreateError> {
    let config = oci_spec::runtime::Spec::load(container.dir.join("config.json"))
        .map_err(|error| CreateError::Invalid(format!("unreadable bundle: {error}")))?;
    let base = config.process().clone().unwrap_or_default();
    let user = if spec.user.is_empty() {
        user::Identity {
            uid: base.user().uid(),
            gid: base.user().gid(),
            additional_gids: base.user().additional_gids().clone().unwrap_or_default(),
        }
    } else {
        look_up(container, &spec.user)?
    };
    let process = oci::exec_process(&base, spec, &user)?;
    let dir = new_folder(&container.dir.join("exec"))?;
    let bytes =
        serde_json::to_vec(&process).map_err(|error| CreateError::Invalid(error.to_string()))?;
    std::fs::write(dir.join(PROCESS), bytes)
        .and_then(|()| std::fs::create_dir(dir.join(crate::conmon::EXITS)))
        .map_err(Error::io("write the process of a command"))?;
    Ok(dir)
}

const PROCESS: &str = "process.json";

/// Through `/proc`: its root file system is mounted nowhere else.
fn look_up(container: &Container, user: &str) -> Result<user::Identity, CreateError> {
    use std::os::fd::AsFd;
    let path = format!("/proc/{}/root", container.created.process.pid);
    let root = std::fs::File::open(path).map_err(Error::io("open the container's root"))?;
    Ok(user::lookup(root.as_fd(), user, &[])?)
}

fn new_folder(parent: &Path) -> Result<PathBuf, Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let failed = || Error::io("make the folder of a command");
    std::fs::create_dir_all(parent).map_err(failed())?;
    loop {
        // Folders of commands that an earlier daemon started may still be there.
        let dir = parent.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        match std::fs::create_dir(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| dir).map_err(failed()),
        }
    }
}

async fn start(
    host: &Host,
    container: &Container,
    spec: &ExecSpec,
    dir: &Path,
) -> Result<Result<(i32, Attachment, Messages), String>, Error> {
    let process = dir.join(PROCESS);
    let watch = Watch {
        conmon: &host.conmon,
        runtime: &container.program.path,
        runtime_args: host.runtime_args(&container.program, &container.created.runtime),
        id: &container.id,
        session: &container.id,
        dir,
        log: None,
        tty: spec.tty,
        stdin: spec.stdin,
        leave_stdin_open: false,
        exec: Some(&process),
    };
    let attached =
        async || Attachment::connect(dir, None).await.map_err(Error::io("attach to a command"));
    watch.exec(&host.spawner, attached).await
}
