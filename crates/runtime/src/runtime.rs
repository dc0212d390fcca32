//! The runtime: every operation on containers.
//!
//! In: bundles and ids. Out: processes under `conmon`, and what becomes of them. This file routes; how each thing
//! is done is in the modules named after it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::attach::{self, Attachment};
use crate::bundle::{Bundle, ExecSpec, TerminalSize};
use crate::container::{Container, Created, Exit, Status};
use crate::create;
use crate::error::{CreateError, Error};
use crate::exec::{self, ExecSession};
use crate::filters::Filters;
use crate::logs::{LogOptions, Logs};
use crate::orphan;
use crate::raw;
use crate::setup::{self, CgroupMode, Cgroups, Config, Program, SetupError};
use crate::spawn::{Hide, Spawner};
use crate::usage::Usage;

/// A handle on everything; cheap to clone.
#[derive(Debug, Clone)]
pub struct Runtime {
    host: Arc<Host>,
    containers: Arc<Mutex<HashMap<String, Arc<Container>>>>,
}

/// What does not change while the daemon runs.
#[derive(Debug)]
pub(crate) struct Host {
    pub config: Config,
    /// Path of `conmon`.
    pub conmon: PathBuf,
    pub cgroups: Cgroups,
    pub spawner: Spawner,
    pub filters: Filters,
}

impl Host {
    /// The OCI runtime of this name (or the default one), its path found.
    pub(crate) fn program(&self, name: Option<&str>) -> Result<(String, Program), Error> {
        let name = name.unwrap_or(&self.config.default_runtime);
        let program =
            self.config.runtimes.get(name).ok_or_else(|| {
                Error::Invalid(format!("unknown or invalid runtime name: {name}"))
            })?;
        let path = setup::find(&program.path).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok((name.to_owned(), Program { path, args: program.args.clone() }))
    }

    /// Arguments of every call of an OCI runtime.
    pub(crate) fn runtime_args(&self, program: &Program, name: &str) -> Vec<OsString> {
        let mut args: Vec<OsString> = program.args.iter().map(Into::into).collect();
        args.extend(["--root".into(), self.state(name).into()]);
        args
    }

    /// Folder where the OCI runtime of this name keeps its state, by container.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.config.exec_root.join("runtime").join(name)
    }

    /// Folder of a container's bundle and sockets.
    pub(crate) fn dir(&self, id: &str) -> PathBuf {
        self.config.exec_root.join("containers").join(id)
    }

    /// Runs a command of the container's OCI runtime; gives what it wrote.
    pub(crate) async fn call(
        &self,
        container: &Container,
        command: &'static str,
        options: &[&str],
    ) -> Result<Vec<u8>, Error> {
        let program = &container.program;
        let mut args = self.runtime_args(program, &container.created.runtime);
        args.push(command.into());
        args.extend(options.iter().map(OsString::from));
        args.push((&container.id).into());
        let output = self.spawner.output(program.path.clone(), args).await;
        let output = output.map_err(Error::io(format!("run {}", program.path.display())))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Refused { command, message })
    }
}

impl Runtime {
    /// Checks the programs and the host.
    ///
    /// # Errors
    /// A program is missing (the text names the Debian package), or a folder cannot be made.
    pub async fn new(config: Config) -> Result<Self, SetupError> {
        let conmon = config.conmon.clone().unwrap_or_else(|| "conmon".into());
        let conmon = setup::find(&conmon)?;
        let default = config.runtimes.get(&config.default_runtime);
        let default =
            default.ok_or_else(|| SetupError::NoDefault(config.default_runtime.clone()))?;
        setup::find(&default.path)?;
        let cgroups = setup::cgroups()?;
        let failed = |operation: &'static str| {
            move |source| SetupError::Io { operation: operation.into(), source }
        };
        for folder in ["containers", "runtime"] {
            setup::private_folder(&config.exec_root.join(folder))
                .map_err(failed("make the folders of containers"))?;
        }
        let mut mounts: Vec<PathBuf> = config.netns_dir.iter().cloned().collect();
        let hybrid = cgroups.mode == CgroupMode::Hybrid;
        if hybrid {
            mounts.push(setup::UNIFIED.into());
        }
        let spawner = Spawner::new(Hide { mounts, always: hybrid }).await;
        let spawner = spawner.map_err(failed("prepare a mount namespace for containers"))?;
        let host = Arc::new(Host { config, conmon, cgroups, spawner, filters: Filters::default() });
        Ok(Self { host, containers: Arc::default() })
    }

    /// How the host's cgroups are mounted.
    #[must_use]
    pub fn cgroup_mode(&self) -> CgroupMode {
        self.host.cgroups.mode
    }

    /// A static init program of the host for `--init`: `docker-init`, `tini-static` or `catatonit`.
    ///
    /// # Errors
    /// When there is none; the text names the Debian package.
    pub fn init_program(&self) -> Result<PathBuf, Error> {
        ["docker-init", "tini-static", "catatonit"]
            .iter()
            .find_map(|name| setup::find(Path::new(name)).ok())
            .ok_or_else(|| {
                Error::Invalid(
                    "no init program is installed: install it with `apt-get install tini`".into(),
                )
            })
    }

    /// Makes the container: its process exists and waits for [`Self::start`]. Nothing is left after an error.
    ///
    /// # Errors
    /// See [`CreateError`]: its text is Docker's, its exit code that of `docker run`.
    pub async fn create(&self, bundle: Bundle) -> Result<Created, CreateError> {
        check_id(&bundle.id)?;
        if self.find(&bundle.id).is_ok_and(|container| container.is_running()) {
            return Err(CreateError::Invalid(format!("container {} exists", bundle.id)));
        }
        let (host, containers) = (Arc::clone(&self.host), Arc::clone(&self.containers));
        // A task of its own: when the caller gives up half way, it still comes to one of its two ends.
        let task = tokio::spawn(async move {
            let container = Arc::new(create::create(&host, bundle).await?);
            let created = container.created.clone();
            lock(&containers).insert(container.id.clone(), container);
            Ok(created)
        });
        task.await.map_err(|error| CreateError::Invalid(error.to_string()))?
    }

    /// Takes up a container of an earlier life of the daemon. True when it still runs; when false,
    /// [`Self::wait`] answers at once and [`Self::delete`] must still be called.
    ///
    /// # Errors
    /// Its id cannot be one, or its OCI runtime is not configured any more.
    pub async fn reattach(&self, id: &str, created: &Created) -> Result<bool, Error> {
        check_id(id)?;
        let (_, program) = self.host.program(Some(&created.runtime))?;
        let dir = self.host.dir(id);
        let mode = self.cgroup_mode();
        let container = Arc::new(Container::new(id, dir, program, created.clone(), mode));
        let running = container.is_running();
        lock(&self.containers).insert(id.to_owned(), container);
        Ok(running)
    }

    /// Lets the container's process run.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn start(&self, id: &str) -> Result<(), Error> {
        self.call(id, "start", &[]).await.map(|_| ())
    }

    /// Sends a signal (its number) to the container's process 1. One that has ended is not an error.
    ///
    /// # Errors
    /// The container is not known; the signal does not exist.
    pub fn kill(&self, id: &str, signal: i32) -> Result<(), Error> {
        let signal = raw::signal(signal)
            .ok_or_else(|| Error::Invalid(format!("invalid signal: {signal}")))?;
        self.find(id)?.signal(signal).map_err(Error::io(format!("signal container {id}")))
    }

    /// Ids of containers that have files or processes but are neither created nor taken up: the daemon was killed
    /// before they were written down. [`Self::delete`] is for them too. Ask after all calls of [`Self::reattach`].
    ///
    /// # Errors
    /// The folder of containers cannot be read.
    pub fn orphans(&self) -> Result<Vec<String>, Error> {
        let mut ids = orphan::ids(&self.host).map_err(Error::io("list the containers' folders"))?;
        let known = lock(&self.containers);
        ids.retain(|id| !known.contains_key(id));
        Ok(ids)
    }

    /// Ends what runs and takes away cgroup, files and sockets (not the log). Deleting twice is not an error.
    ///
    /// # Errors
    /// The OCI runtime refuses, or files cannot be removed.
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        check_id(id)?;
        let known = self.find(id).ok();
        let Some(container) = known.or_else(|| orphan::find(&self.host, id).map(Arc::new)) else {
            return Ok(());
        };
        if !container.is_running() {
            // Its cgroup knows whether memory ran out, and is about to go.
            container.exit();
        }
        match self.host.call(&container, "delete", &["--force"]).await {
            // What ended while it was being created, or was deleted half way before a crash, is not there.
            Err(Error::Refused { message, .. }) if create::is_absent(&message) => {}
            outcome => drop(outcome?),
        }
        let failed = || Error::io(format!("delete container {id}"));
        container.end_conmon().await.map_err(failed())?;
        container.remove_cgroups();
        // The waiting callers read the exit code from the files.
        container.exit();
        create::remove(&container.dir).map_err(failed())?;
        lock(&self.containers).remove(id);
        Ok(())
    }

    /// Freezes all processes.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn pause(&self, id: &str) -> Result<(), Error> {
        let container = self.find(id)?;
        self.host.call(&container, "pause", &[]).await?;
        container.frozen().await.map_err(Error::io(format!("freeze container {id}")))
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn resume(&self, id: &str) -> Result<(), Error> {
        self.call(id, "resume", &[]).await.map(|_| ())
    }

    /// What the container is doing, as the OCI runtime sees it (one process; not for hot paths).
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn status(&self, id: &str) -> Result<Status, Error> {
        if !self.find(id)?.is_running() {
            return Ok(Status::Stopped);
        }
        let output = self.call(id, "state", &[]).await?;
        let state: serde_json::Value = serde_json::from_slice(&output)
            .map_err(|error| Error::Refused { command: "state", message: error.to_string() })?;
        Ok(match state["status"].as_str() {
            Some("created") => Status::Created,
            Some("running") => Status::Running,
            Some("paused") => Status::Paused,
            _ => Status::Stopped,
        })
    }

    /// Waits for its end; answers at once when it has ended. Any number of callers.
    ///
    /// # Errors
    /// The container is not known.
    pub async fn wait(&self, id: &str) -> Result<Exit, Error> {
        let container = self.find(id)?;
        container.wait().await.map_err(Error::io(format!("wait for container {id}")))
    }

    /// Connects to output and input; any number at a time. Without `stdin` the end of the connection does not
    /// close the input of a container that was created with `stdin_once`.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub async fn attach(&self, id: &str, stdin: bool) -> Result<Attachment, Error> {
        let container = self.running(id)?;
        let failed = || Error::io(format!("attach to container {id}"));
        let keep = !stdin && container.created.stdin_once;
        let conmon = container.conmon.as_ref().filter(|_| keep);
        let keep_for = conmon.map(|fd| fd.try_clone()).transpose().map_err(failed())?;
        let attachment = Attachment::connect(&container.dir, keep_for).await.map_err(failed())?;
        container.attachments.add(&attachment);
        Ok(attachment)
    }

    /// Sets the size of its terminal.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub fn resize(&self, id: &str, size: TerminalSize) -> Result<(), Error> {
        let container = self.running(id)?;
        attach::resize(&container.dir, size)
            .map_err(Error::io(format!("resize the terminal of container {id}")))
    }

    /// Runs a command in the container.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn exec(&self, id: &str, spec: ExecSpec) -> Result<ExecSession, CreateError> {
        let (host, container) = (Arc::clone(&self.host), self.running(id)?);
        let task = tokio::spawn(async move { exec::exec(&host, &container, spec).await });
        task.await.map_err(|error| CreateError::Invalid(error.to_string()))?
    }

    /// Reads a container's log; with `follow` until the container `id` ends.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub async fn logs(&self, id: &str, path: PathBuf, options: LogOptions) -> Result<Logs, Error> {
        let container = self.find(id).ok().filter(|container| container.is_running());
        Logs::open(path, options, container)
    }

    /// The pids of all processes in the container, as the host numbers them.
    ///
    /// # Errors
    /// The container is not known.
    pub fn processes(&self, id: &str) -> Result<Vec<i32>, Error> {
        let container = self.running(id)?;
        container.processes().map_err(Error::io(format!("list the processes of container {id}")))
    }

    /// What a container uses. Reads a dozen small files.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub fn usage(&self, id: &str) -> Result<Usage, Error> {
        Ok(self.running(id)?.usage())
    }

    /// The pids on the host of process 1 of a container that runs.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub fn pid(&self, id: &str) -> Result<i32, Error> {
        Ok(self.running(id)?.created.process.pid)
    }

    async fn call(
        &self,
        id: &str,
        command: &'static str,
        options: &[&str],
    ) -> Result<Vec<u8>, Error> {
        let container = self.find(id)?;
        self.host.call(&container, command, options).await
    }

    fn find(&self, id: &str) -> Result<Arc<Container>, Error> {
        lock(&self.containers).get(id).cloned().ok_or_else(|| Error::Unknown(id.to_owned()))
    }

    fn running(&self, id: &str) -> Result<Arc<Container>, Error> {
        let container = self.find(id)?;
        if container.is_running() { Ok(container) } else { Err(Error::NotRunning(id.to_owned())) }
    }
}

fn lock(
    containers: &Mutex<HashMap<String, Arc<Container>>>,
) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Container>>> {
    // Every change is one insertion or removal, so a panic elsewhere leaves the map whole.
    containers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// It becomes the name of folders.
fn check_id(id: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let good = !id.is_empty() && id.len() <= 128 && id.chars().all(allowed) && !id.starts_with('.');
    if good { Ok(()) } else { Err(Error::Invalid(format!("invalid container id {id:?}"))) }
}
