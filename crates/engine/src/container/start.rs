//! `start`.
//!
//! Order: networks (and the root file system beside them), process made (and its ports published
//! meanwhile), clients that wait connected, process let run, record, event. A failure goes back step by step; the container then
//! is as before, with the exit code and the error that Docker shows.

use std::sync::Arc;

use chrono::Utc;
use hawser_runtime::{CreateError, Created};

use super::bundle;
use super::events::container_event;
use super::registry::Entry;
use super::task::to_the_end;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Kind, Result};
use crate::network::Joined;
use crate::record::{Container, State, Status};

/// A start that failed: what the client reads, and what the record keeps.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) exit_code: i32,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, exit_code: 128 }
    }
}

impl Engine {
    /// Starts a container that does not run.
    ///
    /// # Errors
    /// NotModified if it runs, NotFound, Conflict while it is paused or being removed, Invalid or
    /// System if the process cannot be started.
    pub async fn container_start(self: &Arc<Self>, reference: &str) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            let _one = entry.lifecycle.lock().await;
            check_startable(&entry.record())?;
            if entry.record().restart_count != 0 {
                entry.update(&engine.store, |record| record.restart_count = 0)?;
            }
            engine.start_locked(&entry).await
        })
        .await
    }

    /// Starts it; the caller holds its lifecycle lock and has checked that it may be started.
    pub(super) async fn start_locked(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<()> {
        match self.run(entry).await {
            Ok(()) => {
                self.tell_mounts(&entry.record(), true);
                container_event(self, &entry.record(), "start", []);
                self.supervise(entry);
                Ok(())
            }
            Err(failed) => {
                self.start_failed(entry, &failed).await;
                Err(failed.error)
            }
        }
    }

    async fn run(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<(), Failed> {
        let names = self.networks.names_stay().await;
        let record = entry.record();
        let rootfs = self.mount_rootfs(&record);
        let (joined, rootfs) = tokio::join!(self.networks.join(self, &record), rootfs);
        drop(names);
        let created = self.create_process(&record, joined?, rootfs?);
        let (created, published) = tokio::join!(created, self.networks.publish(&record));
        published?;
        let created = created?;
        self.join_waiting(entry).await?;
        // Known to the store before it runs for long: after a crash it is found and taken away.
        let known = async { entry.update(&self.store, |r| r.state.handle = Some(created.clone())) };
        let (started, known) = tokio::join!(self.runtime.start(record.id.as_str()), known);
        known?;
        started.map_err(|e| system("start the container's process", e))?;
        entry.update(&self.store, |record| running(&mut record.state, &created))?;
        Ok(())
    }

    async fn mount_rootfs(&self, record: &Container) -> Result<std::os::fd::OwnedFd> {
        let (images, id) = (Arc::clone(&self.images), record.id.clone());
        blocking(move || {
            let mounted = images.rootfs(id.as_str()).and_then(|dirs| dirs.mount(false));
            mounted.map_err(|e| system("mount the container's root file system", e))
        })
        .await
    }

    async fn create_process(
        &self,
        record: &Arc<Container>,
        joined: Joined,
        rootfs: std::os::fd::OwnedFd,
    ) -> Result<Created, Failed> {
        let bundle = bundle::of(self, record, joined, rootfs)?;
        self.runtime.create(bundle).await.map_err(|e| refused(&e))
    }

    /// The way back, and the failure in the record.
    async fn start_failed(self: &Arc<Self>, entry: &Arc<Entry>, failed: &Failed) {
        let id = entry.id.as_str();
        {
            let mut clients = entry.waiting();
            clients.joined = false;
            clients.queue.clear();
        }
        if let Err(e) = self.runtime.delete(id).await {
            tracing::debug!(container = id, error = %e, "nothing to take back in the runtime");
        }
        if let Err(e) = self.networks.leave(self, &entry.id).await {
            tracing::error!(container = id, error = %e, "cannot leave the networks");
        }
        let kept = entry.update(&self.store, |record| {
            record.state.handle = None;
            record.state.pid = None;
            record.state.exit_code = failed.exit_code;
            record.state.error = failed.error.to_string();
            if record.state.status == Status::Restarting {
                record.state.status = Status::Exited;
            }
        });
        if let Err(e) = kept {
            tracing::error!(container = id, error = %e, "cannot store the failed start");
        }
        if entry.record().host_config.auto_remove {
            self.remove_after_end(entry).await;
        }
    }
}

/// What the runtime refused, with Docker's exit codes and advice.
fn refused(error: &CreateError) -> Failed {
    let text = in_full(error);
    let mounts = matches!(error, CreateError::Runtime { .. }) && text.contains(": mount ");
    if mounts && text.contains("not a directory") {
        let text = format!(
            "{text}: Are you trying to mount a directory onto a file (or vice-versa)? Check if \
             the specified host path exists and is the expected type"
        );
        return Failed { error: Error::invalid(text), exit_code: 127 };
    }
    let exit_code = error.exit_code();
    let kind = if exit_code == 128 { Kind::System } else { Kind::Invalid };
    Failed { error: Error::new(kind, text), exit_code }
}

/// An error with its causes: the runtime's own words come without any, ours name the operation
/// first.
fn in_full(error: &CreateError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |e| e.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn running(state: &mut State, created: &Created) {
    *state = State {
        status: Status::Running,
        pid: Some(created.process.pid),
        handle: Some(created.clone()),
        started_at: Some(Utc::now()),
        finished_at: state.finished_at,
        ..State::default()
    };
}

/// Whether it may be started, in Docker's words if not.
pub(super) fn check_startable(record: &Container) -> Result<()> {
    match record.state.status {
        Status::Paused => {
            Err(Error::conflict("cannot start a paused container, try unpause instead"))
        }
        Status::Running | Status::Restarting => {
            Err(Error::new(Kind::NotModified, "Container is already started"))
        }
        Status::Removing | Status::Dead => {
            Err(Error::conflict("container is marked for removal and cannot be started"))
        }
        Status::Created | Status::Exited => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use hawser_runtime::Failure;

    use super::*;
    use crate::container::testing::record;

    fn runtime(failure: Failure, message: &str) -> Failed {
        refused(&CreateError::Runtime { failure, message: message.to_owned() })
    }

    #[test]
    fn refusals_have_dockers_codes() {
        let missing = runtime(Failure::NotFound, "exec: \"x\": executable file not found in $PATH");
        assert_eq!((missing.exit_code, missing.error.kind()), (127, Kind::Invalid));
        let other = runtime(Failure::Other, "no space left");
        assert_eq!((other.exit_code, other.error.kind()), (128, Kind::System));
        let mount = runtime(Failure::Other, "create failed: mount `/a` to `b`: not a directory");
        assert_eq!(mount.exit_code, 127);
        assert!(mount.error.to_string().contains(": Are you trying to mount a directory onto"));
        let cwd = runtime(Failure::Other, "Cannot mkdir: /etc/passwd is not a directory");
        assert_eq!(cwd.exit_code, 128);
    }

    #[test]
    fn only_what_rests_is_started() {
        let mut it = record("c");
        assert!(check_startable(&it).is_ok());
        for (status, kind) in [
            (Status::Running, Kind::NotModified),
            (Status::Restarting, Kind::NotModified),
            (Status::Paused, Kind::Conflict),
            (Status::Removing, Kind::Conflict),
        ] {
            it.state.status = status;
            assert_eq!(check_startable(&it).unwrap_err().kind(), kind);
        }
    }
}
