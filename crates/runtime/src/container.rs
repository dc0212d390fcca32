//! What is known of a container that was created: its processes, its files, how it ended.
//!
//! In: process numbers from `conmon`, or from the engine's records after a restart. Out: [`Exit`], waiting,
//! signalling. It starts no program.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::attach::Attachments;
use crate::conmon;
use crate::process::{self, ProcessId};
use crate::setup::{CgroupMode, Program};
use crate::usage::{self, Usage};

/// What must be kept to find a container again after a restart of the daemon ([`crate::Runtime::reattach`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Name of the OCI runtime it was made with.
    pub runtime: String,
    /// The container's process 1, as the host numbers it.
    pub process: ProcessId,
    /// Its `conmon`.
    pub conmon: ProcessId,
    /// Its cgroup, below the mount point of each controller.
    pub cgroup: PathBuf,
    /// Whether its input closes with the first client.
    pub stdin_once: bool,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit code; 128 + signal when it was killed; 255 when it could not be learnt because `conmon` was killed.
    pub code: i32,
    /// Whether the kernel killed one of its processes for want of memory.
    pub oom_killed: bool,
    /// When it ended.
    pub finished_at: SystemTime,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Created; its process waits for the start.
    Created,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It has ended.
    Stopped,
}

/// Exit code of a container whose `conmon` did not tell.
const LOST: i32 = 255;

/// How long clients may take to read what a container wrote before it ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// A container, as long as the runtime knows it.
#[derive(Debug)]
pub(crate) struct Container {
    pub id: String,
    /// Folder of its bundle, sockets and pid files.
    pub dir: PathBuf,
    /// Its OCI runtime.
    pub program: Program,
    pub created: Created,
    pub mode: CgroupMode,
    /// Handle on process 1; none when it had ended before this daemon started.
    pub init: Option<OwnedFd>,
    /// Handle on `conmon`; none when it had ended before this daemon started.
    pub conmon: Option<OwnedFd>,
    pub attachments: Attachments,
    exit: OnceLock<Exit>,
}

impl Container {
    /// Opens handles on its processes.
    pub(crate) fn new(
        id: &str,
        dir: PathBuf,
        program: Program,
        created: Created,
        mode: CgroupMode,
    ) -> Self {
        let init = created.process.open().ok();
        let conmon = created.conmon.open().ok();
        Self {
            id: id.to_owned(),
            dir,
            program,
            created,
            mode,
            init,
            conmon,
            attachments: Attachments::default(),
            exit: OnceLock::new(),
        }
    }

    /// Whether its `conmon` still watches: until then it has not ended for anybody outside.
    pub(crate) fn is_running(&self) -> bool {
        self.conmon.as_ref().is_some_and(|conmon| !process::has_ended(conmon))
    }

    /// Waits for its end.
    pub(crate) async fn wait(&self) -> io::Result<Exit> {
        if let Some(conmon) = &self.conmon {
            tokio::select! {
                ended = process::ended(conmon) => ended?,
                error = self.release() => return Err(error),
            }
        }
        Ok(self.exit())
    }

    /// Sees to it that `conmon` ends when its container has; comes back with an error only.
    async fn release(&self) -> io::Error {
        let Some(init) = &self.init else { return std::future::pending().await };
        if let Err(error) = process::ended(init).await {
            return error;
        }
        loop {
            tokio::time::sleep(PATIENCE).await;
            self.attachments.close_outputs();
        }
    }

    /// How it ended, when it has.
    pub(crate) fn exit(&self) -> Exit {
        *self.exit.get_or_init(|| self.read_exit())
    }

    fn read_exit(&self) -> Exit {
        let path = self.dir.join(conmon::EXITS).join(&self.id);
        let finished_at = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
        let code = conmon::read_number(path).unwrap_or_else(|_| {
            // Nobody collects its output any more, and nobody would notice its end.
            self.signal(Signal::KILL).unwrap_or_else(|error| {
                tracing::warn!(container = self.id, %error, "cannot kill a container without conmon");
            });
            LOST
        });
        let finished_at = finished_at.unwrap_or_else(|_| SystemTime::now());
        Exit { code, oom_killed: self.oom_killed(), finished_at }
    }

    /// `conmon` may end before it is told, the kernel's counter is certain as long as the cgroup exists.
    fn oom_killed(&self) -> bool {
        let file = match self.mode {
            CgroupMode::V2 => self.cgroup("").join("memory.events"),
            CgroupMode::V1 | CgroupMode::Hybrid => self.cgroup("memory").join("memory.oom_control"),
        };
        let counters = std::fs::read_to_string(file).unwrap_or_default();
        let killed = counters.lines().filter_map(|line| line.strip_prefix("oom_kill "));
        self.dir.join("oom").exists() || killed.into_iter().any(|count| count.trim() != "0")
    }

    fn cgroup(&self, controller: &str) -> PathBuf {
        let relative = self.created.cgroup.strip_prefix("/").unwrap_or(&self.created.cgroup);
        Path::new("/sys/fs/cgroup").join(controller).join(relative)
    }

    /// Removes what an OCI runtime that was killed half way leaves of its cgroups. One with a process
    /// in it stays.
    pub(crate) fn remove_cgroups(&self) {
        if self.created.cgroup.file_name().is_none_or(|name| name != self.id.as_str()) {
            return;
        }
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        let names = hierarchies.filter_map(|entry| entry.file_name().into_string().ok());
        for name in names.chain([String::new()]) {
            // Absent, as a rule: the OCI runtime has removed it.
            let _ = std::fs::remove_dir(self.cgroup(&name));
        }
    }

    /// The numbers of all its processes.
    pub(crate) fn processes(&self) -> io::Result<Vec<i32>> {
        let controller = if self.mode == CgroupMode::V2 { "" } else { "pids" };
        let text = std::fs::read_to_string(self.cgroup(controller).join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> Usage {
        usage::read(self.mode, |controller| self.cgroup(controller), self.created.process.pid)
    }

    /// Waits until the kernel has frozen all processes, which it does one by one after it was told.
    pub(crate) async fn frozen(&self) -> io::Result<()> {
        let (file, word) = match self.mode {
            CgroupMode::V2 => (self.cgroup("").join("cgroup.events"), "frozen 1"),
            _ => (self.cgroup("freezer").join("freezer.state"), "FROZEN"),
        };
        for _ in 0..500 {
            if std::fs::read_to_string(&file)?.contains(word) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Signals process 1; one that has ended is fine.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(init) = &self.init else { return Ok(()) };
        process::signal(init, signal)?;
        if signal == Signal::KILL && self.mode != CgroupMode::V2 {
            // What version 1 has frozen does not die; version 2 lets it.
            let state = self.cgroup("freezer").join("freezer.state");
            if std::fs::read_to_string(&state).is_ok_and(|state| state.trim() != "THAWED") {
                std::fs::write(state, "THAWED")?;
            }
        }
        Ok(())
    }

    /// Makes sure that `conmon` is gone, which it is by itself once the container is.
    pub(crate) async fn end_conmon(&self) -> io::Result<()> {
        let Some(conmon) = &self.conmon else { return Ok(()) };
        if tokio::time::timeout(3 * PATIENCE, self.wait()).await.is_err() {
            tracing::warn!(container = self.id, "conmon outlives its container: killing it");
            process::signal(conmon, Signal::KILL)?;
            process::ended(conmon).await?;
        }
        Ok(())
    }
}
