//! The runtime: every operation on containers.

use std::path::PathBuf;

use crate::attach::Attachment;
use crate::bundle::{Bundle, ExecSpec, TerminalSize};
use crate::container::{Created, Exit, Status};
use crate::error::{CreateError, Error};
use crate::exec::ExecSession;
use crate::logs::{LogOptions, Logs};
use crate::setup::{CgroupMode, Config, SetupError};

/// A handle on everything; cheap to clone.
#[derive(Debug, Clone)]
pub struct Runtime;

impl Runtime {
    /// Checks the programs and the host.
    ///
    /// # Errors
    /// A program is missing (the text names the Debian package), or a folder cannot be made.
    pub async fn new(_config: Config) -> Result<Self, SetupError> {
        todo!()
    }

    /// How the host's cgroups are mounted.
    #[must_use]
    pub fn cgroup_mode(&self) -> CgroupMode {
        todo!()
    }

    /// A static init program of the host for `--init`: `docker-init`, `tini-static` or `catatonit`.
    ///
    /// # Errors
    /// When there is none; the text is Docker's, plus the package's name.
    pub fn init_program(&self) -> Result<PathBuf, Error> {
        todo!()
    }

    /// Makes the container: its process exists and waits for [`Self::start`]. Nothing is left after an error.
    ///
    /// # Errors
    /// See [`CreateError`]: its text is Docker's, its exit code that of `docker run`.
    pub async fn create(&self, _bundle: Bundle) -> Result<Created, CreateError> {
        todo!()
    }

    /// Takes up a container of an earlier life of the daemon. True when it still runs; when false,
    /// [`Self::wait`] answers at once and [`Self::delete`] must still be called.
    ///
    /// # Errors
    /// Its id cannot be one.
    pub async fn reattach(&self, _id: &str, _created: &Created) -> Result<bool, Error> {
        todo!()
    }

    /// Lets the container's process run.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn start(&self, _id: &str) -> Result<(), Error> {
        todo!()
    }

    /// Sends a signal (its number) to the container's process 1. One that has ended is not an error.
    ///
    /// # Errors
    /// The container is not known; the signal does not exist.
    pub fn kill(&self, _id: &str, _signal: i32) -> Result<(), Error> {
        todo!()
    }

    /// Ends what runs and takes away cgroup, files and sockets (not the log). Deleting twice is not an error.
    ///
    /// # Errors
    /// The OCI runtime refuses, or files cannot be removed.
    pub async fn delete(&self, _id: &str) -> Result<(), Error> {
        todo!()
    }

    /// Freezes all processes.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn pause(&self, _id: &str) -> Result<(), Error> {
        todo!()
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn resume(&self, _id: &str) -> Result<(), Error> {
        todo!()
    }

    /// What the container is doing, as the OCI runtime sees it (one process; not for hot paths).
    ///
    /// # Errors
    /// The container is not known, or the OCI runtime refuses.
    pub async fn status(&self, _id: &str) -> Result<Status, Error> {
        todo!()
    }

    /// Waits for its end; answers at once when it has ended. Any number of callers.
    ///
    /// # Errors
    /// The container is not known.
    pub async fn wait(&self, _id: &str) -> Result<Exit, Error> {
        todo!()
    }

    /// Connects to output and input. Several at a time are fine.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub async fn attach(&self, _id: &str) -> Result<Attachment, Error> {
        todo!()
    }

    /// Sets the size of its terminal.
    ///
    /// # Errors
    /// The container is not known or has ended.
    pub fn resize(&self, _id: &str, _size: TerminalSize) -> Result<(), Error> {
        todo!()
    }

    /// Runs a command in the container.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn exec(&self, _id: &str, _spec: ExecSpec) -> Result<ExecSession, CreateError> {
        todo!()
    }

    /// Reads a container's log; with `follow` until the container `id` ends.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub async fn logs(
        &self,
        _id: &str,
        _path: PathBuf,
        _options: LogOptions,
    ) -> Result<Logs, Error> {
        todo!()
    }

    /// The pids of all processes in the container, as the host numbers them.
    ///
    /// # Errors
    /// The container is not known.
    pub fn processes(&self, _id: &str) -> Result<Vec<i32>, Error> {
        todo!()
    }
}
