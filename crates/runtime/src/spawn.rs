//! Starting programs, each in the namespaces it needs.
//!
//! In: a [`Launch`] or any blocking job. Out: its result. Namespaces belong to threads on Linux, and a child
//! has those of the thread that starts it; so everything is started on throw-away threads, and the daemon's
//! own threads never leave the host's namespaces.
//!
//! A container's `conmon` gets a mount namespace that hears of the host's later mounts but tells of none, does not hold
//! the pins of network namespaces (else each copy would keep every namespace of that moment alive), and on a hybrid
//! host shows cgroup v1 only (`crun` refuses hybrid). It is copied from the host's each time: on a host whose mounts
//! are private, an older copy would not know the newer mounts. The short calls of the OCI runtime, which look at
//! cgroups only, are made from threads of the *base thread*; on a hybrid host that has such a namespace too.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, mpsc};

use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags};
use rustix::thread::LinkNameSpaceType;
use tokio::sync::oneshot;

use crate::raw;

type Job = Box<dyn FnOnce() + Send>;

/// The way to the base thread. It ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Spawner {
    jobs: mpsc::Sender<Job>,
    hide: Arc<Hide>,
}

/// What containers must not see of the host.
#[derive(Debug, Default)]
pub(crate) struct Hide {
    /// Mounts to detach, if they are mounted.
    pub mounts: Vec<PathBuf>,
    /// Whether the OCI runtime's short calls must not see them either.
    pub always: bool,
}

/// The namespaces of a container, for its `conmon`.
#[derive(Debug)]
pub(crate) struct Place {
    /// Detached mount of the root file system.
    pub rootfs: OwnedFd,
    /// Folder where it is attached, in a namespace that nobody else sees.
    pub rootfs_at: PathBuf,
    /// Network namespace to join.
    pub netns: Option<OwnedFd>,
    /// Whether mounts that the container makes below shared binds are to be seen on the host.
    pub shares_mounts: bool,
}

/// A program that daemonizes: its first process ends at once.
#[derive(Debug)]
pub(crate) struct Launch {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub cwd: PathBuf,
    /// Descriptors that the program gets, with the variables that name them.
    pub pipes: Vec<(&'static str, OwnedFd)>,
    /// `None` for a command in a container that has its place.
    pub place: Option<Place>,
}

impl Spawner {
    /// Starts the base thread.
    pub(crate) async fn new(hide: Hide) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (ready, outcome) = oneshot::channel();
        let hide = Arc::new(hide);
        let hidden = Arc::clone(&hide);
        std::thread::Builder::new().name("spawn-base".into()).spawn(move || {
            let prepared = prepare_base(&hidden);
            let usable = prepared.is_ok();
            if ready.send(prepared).is_err() || !usable {
                return;
            }
            for job in queue {
                // A failed start drops the job, and with it the sender its caller waits on.
                if let Err(error) = std::thread::Builder::new().name("spawn".into()).spawn(job) {
                    tracing::error!(%error, "cannot start a thread");
                }
            }
        })?;
        outcome.await.map_err(|_| io::Error::other("the spawning thread died"))??;
        Ok(Self { jobs, hide })
    }

    /// Runs a blocking job on a thread of its own in the base thread's namespaces.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            // The caller may have gone away; then nobody wants the answer.
            let _unwanted = reply.send(job());
        });
        self.jobs.send(job).map_err(|_| io::Error::other("the spawning thread died"))?;
        answer.await.map_err(|_| io::Error::other("a spawning thread died"))
    }

    /// Runs a program to its end; its output is bounded by what an OCI runtime writes.
    pub(crate) async fn output(&self, program: PathBuf, args: Vec<OsString>) -> io::Result<Output> {
        self.run(move || {
            Command::new(program)
                .args(args)
                .env_clear()
                .envs(path_env())
                .stdin(Stdio::null())
                .output()
        })
        .await?
    }

    /// Starts a program that daemonizes and waits for its first process.
    pub(crate) async fn launch(&self, launch: Launch) -> io::Result<()> {
        // The thread has a table of descriptors of its own, so dropping `launch` there would leave its
        // descriptors open in the daemon: it comes back with the answer.
        let hide = Arc::clone(&self.hide);
        let (launch, started) = on_new_thread(move || {
            let started = start(&launch, &hide);
            (launch, started)
        })
        .await?;
        drop(launch);
        let (status, stderr) = started?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{status}: {}", stderr.trim())))
    }
}

/// Runs a blocking job on a thread of its own in the host's namespaces.
async fn on_new_thread<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new().name("spawn".into()).spawn(move || {
        let _unwanted = reply.send(job());
    })?;
    answer.await.map_err(|_| io::Error::other("a spawning thread died"))
}

fn prepare_base(hide: &Hide) -> io::Result<()> {
    if !hide.always {
        return Ok(());
    }
    raw::unshare_mounts()?;
    separate(hide, None)
}

/// Makes this thread's new mount namespace hear of the host's mounts and tell of none, and hides what is to be hidden.
/// With a path it tells of its mounts too, except of what happens to the mount that holds that path.
fn separate(hide: &Hide, telling_except: Option<&Path>) -> io::Result<()> {
    if let Some(path) = telling_except {
        keep_to_itself(path)?;
        hide.mounts
            .iter()
            .filter(|path| path.exists())
            .try_for_each(|path| keep_to_itself(path))?;
    } else {
        let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", slave)?;
    }
    hide.mounts.iter().for_each(|path| detach(path));
    Ok(())
}

/// Detaches a mount in this thread's namespace; one that is not mounted is fine.
fn detach(path: &Path) {
    if let Err(error) = rustix::mount::unmount(path, UnmountFlags::DETACH)
        && !matches!(error, rustix::io::Errno::INVAL | rustix::io::Errno::NOENT)
    {
        tracing::warn!(path = %path.display(), %error, "cannot detach a mount");
    }
}

fn start(launch: &Launch, hide: &Hide) -> io::Result<(ExitStatus, String)> {
    raw::unshare_mounts_and_files()?;
    let sharing = launch.place.as_ref().filter(|place| place.shares_mounts);
    separate(hide, sharing.map(|place| place.rootfs_at.as_path()))?;
    if let Some(place) = &launch.place {
        enter(place)?;
    }
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).current_dir(&launch.cwd).env_clear().envs(path_env());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    for (name, fd) in &launch.pipes {
        // In this thread's own table only: no program started elsewhere meanwhile inherits it.
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        command.env(name, fd.as_fd().as_raw_fd().to_string());
    }
    let mut child = command.spawn()?;
    let status = child.wait()?;
    let mut stderr = String::new();
    if let Some(pipe) = child.stderr.take()
        && !status.success()
    {
        pipe.take(4096).read_to_string(&mut stderr)?;
    }
    Ok((status, stderr))
}

/// In a namespace whose mounts are the host's twins: makes the mount that holds this path a loner, so that what is
/// attached to it or detached is so here only.
fn keep_to_itself(path: &Path) -> io::Result<()> {
    let mount_of = |path: &Path| -> io::Result<u64> {
        let flags = rustix::fs::AtFlags::empty();
        let wanted = rustix::fs::StatxFlags::MNT_ID;
        Ok(rustix::fs::statx(rustix::fs::CWD, path, flags, wanted)?.stx_mnt_id)
    };
    let (mut root, mount) = (path, mount_of(path)?);
    while let Some(parent) = root.parent()
        && mount_of(parent)? == mount
    {
        root = parent;
    }
    Ok(rustix::mount::mount_change(root, MountPropagationFlags::PRIVATE)?)
}

/// Attaches the root file system in this thread's mount namespace and joins the network namespace.
fn enter(place: &Place) -> io::Result<()> {
    rustix::mount::move_mount(
        &place.rootfs,
        "",
        rustix::fs::CWD,
        &place.rootfs_at,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?;
    if let Some(netns) = &place.netns {
        let network = Some(LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(netns.as_fd(), network)?;
    }
    Ok(())
}

/// The whole environment that the programs get: nothing of the daemon's own leaks into containers.
fn path_env() -> [(&'static str, &'static str); 1] {
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")]
}
